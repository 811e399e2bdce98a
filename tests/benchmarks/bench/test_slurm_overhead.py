"""Overhead of the workflow on layer jobs that do nothing, on a real local Slurm, without and with grouping.

BENCHMARK_LAYERS (a multiple of 20) says how many; each ungrouped one takes seconds.
"""

import os
import shutil
import subprocess
import sys
import time

import pytest
import yaml
from conftest import ROOT
from integration.test_slurm import cluster  # noqa: F401

pytestmark = [pytest.mark.benchmark, pytest.mark.slurm]


def seconds(folder, grouping, layers):
    shutil.rmtree(folder / "done", ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--profile",
        "cluster",
        "--config",
        f"models={layers // 20}",
    ]
    begin = time.perf_counter()
    subprocess.run([*command, *grouping], cwd=folder, check=True, capture_output=True)
    assert len(list((folder / "done").rglob("*"))) == layers + layers // 20
    return time.perf_counter() - begin


@pytest.mark.usefixtures("cluster")
def test_overhead_of_trivial_layers(tmp_path):
    layers = int(os.environ.get("BENCHMARK_LAYERS", 200))
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    for key in ("configfile", "set-resources", "groups", "group-components"):
        del profile[key]
    profile |= {"slurm-init-seconds-before-status-checks": 5, "latency-wait": 10}
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/config.yaml").write_text(yaml.safe_dump(profile))
    shutil.copy(ROOT / "tests/slurm/trivial.smk", tmp_path / "Snakefile")
    print(f"\n{layers} layers; seconds in all, and for each")
    for size in (20, 50, 1):
        grouping = [] if size == 1 else ["--groups", "layer=layers", "--group-components", f"layers={size}"]
        spent = seconds(tmp_path, grouping, layers)
        print(f"{size:3d} a submission: {spent:7.0f} s, {spent / layers:6.2f} s")
