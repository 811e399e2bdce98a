"""What the convexity study offers as options, reached from the config."""

import shutil

import pytest
from conftest import snakemake
from repalign.storage.artefacts import read_arrays, read_table

TRANSFORM = "results/demo/naive_transform/network/layer_3"


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["global", "glocal"])
def test_the_other_transforms_are_fitted_and_their_space_is_scored(small_study, tmp_path, variant):
    folder = shutil.copytree(small_study, tmp_path / "study", symlinks=True)
    (folder / "options.yaml").write_text(
        f"naive_transform: {{variant: {variant}, alpha: 0.2}}\nconvexity: {{categories: both, pairs: 50}}\n"
    )
    target = "results/demo/convexity/naive/network/layer_3.tsv"
    naive = read_arrays(folder / f"{TRANSFORM}.safetensors")[0]["weights"]
    snakemake(folder, "--configfile", "small.yaml", "options.yaml", "--quiet", "rules", "--", target)
    arrays, metadata = read_arrays(folder / f"{TRANSFORM}.safetensors")
    assert metadata["transform"]["variant"] == variant
    assert abs(arrays["weights"] - naive).max() > 1e-3
    table = read_table(folder / target)
    assert set(table["memberships"]) == {"exclusive", "multiple"}
    assert table.loc[table["category"] != "MEAN", "pairs"].max() <= 50
    scores = read_table(folder / f"{TRANSFORM}.scores.tsv")
    assert {"naive", "naive_change", "naive_held_out"} <= set(scores["variant"])


@pytest.mark.slow
def test_every_layer_of_the_study_is_aligned_on_request(small_study, tmp_path):
    folder = shutil.copytree(small_study, tmp_path / "study", symlinks=True)
    (folder / "options.yaml").write_text("convexity: {align: true}\n")
    output = snakemake(folder, "-n", "--configfile", "small.yaml", "options.yaml").output
    for layer in ("layer_0", "layer_1", "layer_2"):
        assert f"results/demo/gwot/people/network_ft/{layer}/plan.safetensors" in output
    assert output.count("rule align_gwot:") == 6
