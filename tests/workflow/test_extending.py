"""The page on extending, followed to the letter."""

import re
import shutil

import pandas as pd
import pytest
from conftest import ROOT, snakemake

PAGE = (ROOT / "docs/extending.md").read_text()
STEP = re.compile(
    r"^(?:New file `(?P<new>[^`]+)`|Add to `(?P<old>[^`]+)`, (?:below the line `(?P<line>[^`]+)`|at the end)):\n\n"
    r"```python\n(?P<code>.*?)```$",
    re.MULTILINE | re.DOTALL,
)


def follow(page, folder):
    """Do in a checkout what a page says; how many steps that took."""
    steps = list(STEP.finditer(page))
    for step in steps:
        path = folder / (step["new"] or step["old"])
        if step["new"]:
            assert not path.exists()
            path.write_text(step["code"])
        elif step["line"] is None:
            path.write_text(path.read_text() + step["code"])
        else:
            before, line, after = path.read_text().partition(f"\n{step['line']}\n")
            assert line, f"{path} has no line {step['line']}"
            path.write_text(before + line + step["code"] + after)
    return len(steps)


def section(title):
    """The part of the page below a heading."""
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.slow
def test_a_measure_and_a_figure_are_added_as_the_page_says(small_study, tmp_path):
    folder = shutil.copytree(small_study, tmp_path / "study", symlinks=True)
    study = folder / "results/demo"
    assert follow(section("Add a measure"), folder) == 5
    plan = snakemake(folder, "-n", "--configfile", "small.yaml").output
    models = pd.read_csv(folder / "config/planted/models.tsv", sep="\t", comment="#")["model"]
    assert plan.count("rule score_distance_correlation:") == len(models)
    for rule in ("aggregate_layer_scores", "plot_scores", "build_report"):
        assert f"rule {rule}:" in plan
    # Nothing that others measured is measured again.
    assert not re.search(r"rule (extract|align|fit_naive|score_(?!distance_correlation))\w+:", plan)
    assert follow(section("Add a figure"), folder) == 3
    names = ("aggregate/layer_scores.parquet", "tables/models.tsv", "figures/accuracy_rsa.png")
    snakemake(
        folder,
        "--configfile",
        "small.yaml",
        "--quiet",
        "rules",
        "--",
        *(f"results/demo/{name}" for name in names),
    )
    scores = pd.read_parquet(study / "aggregate/layer_scores.parquet")
    own = scores[scores["metric"] == "distance_correlation"].set_index(["model", "layer"])
    assert set(own.index.get_level_values("model")) == set(models)
    assert (
        own.loc[("object_level_a", "features"), "value"] > own.loc[("unrelated", "features"), "value"] + 0.2
    )
    assert (study / "logs/score_distance_correlation/unrelated.log").is_file()
    assert (study / "benchmarks/score_distance_correlation/unrelated.tsv").is_file()
    shown = pd.read_csv(study / "figures/accuracy_rsa.tsv", sep="\t")
    assert set(shown["model"]) == set(models)
    assert (study / "figures/accuracy_rsa.rst").read_text().strip()
