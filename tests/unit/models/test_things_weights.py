"""Real ImageNet weights, read layer by layer, against a forward pass written by hand."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from repalign.inputs.images import ImageSet
from repalign.measures.rdm import dissimilarity
from repalign.measures.rsa import compare
from repalign.models.capture import reader
from repalign.models.extraction import Settings, extract
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.storage.artefacts import read_arrays
from sklearn.datasets import load_sample_image
from torch.nn import functional

pytestmark = pytest.mark.things

SHA256 = "aa530498c61d9af7cb713d17faefa26568fd381ac6fb7e3d15c1d1c87d923863"


@pytest.fixture(scope="module")
def weights():
    path = (
        Path(__file__).resolve().parents[4] / "shared" / "things" / "models" / "squeezenet1_0_bgr_caffe.pth"
    )
    if not path.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"the real THINGS files are not at {path.parents[1]}")
    assert path.exists()
    return path


def reference(state, x):
    """What each submodule of SqueezeNet 1.0 returns, from its weights and the paper's table 1."""
    out = {}

    def convolve(name, x, **options):
        out[name] = functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options)
        return out[name]

    def rectify(name, x):
        out[name] = x.clamp(min=0)
        return out[name]

    x = convolve("features.0", x, stride=2)
    x = rectify("features.1", x)
    for i in range(2, 13):
        name = f"features.{i}"
        if i in (2, 6, 11):
            x = functional.max_pool2d(x, 3, stride=2, ceil_mode=True)
        else:
            squeezed = rectify(f"{name}.squeeze_activation", convolve(f"{name}.squeeze", x))
            narrow = rectify(f"{name}.expand1x1_activation", convolve(f"{name}.expand1x1", squeezed))
            wide = rectify(f"{name}.expand3x3_activation", convolve(f"{name}.expand3x3", squeezed, padding=1))
            x = torch.cat([narrow, wide], dim=1)
        out[name] = x
    out["features"] = out["classifier.0"] = x
    x = rectify("classifier.2", convolve("classifier.1", x))
    out["classifier"] = out["classifier.3"] = x.mean((2, 3), keepdim=True)
    return out


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_every_layer_of_real_squeezenet_matches_a_forward_pass_by_hand(weights, name):
    spec = ModelSpec(
        "squeezenet", "checkpoint", "torchvision:squeezenet1_0", str(weights), SHA256, "caffe_bgr"
    )
    network = load(spec)
    photograph = load_sample_image(name)
    x = network.preprocess(Image.fromarray(photograph))[None]

    resized = np.asarray(
        Image.fromarray(photograph).resize((227, 227), Image.Resampling.BILINEAR), dtype=np.float64
    )
    bgr = np.stack([resized[..., 2] - 104, resized[..., 1] - 117, resized[..., 0] - 123]).astype(np.float32)
    assert np.array_equal(x[0].numpy(), bgr)

    state = torch.load(weights, weights_only=True)
    expected = reference(state, torch.from_numpy(bgr)[None])
    layers = network.layers
    assert set(layers) == set(expected)
    assert len(layers) == 67
    read = reader(network, layers, "flatten")(x)
    for layer in layers:
        values = expected[layer].flatten(1)
        assert torch.max(torch.abs(read[layer] - values)) <= 1e-4, layer


def test_real_weights_recognise_the_photograph(weights):
    spec = ModelSpec(
        "squeezenet", "checkpoint", "torchvision:squeezenet1_0", str(weights), SHA256, "caffe_bgr"
    )
    network = load(spec)
    x = network.preprocess(Image.fromarray(load_sample_image("china.jpg")))[None]
    scores = reader(network, ["classifier"], "flatten")(x)["classifier"][0].softmax(0)
    # A temple: bell cote (442) or stupa (832). With red and blue exchanged it is less certain.
    assert scores[[442, 832]].sum() > 0.85
    swapped = reader(network, ["classifier"], "flatten")(x.flip(1))["classifier"][0].softmax(0)
    assert swapped[[442, 832]].sum() < 0.8


def test_read_as_rgb_real_weights_lose_most_of_their_likeness_to_people(weights, things_dir, tmp_path):
    """313 photographs, the last features of SqueezeNet against SPoSE."""
    photographs = Path(__file__).resolve().parents[4] / "shared" / "photographs"
    if not photographs.is_dir():
        pytest.skip(f"the photographs are not at {photographs}")
    names = photographs.joinpath("objects.txt").read_text().split()
    paths = tuple(photographs / "images" / f"{name}.jpg" for name in names)
    order = things_dir.joinpath("unique_id.txt").read_text().split()
    people = np.loadtxt(things_dir / "human/spose_embedding_66d_sorted.txt")[[order.index(n) for n in names]]
    images = ImageSet(tuple(names), paths, tuple(names), ("",) * len(names))
    likeness = {}
    for name in ("caffe_bgr", "imagenet"):
        network = load(ModelSpec("s", "checkpoint", "torchvision:squeezenet1_0", str(weights), SHA256, name))
        extract(network, images, ["features.12"], tmp_path / name, settings=Settings(workers=0))
        rdm = dissimilarity(read_arrays(tmp_path / name)[0]["features.12"])
        likeness[name] = compare(rdm, dissimilarity(people))
    assert likeness["caffe_bgr"] == pytest.approx(0.292, abs=0.01)
    assert likeness["imagenet"] < 0.13
