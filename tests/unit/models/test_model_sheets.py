"""Every row of the shipped sheets names an architecture, weights and layers that its library has."""

import warnings
from functools import cache
from pathlib import Path

import open_clip
import pandas as pd
import pytest
import timm
import torch
import torchvision
from repalign.models import source_open_clip, source_timm, source_torchvision
from repalign.models.capture import reader
from repalign.models.network import ModelSpec
from repalign.models.pooling import POOLINGS
from repalign.models.weights import is_url
from repalign.study.sheets import expand_layers

CONFIG = Path(__file__).parents[3] / "config"
SIZES = {"gwot": 27, "convexity": 12, "extended": 135}
PUBLISHED = Path(__file__).parents[4] / "shared" / "reference" / "self_supervised_checkpoints.tsv"


@cache
def sheet(name):
    return pd.read_csv(CONFIG / f"models_{name}.tsv", sep="\t", dtype=str, keep_default_na=False, comment="#")


# Building the hundred networks of the extended sheet takes half a minute.
MARKS = {"extended": [pytest.mark.slow]}
ROWS = [
    pytest.param(name, row["model"], marks=MARKS.get(name, []))
    for name in SIZES
    for row in sheet(name).to_dict("records")
]


@cache
def architecture(library, identifier):
    """A network without memory for its weights, and the size of its images."""
    # The widths of RegNet are computed with tensors, so it cannot be built without memory.
    with torch.device("cpu" if identifier.startswith("regnet") else "meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if library == "torchvision":
            preprocess = next(iter(torchvision.models.get_model_weights(identifier))).transforms()
            options = {"init_weights": False} if identifier in ("googlenet", "inception_v3") else {}
            module = torchvision.models.get_model(identifier, weights=None, **options)
            return source_torchvision.assemble(module, preprocess), preprocess.crop_size[0]
        if library == "timm":
            module = timm.create_model(identifier)
            return source_timm.assemble(module), module.pretrained_cfg["input_size"][1]
        options = {"load_weights": False, "pretrained_image": False, "pretrained_hf": False}
        model = open_clip.create_model(identifier, device="meta", **options)
        size = model.visual.image_size
        return source_open_clip.assemble(model, None), size[0] if isinstance(size, tuple) else size


@cache
def shapes_of(library, identifier, layers, pooling):
    """Shapes of the pooled layers of two images."""
    network, size = architecture(library, identifier)
    device = next(network.module.parameters()).device
    size = size if device.type == "meta" else 64
    images = torch.zeros(2, 3, size, size, device=device)
    return {name: tuple(tensor.shape) for name, tensor in reader(network, layers, pooling)(images).items()}


@pytest.mark.parametrize(("name", "model"), ROWS)
def test_a_row_can_be_loaded_where_there_is_internet(name, model):
    row = next(r for r in sheet(name).to_dict("records") if r["model"] == model)
    spec = ModelSpec(model, row["source"], row["identifier"], row["weights"], row["revision"])
    layers = expand_layers(row["layers"])
    assert row["pooling"] in POOLINGS
    if row["source"] == "transformers":
        depth = 24 if "large" in row["identifier"] else 12
        first = 1 if name == "convexity" else 0  # that study reads what the transformer layers return
        assert layers == [f"hidden_states.{i}" for i in range(first, depth + 1)]
        assert row["identifier"].count("/") == 1
        assert len(row["revision"]) in (0, 40)
        return
    library, identifier = row["source"], row["identifier"]
    if library == "checkpoint":
        library, _, identifier = identifier.partition(":")
        assert is_url(row["weights"])
    elif spec.random_seed is not None:
        assert row["paradigm"] == "random"
    elif library == "torchvision":
        weights = torchvision.models.get_model_weights(identifier)[row["weights"]]
        assert f"-{row['revision']}.pth" in weights.url
    elif library == "timm":
        config = timm.models.get_pretrained_cfg(f"{identifier}.{row['weights']}")
        assert config.hf_hub_id
        assert len(row["revision"]) in (0, 40) or f"{row['revision']}.pth" in config.url
    else:
        config = open_clip.pretrained.get_pretrained_cfg(identifier, row["weights"])
        assert config
        source_open_clip.refuse_other_activation(spec, config)
        assert len(row["revision"]) in (0, 40) or f"-{row['revision']}.pt" in config["url"]
    shapes = shapes_of(library, identifier, tuple(layers), row["pooling"])
    assert list(shapes) == layers
    assert all(len(shape) == 2 and shape[0] == 2 for shape in shapes.values())


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sheets_are_of_the_stated_size_and_without_duplicates(name, size):
    table = sheet(name)
    assert len(table) == table["model"].nunique() == size
    assert not table.duplicated(["source", "identifier", "weights"]).any()
    assert table["model"].str.fullmatch("[a-z0-9_]+").all()
    assert table["train_images"].astype(int).ge(0).all()


def test_the_gwot_sheet_has_four_paradigms_and_says_which_rows_the_paper_names():
    table = sheet("gwot")
    assert table["paradigm"].value_counts().to_dict() == {
        "supervised": 7,
        "self_supervised": 7,
        "clip": 7,
        "self_sup_sup": 6,
    }
    assert set(table["listed"]) == {"paper", "chosen"}
    assert table.loc[table["listed"] == "paper", "objective"].tolist() == ["mae"]


def test_the_convexity_sheet_crosses_three_families_two_sizes_and_fine_tuning():
    identifiers = sheet("convexity")["identifier"]
    assert identifiers.str.contains("large").sum() == identifiers.str.contains("base").sum() == 6
    assert identifiers.str.contains("data2vec-vision-large").sum() == 2
    for family in ("google/vit", "microsoft/beit", "facebook/data2vec"):
        assert identifiers.str.startswith(family).sum() == 4


def test_the_extended_sheet_varies_one_thing_at_a_time():
    table = sheet("extended")
    for fixed, varied, least in (
        (["train_data", "objective"], "architecture", 30),
        (["architecture", "train_data"], "objective", 8),
        (["architecture", "objective"], "train_data", 7),
    ):
        assert table.groupby(fixed)[varied].nunique().max() >= least, varied


@pytest.mark.things
def test_self_supervised_checkpoints_are_where_their_authors_put_them():
    if not PUBLISHED.exists():
        pytest.skip(f"the reference files are not at {PUBLISHED.parent}")
    published = pd.read_csv(PUBLISHED, sep="\t").set_index("model")["weights_url"]
    for name in ("gwot", "extended"):
        table = sheet(name).set_index("model")
        rows = table[table["source"] == "checkpoint"]
        assert rows["weights"].to_dict() == published[rows.index].to_dict()
    assert set(published.index) <= set(sheet("extended")["model"])
