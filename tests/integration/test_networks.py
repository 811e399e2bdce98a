"""The demo's networks, trained and read by its rules: they differ by what they learned."""

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
    """The demo as far as the scores of its networks."""
    folder = copy_workflow(tmp_path_factory.mktemp("demo"))
    targets = [
        f"results/demo/{path}"
        for model, layer in READOUT.items()
        for path in (
            f"scores/rsa/{model}.tsv",
            f"scores/odd_one_out/{model}.tsv",
            f"gwot/people/{model}/{layer}/scores.tsv",
            f"convexity/original/{model}/{layer}.tsv",
        )
    ]
    targets += [
        f"results/demo/embeddings/behaviour/{model}.head.safetensors" for model in ("supervised", "masked")
    ]
    snakemake(folder, *targets, "--quiet", "rules")
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
