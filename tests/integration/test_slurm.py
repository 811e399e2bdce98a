"""The workflow on a real Slurm: the demo from trained networks to its report, features of THINGS, and a failure."""

import os
import re
import subprocess
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import snakemake
from integration.slurm_cluster import (
    accounts,
    queue,
    run,
    slurm,
    submissions,
    unavailable,
    with_profile,
    with_study,
)
from repalign.measures.registry import DECLARED, headline_rows
from repalign.storage.artefacts import read_arrays, read_table
from repalign.storage.score_table import read_scores

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

# The last layer of each network of the demo, as its sheet names it.
READOUT = {
    "supervised": "pre_logits",
    "self_supervised": "pre_logits",
    "masked": "hidden_states.4",
    "self_sup_sup": "pre_logits",
    "clip": "encode_image",
    "untrained": "pre_logits",
}
ON_A_GPU = (
    "rule_extract_embeddings",
    "rule_extract_classifier_features",
    "group_alignments_",
    "group_systems_",
)


def check_gpus(jobs, submitted):
    """Submissions that read networks or align have a GPU, the others none."""
    for job, _, allocated in jobs:
        assert ("gres/gpu=1" in allocated) == submitted[job].startswith(ON_A_GPU), (submitted[job], allocated)


def check_complete(results, n_figures):
    """Every figure in every format, and every table, is there and linked in the report; returns the tables."""
    page = (results / "report/index.html").read_text()
    names = {path.stem for path in (results / "figures").iterdir()}
    assert len(names) == n_figures
    for name in names:
        assert (results / f"figures/{name}.rst").stat().st_size > 100, name
        for ending in ("pdf", "svg", "png", "tsv"):
            assert (results / f"figures/{name}.{ending}").stat().st_size > 100, name
            assert f'href="../figures/{name}.{ending}"' in page
    tables = list((results / "tables").iterdir())
    for path in tables:
        assert path.stat().st_size > 20, path
        assert f'href="../tables/{path.name}"' in page
    return tables


@pytest.fixture(scope="module")
def demo(tmp_path_factory, request):
    """The demo as a whole, and the classifiers of two of its networks; on a machine without Slurm it runs without."""
    folder = with_profile(tmp_path_factory.mktemp("demo"))
    networks = ("supervised", "masked")
    heads = [f"results/demo/embeddings/behaviour/{name}.head.safetensors" for name in networks]
    if unavailable() and not (os.environ.get("CI") and os.geteuid() == 0):
        done = snakemake(folder, "all", *heads, "--quiet", "rules")
        return SimpleNamespace(folder=folder, results=folder / "results/demo", output=done.output, jobs=None)
    request.getfixturevalue("cluster")
    done = run(folder, "all", *heads, "--configfile", "config/config.yaml")
    return SimpleNamespace(
        folder=folder, results=folder / "results/demo", output=done.output, jobs=accounts(folder)
    )


@pytest.fixture
def demo_on_slurm(demo):
    if demo.jobs is None:
        pytest.skip(unavailable())
    return demo


def test_the_demo_takes_few_submissions_and_asks_for_gpus_where_they_help(demo_on_slurm):
    submitted = submissions(demo_on_slurm.output)
    # A job of this cluster's CPU partition may have to make room for one on a GPU; it comes back.
    assert {state for _, state, _ in demo_on_slurm.jobs} <= {"COMPLETED", "PREEMPTED"}
    assert {job for job, state, _ in demo_on_slurm.jobs if state == "COMPLETED"} == set(submitted)
    # More than 200 jobs of the workflow; every network is trained and read in a submission of its own.
    assert len(submitted) <= 45
    check_gpus(demo_on_slurm.jobs, submitted)


def test_members_of_a_submission_run_side_by_side_in_one_process(demo_on_slurm):
    steps = slurm("sacct", "-n", "-P", "-o", "jobid", "-j", ",".join(job for job, _, _ in demo_on_slurm.jobs))
    assert {step.partition(".")[2] for step in steps.splitlines()} <= {"", "batch", "extern"}
    times = []
    for log in (demo_on_slurm.results / "logs/align_gwot").rglob("*.log"):
        found = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", log.read_text(), re.MULTILINE)
        times.append([datetime.strptime(time, "%Y-%m-%d %H:%M:%S,%f") for time in (found[0], found[-1])])
    assert any(following[0] < before[1] for before, following in pairwise(sorted(times)))


@pytest.fixture(scope="module")
def scores(demo):
    """Score by metric and model, at the last layer."""
    found = {}
    for model, layer in READOUT.items():
        for stage in ("rsa", "odd_one_out"):
            table = read_scores(demo.results / f"scores/{stage}/{model}.tsv")
            table = headline_rows(table, DECLARED)
            for row in table[table["layer"] == layer].to_dict("records"):
                found[row["metric"], model] = row["value"]
        table = read_scores(demo.results / f"gwot/people/{model}/{layer}/scores.tsv")
        for row in headline_rows(table, DECLARED).to_dict("records"):
            found[row["metric"], model] = row["value"]
        table = read_table(demo.results / f"convexity/original/{model}/{layer}.tsv")
        mean = table[(table["category"] == "MEAN") & (table["n_neighbours"] == 10)].iloc[0]
        found["convexity", model], found["convexity_chance", model] = mean["value"], mean["chance"]
    return found


