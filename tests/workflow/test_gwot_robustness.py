"""Robustness and the map of systems, made by the workflow on a small study."""

import shutil

import pandas as pd
import pytest
from conftest import snakemake


@pytest.mark.slow
def test_robustness_and_map_of_systems(small_study, tmp_path):
    folder = shutil.copytree(small_study, tmp_path / "study", symlinks=True)
    (folder / "robust.yaml").write_text(
        "gwot:\n  models: [object_level_a]\n  robustness: {epsilons: 2, seeds: 1, noise_pairs: 1}\n"
        "  map: {systems: [people, object_level_a, unrelated], trials: 1}\n"
    )
    aggregate = folder / "results/demo/aggregate"
    names = ("robustness", "sensitivity", "map")
    targets = [f"results/demo/aggregate/gwot_{name}.parquet" for name in names]
    snakemake(folder, "--configfile", "small.yaml", "robust.yaml", "--", *targets)
    robustness, sensitivity, pairs = (pd.read_parquet(aggregate / f"gwot_{name}.parquet") for name in names)
    measures = robustness.set_index("measure")
    assert measures["value"]["gwot_top1"] > 0.7
    assert measures["value"]["agreement_rows"] > 0.7
    assert measures["value"]["loss_oracle"] > 0
    assert measures["low"]["gwot_top1"] <= measures["value"]["gwot_top1"] <= measures["high"]["gwot_top1"]
    assert measures["low"]["chance_permuted"] <= 1 / 60 <= measures["high"]["chance_permuted"]
    assert len(sensitivity) == 4  # profile and one random start at two epsilons
    assert set(sensitivity["model"]) == {"object_level_a"}
    assert list(zip(pairs["source"], pairs["target"], strict=True)) == [
        ("people", "object_level_a"),
        ("people", "unrelated"),
        ("object_level_a", "unrelated"),
    ]
    assert pairs["gwot_top1"][0] > 0.7 > 0.2 > pairs["gwot_top1"][2]
