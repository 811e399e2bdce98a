"""Overhead of the workflow on layer jobs that do nothing, on a real local Slurm: single, grouped, side by side.

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
from integration.slurm_cluster import cluster  # noqa: F401

pytestmark = [pytest.mark.benchmark, pytest.mark.slurm]


def seconds(folder, layers, size, side_by_side):
    shutil.rmtree(folder / "done", ignore_errors=True)
    command = [sys.executable, "-m", "snakemake", "--profile", "cluster"]
    if size > 1:
        command += ["--groups", "layer=layers", "--group-components", f"layers={size}"]
    command += ["--config", f"models={layers // 20}", f"side_by_side={side_by_side}"]
    command += [f"library={ROOT / 'workflow_scripts'}", f"submitted={ROOT / 'rules/submitted.smk'}"]
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
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
    for size, side_by_side in ((1, False), (20, False), (1, True), (20, True), (50, True)):
        spent = seconds(tmp_path, layers, size, side_by_side)
        how = "side by side" if side_by_side else "by the plugin"
        print(f"{size:3d} a submission, {how:13}: {spent:7.0f} s, {spent / layers:6.2f} s", flush=True)