def test_every_way_of_learning_beats_no_learning_in_similarity_to_people(scores):
    for metric in ("rsa", "odd_one_out"):
        for model in ("supervised", "self_sup_sup", "clip"):
            assert scores[metric, model] > scores[metric, "untrained"] + 0.05, (metric, model)


def test_category_names_make_categories_convex(scores):
    """More supervision, more convex; labels without relation to the features are the baseline."""
    convexity = {model: scores["convexity", model] for model in READOUT}
    assert convexity["supervised"] > convexity["self_supervised"] + 0.1
    assert convexity["self_sup_sup"] > convexity["self_supervised"] + 0.1
    for model in ("supervised", "self_sup_sup", "clip"):
        assert convexity[model] > scores["convexity_chance", model] + 0.2, model


def test_networks_carry_their_classifiers(demo):
    arrays, metadata = read_arrays(demo.results / "embeddings/behaviour/supervised.head.safetensors")
    assert (metadata["layer"], len(metadata["classes"])) == ("pre_logits", 27)
    assert arrays["weight"].shape == (27, 96)
    arrays, metadata = read_arrays(demo.results / "embeddings/behaviour/masked.head.safetensors")
    assert (arrays, metadata["layer"]) == ({}, None)


def test_the_demo_makes_every_figure_and_table_and_lists_them(demo):
    assert len(check_complete(demo.results, 20)) == 2 * 14


def test_real_features_of_things_run_on_the_cluster_to_every_figure_and_table(tmp_path, cluster, things_dir):
    checkout = with_profile(tmp_path)
    (checkout / "quick.yaml").write_text(
        "gwot: {humans: [spose66], trials: 1, epsilon: [0.02, 0.02], threads: 1, overrides: []}\n"
        "statistics: {bootstraps: 10}\nconvexity: {models: [clip_vit_b32], sensitivity: [20]}\n"
        "naive_transform: {regularisation: [0.3], folds: 2, tolerance: 0.1}\n"
    )
    study = [
        "--configfile",
        "config/things_features.yaml",
        "quick.yaml",
        "--config",
        f"things_dir={things_dir}",
    ]
    # With fewer cores the group of all figures would ask for more than the hour that the partition allows.
    output = run(checkout, *study, cores=10).output
    scores = read_table(checkout / "results/things_features/aggregate/layer_scores.parquet")
    rsa = scores[scores["metric"] == "rsa"].set_index(["model", "reference"])["value"]
    assert rsa["clip_vit_b32", "spose66"] == pytest.approx(0.41602, abs=5e-5)
    jobs, submitted = accounts(checkout), submissions(output)
    assert {job for job, _, _ in jobs} == set(submitted)
    check_gpus(jobs, submitted)
    check_complete(
        checkout / "results/things_features", 19
    )  # too few layers for the correlations of all measures


def test_cluster_check_counts_submissions_and_asks_the_cluster(tmp_path, cluster):
    checkout = with_study(tmp_path)

    def check():
        return subprocess.run(
            [sys.executable, "profiles/slurm/check.py", "--configfile", "study.yaml"],
            cwd=checkout,
            capture_output=True,
            text=True,
        )

    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("align_gwot"))
    assert row[:6] == ["align_gwot", "4", "<=", "1", "gpu", "gpu:1"]
    assert "REFUSED" not in done.stdout
    profile = checkout / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace("slurm_partition: gpu #", "slurm_partition: fast #"))
    done = check()
    assert done.returncode == 1
    assert "REFUSED   align_gwot: " in done.stdout
    assert queue(checkout) == []


def test_one_member_of_a_group_fails_and_what_the_others_finished_is_not_done_again(tmp_path, cluster):
    checkout, results = with_study(tmp_path), tmp_path / "results/cluster"
    target = ["results/cluster/aggregate/trials.parquet", "--configfile", "study.yaml", "--retries", "0"]
    snakemake(checkout, *target, "--until", "build_human", "extract_precomputed", "--quiet", "rules")
    damaged = results / "embeddings/behaviour/unrelated.safetensors"
    with open(damaged, "r+b") as file:
        file.truncate(damaged.stat().st_size - 1)
    done = run(checkout, *target, check=False)
    assert done.returncode != 0
    assert f"repalign: {damaged.relative_to(checkout)} has changed since it was written" in done.output
    assert "Traceback" not in done.output
    assert "type the same command again" in done.output
    log = next(line.split("log: ")[1] for line in done.output.splitlines() if "SLURM jobid" in line)
    assert Path(log.split(" ")[0].rstrip(").")).is_file()
    damaged.unlink()
    run(checkout, *target)
    logs = {path.parent.name: path.read_text() for path in (results / "logs/align_gwot").rglob("*.log")}
    assert {name for name, text in logs.items() if "its results are restored" in text} == set(logs) - {
        "unrelated"
    }
    assert len(logs) == 4
    for name in logs:
        read_arrays(results / f"gwot/people/{name}/features/plan.safetensors")
    assert not (checkout / ".snakemake/repalign/finished").exists()
