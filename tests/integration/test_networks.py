"""The demo, from trained networks to its report: they differ by what they learned, and every figure is there."""

import pytest
from conftest import copy_workflow, snakemake
from repalign.artefacts import read_arrays, read_table

pytestmark = pytest.mark.slow

# The last layer of each network, as the demo's sheet names it.
READOUT = {
    "supervised": "pre_logits",
    "self_supervised": "pre_logits",
    "masked": "hidden_states.4",
    "self_sup_sup": "pre_logits",
    "clip": "encode_image",
    "untrained": "pre_logits",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo as `make demo` runs it, and the classifiers of two of its networks."""
    folder = copy_workflow(tmp_path_factory.mktemp("demo"))
    heads = [
        f"results/demo/embeddings/behaviour/{name}.head.safetensors" for name in ("supervised", "masked")
    ]
    snakemake(folder, "all", *heads, "--quiet", "rules")
    return folder / "results/demo"


@pytest.fixture(scope="module")
def scores(demo):
    """Score by metric and model, at the last layer."""
    found = {}
    for model, layer in READOUT.items():
        for stage in ("rsa", "odd_one_out"):
            table = read_table(demo / f"scores/{stage}/{model}.tsv")
            for row in table[table["layer"] == layer].to_dict("records"):
                found[row["metric"], model] = row["value"]
        for row in read_table(demo / f"gwot/people/{model}/{layer}/scores.tsv").to_dict("records"):
            found[row["metric"], model] = row["value"]
        table = read_table(demo / f"convexity/original/{model}/{layer}.tsv")
        mean = table[(table["category"] == "MEAN") & (table["n_neighbours"] == 10)].iloc[0]
        found["convexity", model], found["convexity_chance", model] = mean["value"], mean["chance"]
    return found


def test_every_way_of_learning_beats_no_learning_in_similarity_to_people(scores):
    for metric in ("rsa_spearman", "odd_one_out"):
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
    arrays, metadata = read_arrays(demo / "embeddings/behaviour/supervised.head.safetensors")
    assert (metadata["layer"], len(metadata["classes"])) == ("pre_logits", 27)
    assert arrays["weight"].shape == (27, 96)
    arrays, metadata = read_arrays(demo / "embeddings/behaviour/masked.head.safetensors")
    assert (arrays, metadata["layer"]) == ({}, None)


def test_the_demo_makes_every_figure_and_table_and_lists_them(demo):
    page = (demo / "report/index.html").read_text()
    names = {path.stem for path in (demo / "figures").iterdir()}
    assert len(names) == 20
    for name in names:
        for ending in ("pdf", "svg", "png", "tsv", "rst"):
            assert (demo / f"figures/{name}.{ending}").stat().st_size > 100, name
        assert f'href="../figures/{name}.pdf"' in page
    tables = list((demo / "tables").iterdir())
    assert len(tables) == 2 * 14
    for path in tables:
        assert path.stat().st_size > 20, path
        assert f'href="../tables/{path.name}"' in page
