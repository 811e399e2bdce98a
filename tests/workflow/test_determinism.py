"""Same seed, same machine: the same bytes in every table, figure data and array."""

import hashlib

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
def test_two_runs_give_the_same_bytes(small_study, tmp_path):
    again = copy_workflow(tmp_path)
    # In another order, with other company: one job at a time.
    snakemake(again, "--configfile", "small.yaml", "--quiet", "rules", cores=1)
    first, second = contents(small_study), contents(again)
    assert len(first) > 50
    assert first == second
