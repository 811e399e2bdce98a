"""Same seed, same machine: the same bytes in every table, figure data and array, also after a run that was killed."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import copy_workflow, snakemake
from repalign.storage.artefacts import read_table

# Times of the machine are what may differ.
TIMES = ("logs", "benchmarks", "provenance", "report")


def digest(path):
    if path.name == "trials.parquet":
        return read_table(path).drop(columns="seconds").to_csv()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder):
    """sha256 by name of everything that a run made, but for what holds times."""
    results = folder / "results/demo"
    return {
        str(path.relative_to(results)): digest(path)
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and path.relative_to(results).parts[0] not in TIMES
        and path.suffix in (".tsv", ".parquet", ".safetensors", ".npy", ".npz", ".txt", ".csv", ".tex")
    }


@pytest.mark.slow
def test_a_killed_run_goes_on_after_unlock_and_gives_the_same_bytes(small_study, tmp_path):
    """`kill -9` leaves a lock; the error names --unlock; afterwards the run ends without doing twice what was done."""
    again = copy_workflow(tmp_path)
    # In another order, with other company: one job at a time.
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "1",
        "--configfile",
        "small.yaml",
        "--quiet",
        "rules",
    ]
    output = subprocess.DEVNULL
    run = subprocess.Popen(command, cwd=again, stdout=output, stderr=output, start_new_session=True)
    concepts = again / "results/demo/inputs/concepts.tsv"
    deadline = time.monotonic() + 120
    while not concepts.exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    world = again / "results/demo/world/unique_id.txt"
    made = world.stat().st_mtime_ns
    target = "results/demo/scores/rsa/object_level_a.tsv"
    locked = snakemake(again, target, "--configfile", "small.yaml", check=False)
    assert locked.returncode != 0
    assert "--unlock" in locked.output
    snakemake(again, "--unlock", "--configfile", "small.yaml")
    snakemake(again, "--configfile", "small.yaml", "--quiet", "rules", cores=1)
    assert (again / target).exists()
    assert world.stat().st_mtime_ns == made
    first, second = contents(small_study), contents(again)
    assert len(first) > 50
    assert first == second
