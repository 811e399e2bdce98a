"""What reruns after a change, asked of the real DAG of a finished study."""

import re
import shutil

import pytest
from conftest import FORMATS, IN_CI, snakemake

MODEL = "category_level_a"
# Rules of figures that draw scores; the method is drawn from the config alone.
PLOTS = {
    *("plot_scores", "plot_plans", "plot_similarity", "plot_object_matching", "plot_convergence"),
    *("plot_paradigm_effects", *(["plot_convexity"] if IN_CI else [])),
}
AGGREGATES = {
    *(
        "aggregate_layer_scores",
        "aggregate_objects",
        "aggregate_trials",
        "aggregate_maps",
    ),
    *("fit_paradigm_effects", "tabulate_models", "build_report"),
    *(("aggregate_correlations", "tabulate_convexity") if IN_CI else ()),
    *PLOTS,
}
OWN = {
    "extract_precomputed",
    "align_gwot",
    "score_gwot",
    "score_rsa",
    "score_odd_one_out",
    "score_similarity",
    "score_clustering",
}


@pytest.fixture
def finished(small_study, tmp_path):
    """A copy of the finished study, file times kept."""
    return shutil.copytree(small_study, tmp_path / "study", symlinks=True)


def planned(folder, *arguments):
    """The jobs of a dry run, as {(rule, model or None)}."""
    output = snakemake(folder, "-n", "--configfile", "small.yaml", *arguments).output
    jobs = set()
    for block in re.split(r"\n(?=(?:local)?rule )", output)[1:]:
        rule = re.match(r"(?:local)?rule (\w+):", block)[1]
        model = re.search(r"wildcards: .*\bmodel=(\w+)", block)
        jobs.add((rule, model and model[1]))
    return {job for job in jobs if job[0] != "all"}


def edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert text.count(old) >= 1, f"{name} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1))


def test_a_finished_study_has_nothing_to_do(finished):
    assert planned(finished) == set()


def test_a_changed_row_reruns_that_model_and_the_aggregates(finished):
    edit(finished, "config/planted/models.tsv", f"{MODEL}.npy", "category_level_b.npy")
    assert planned(finished) == {(rule, MODEL) for rule in OWN} | {(rule, None) for rule in AGGREGATES}


@pytest.mark.slow
def test_a_descriptive_field_reruns_the_aggregates_alone(finished):
    sheet = finished / "config/planted/models.tsv"
    lines = sheet.read_text().splitlines()
    lines[1] = lines[1].replace("clip", "supervised")
    sheet.write_text("\n".join(lines) + "\n")
    # Which objects a plan matches does not depend on what the sheet says of its model.
    assert planned(finished) == {(rule, None) for rule in AGGREGATES - {"aggregate_objects"}}


@pytest.mark.slow
def test_a_new_row_runs_the_new_model_and_the_aggregates(finished):
    sheet = finished / "config/planted/models.tsv"
    lines = sheet.read_text().splitlines()
    sheet.write_text("\n".join([*lines, lines[1].replace("object_level_a\t", "again\t", 1)]) + "\n")
    assert planned(finished) == {(rule, "again") for rule in OWN} | {(rule, None) for rule in AGGREGATES}


COMMENTS = [
    (
        "workflow_scripts/repalign/measures/rdm.py",
        "rdm = (rdm + rdm.T) / 2",
        "rdm = (rdm + rdm.T) / 2  # exactly symmetric",
    ),
    (
        "workflow_scripts/repalign/measures/rsa.py",
        '"""Correlation of the upper',
        '"""The correlation of the upper',
    ),
    ("config/planted/models.tsv", "model\t", "# a remark\nmodel\t"),
    ("config/config.yaml", "seed: 0 #", "seed: 0 # the same"),
]


def test_comments_rerun_nothing(finished):
    for name, old, new in COMMENTS:
        edit(finished, name, old, new)
    assert planned(finished) == set()


def test_a_real_change_two_imports_deep_reruns_the_rules_that_use_it(finished):
    # score_gwot imports repalign.gwot.scores, which imports repalign.gwot.matching.
    edit(
        finished,
        "workflow_scripts/repalign/gwot/matching.py",
        "k = min(k, plan.shape[1])",
        "k = min(int(k), plan.shape[1])",
    )
    # Trials keep a rate of their own, so neither they nor the figure of them depend on scores.
    expected = {"score_gwot"} | AGGREGATES - {"aggregate_trials", "plot_convergence"}
    assert {rule for rule, _ in planned(finished)} == expected
    # extract_precomputed and build_human import repalign.inputs.representations, which imports repalign.measures.rdm.
    edit(
        finished, "workflow_scripts/repalign/inputs/objects.py", 'f"{name}_01b.jpg"', 'f"{name}" + "_01b.jpg"'
    )
    assert ("extract_precomputed", MODEL) in planned(finished)


@pytest.mark.slow
def test_restyling_reruns_the_figures_and_the_page_alone(finished):
    size = "two_columns: {width_mm: 180, font_size: 7}"
    edit(finished, "config/config.yaml", size, size.replace("7}", "8}"))
    assert planned(finished) == {(rule, None) for rule in PLOTS | {"plot_method", "build_report"}}
    target = f"results/demo/figures/agreement.{FORMATS[0]}"
    before = (finished / target).read_bytes()
    snakemake(finished, target, "--configfile", "small.yaml")
    assert (finished / target).read_bytes() != before


@pytest.mark.slow
def test_a_setting_of_one_pair_reruns_that_pair(finished):
    edit(
        finished,
        "config/config.yaml",
        "overrides: []",
        f"overrides: [{{models: [{MODEL}], trials: 3}}]",
    )
    jobs = planned(finished)
    assert {job for job in jobs if job[1]} == {("align_gwot", MODEL), ("score_gwot", MODEL)}
