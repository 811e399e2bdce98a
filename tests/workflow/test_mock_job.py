"""A script that runs outside of Snakemake, as in a debugger, makes what the workflow made."""

import os
import shutil
import subprocess
import sys

from conftest import ROOT

MODEL = "category_level_a"
# One process for all: what takes time is starting it.
JOBS = f"""
import runpy
from repalign.errors import InputError
from repalign.jobs import mock_job


def job(rule, **wildcards):
    return mock_job(rule, configfiles=["small.yaml"], cores=2, **wildcards)


for rule, wildcards in (
    ("score_rsa", {{"model": "{MODEL}"}}),
    ("score_gwot", {{"human": "people", "model": "{MODEL}", "layer": "features"}}),
):
    snakemake = job(rule, **wildcards)
    assert snakemake.rule == rule and dict(snakemake.wildcards.items()) == wildcards
    assert snakemake.threads == 1 and snakemake.config["study"] == "demo"
    assert rule == "score_gwot" or 1000 < snakemake.resources.mem_mb < 2000
    runpy.run_path(f"workflow_scripts/{{rule}}.py", {{"snakemake": snakemake}})

for rule, wildcards in (("score_rs", {{}}), ("score_rsa", {{}}), ("score_rsa", {{"model": "nobody"}})):
    try:
        job(rule, **wildcards)
    except InputError as error:
        print(error)
"""
OUTPUTS = [f"scores/rsa/{MODEL}.tsv"] + [
    f"gwot/people/{MODEL}/features/{name}" for name in ("scores.tsv", "objects.parquet", "categories.parquet")
]


def test_a_job_by_itself_makes_what_the_workflow_made(small_study, tmp_path):
    folder = shutil.copytree(small_study, tmp_path / "study", symlinks=True)
    made = [folder / "results/demo" / name for name in OUTPUTS]
    expected = [path.read_bytes() for path in made]
    for path in made:
        path.unlink()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts")}
    command = [sys.executable, "-c", JOBS]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert [path.read_bytes() for path in made] == expected
    no_rule, no_wildcard, no_model = run.stdout.splitlines()
    assert no_rule.startswith("There is no rule score_rs; did you mean score_rsa")
    assert no_wildcard == "The rule score_rsa has the wildcards model, not (none)."
    assert no_model.startswith("The rule score_rsa has no job with model=nobody")
