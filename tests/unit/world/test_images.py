"""The demo's images show what people judge, and its networks are read by the loaders of published models."""

from itertools import chain

import numpy as np
import pytest
import torch
from PIL import Image
from repalign.errors import InputError
from repalign.inputs.images import behaviour, index_images
from repalign.measures.rdm import dissimilarity
from repalign.models.capture import reader
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.world import training as world_training
from repalign.world.images import ATTRIBUTES, WORDS, attributes, captions, render, write_images
from repalign.world.simulation import TAXONOMY, simulate_world


@pytest.fixture(scope="module")
def world():
    return simulate_world(60, 24, seed=3)


@pytest.fixture(scope="module")
def images(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_images(world, folder, per_object=3, seed=3)
    return index_images(folder, world.objects)


def test_attributes_carry_the_hierarchy(world):
    looks = attributes(world)
    assert looks.shape == (60, len(ATTRIBUTES))
    assert 0 <= looks.min() < 0.1
    assert 0.9 < looks.max() <= 1
    spread = np.ptp(looks, axis=0)
    assert spread[0] > 2 * spread[-1]
    distances = dissimilarity(looks, "euclidean")
    category = np.array([name.rsplit("_", 1)[0] for name in world.objects])
    same_category = (category[:, None] == category) & ~np.eye(60, dtype=bool)
    same_group = (world.groups[:, None] == world.groups) & (category[:, None] != category)
    other = world.groups[:, None] != world.groups
    assert distances[same_category].mean() < distances[same_group].mean() < distances[other].mean()


def test_images_are_drawn_from_the_attributes_and_differ_within_an_object(world, images):
    assert len(images) == 180
    judged, replaced = behaviour(images)
    assert replaced == []
    assert judged.ids[0].endswith("_01b")
    with Image.open(images.paths[0]) as first, Image.open(images.paths[1]) as second:
        assert first.size == (64, 64)
        assert np.abs(np.asarray(first, float) - np.asarray(second, float)).mean() > 3
    looks = attributes(world)[0]
    same = [render(looks, np.random.default_rng(1)) for _ in range(2)]
    assert np.array_equal(*same)
    bluer = looks.copy()
    looks[0], bluer[0] = 0.0, 1.0
    means = [render(x, np.random.default_rng(1)).reshape(-1, 3).mean(axis=0) for x in (looks, bluer)]
    assert means[0][0] > means[1][0]


def test_captions_name_what_is_seen_in_the_words_of_their_writers(world, images):
    written = captions(world, images.objects)
    assert captions(world, images.objects) == written
    assert len(written) == len(images)
    nouns = {*TAXONOMY, *chain(*TAXONOMY.values())}
    assert nouns < set(chain(*written)) <= {*nouns, *chain(*WORDS.values())}
    own = [name.rsplit("_", 1)[0] in caption for name, caption in zip(images.objects, written, strict=True)]
    assert 0.3 < np.mean(own) < 0.7
    scale = WORDS["hue"]
    said = [next((scale.index(word) for word in caption if word in scale), np.nan) for caption in written]
    said = np.array(said).reshape(len(world.objects), 3)
    # Writers agree on the order of objects, but not on every word.
    named = np.isfinite(said).any(axis=1)
    order = np.nanmean(said[named], axis=1)
    assert np.corrcoef(order, attributes(world)[named, 0])[0, 1] > 0.95
    assert (np.nanmax(said[named], axis=1) > np.nanmin(said[named], axis=1)).any()


LAYERS = {
    "supervised": ("timm", "", "pre_logits"),
    "self_supervised": ("checkpoint", "checkpoint.pth", "pre_logits"),
    "masked": ("transformers", "", "hidden_states.4"),
    "self_sup_sup": ("timm", "", "pre_logits"),
    "clip": ("open_clip", "", "encode_image"),
}


@pytest.fixture(scope="module")
def networks(world, images, tmp_path_factory):
    """Each network after one epoch, in the folder in which training left it."""
    folder = tmp_path_factory.mktemp("networks")
    torch.set_num_threads(1)
    histories = {}
    for name in LAYERS:
        start = folder / "self_supervised" if name == "self_sup_sup" else None
        histories[name] = world_training.train(name, world, images, folder / name, start=start, epochs=1)
    return folder, histories


@pytest.mark.parametrize("name", LAYERS)
def test_trained_networks_are_read_by_the_loaders(networks, images, name):
    folder, histories = networks
    source, file, layer = LAYERS[name]
    if source == "checkpoint":
        spec = ModelSpec(name, source, "timm:test_resnet:imagenet@32", str(folder / name / file))
    else:
        spec = ModelSpec(name, source, str(folder / name))
    network = load(spec)
    pixels = [Image.open(path).convert("RGB") for path in images.paths[:6]]
    batch = torch.stack([network.preprocess(image) for image in pixels])
    seen_in_training = world_training.read_images(images.paths[:6])
    assert torch.allclose(batch, seen_in_training, atol=1e-4)
    features = reader(network, [layer])(batch)[layer]
    assert features.shape[0] == 6
    assert torch.isfinite(features).all()
    assert float(features.std(dim=0).mean()) > 0
    assert np.isfinite(histories[name]).all()


def test_the_finetuned_network_began_from_the_self_supervised_one(networks):
    folder, _ = networks
    start = load(
        ModelSpec(
            "a", "checkpoint", "timm:test_resnet:imagenet@32", str(folder / "self_supervised/checkpoint.pth")
        )
    )
    tuned, other = (load(ModelSpec(n, "timm", str(folder / n))) for n in ("self_sup_sup", "supervised"))

    def distance(network):
        return float((network.module.conv1[0].weight - start.module.conv1[0].weight).abs().mean())

    assert distance(tuned) < distance(other)


def test_unknown_networks_are_refused(world, images, tmp_path):
    with pytest.raises(InputError, match="no network 'gan'"):
        world_training.train("gan", world, images, tmp_path / "gan")


def test_training_lowers_the_loss(world, images, tmp_path):
    torch.set_num_threads(1)
    history = world_training.train("supervised", world, images, tmp_path / "net", epochs=8)
    assert history[-1] < history[0] - 0.3


def test_too_few_images_for_a_batch_are_refused(world, images, tmp_path):
    few = images.take(range(30))
    with pytest.raises(InputError, match="30 images are fewer than one batch of 128"):
        world_training.train("clip", world, few, tmp_path / "net")
