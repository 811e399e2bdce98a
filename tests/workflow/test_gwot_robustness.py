"""The robustness outputs of an alignment, made by the workflow on a small study."""

import shutil

from conftest import snakemake
from repalign.artefacts import read_table


def test_robustness_of_one_alignment(small_study, tmp_path):
    folder = shutil.copytree(small_study, tmp_path / "study", symlinks=True)
    (folder / "robust.yaml").write_text("gwot: {robustness: {epsilons: 2, seeds: 2}}\n")
    plan = next((folder / "results/demo/gwot").rglob("object_level_a/*/plan.safetensors"))
    target = plan.with_name("robustness.tsv")
    snakemake(folder, "--configfile", "small.yaml", "robust.yaml", "--", target.relative_to(folder))
    values = read_table(target).set_index("measure")["value"]
    assert values["top1"] > 0.7
    assert values["agreement"] > 0.7
    assert values["loss_oracle"] > 0
    assert values["near_degenerate_plans"] >= 1
    assert values["near_degenerate_top1_low"] <= values["top1"] <= values["near_degenerate_top1_high"]
    assert values["chance_low"] <= 1 / 60 <= values["chance_high"]
    assert len(read_table(plan.with_name("sensitivity.tsv"))) == 4
