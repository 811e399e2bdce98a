"""Extraction writes, for every image and in order, what a plain forward pass gives."""

import numpy as np
import pytest
import torch
from PIL import Image
from repalign.errors import InputError
from repalign.inputs import images as image_sets
from repalign.inputs.features import read_precomputed
from repalign.models import extraction
from repalign.models.devices import deterministic, run_in_halves
from repalign.models.network import Network, PlainCall, seeded
from repalign.models.precision import precision_effect
from repalign.storage.artefacts import read_arrays
from repalign.storage.row_writer import RowWriter
from torch import nn

OBJECTS = ["aardvark", "abacus", "accordion", "acorn"]


def to_tensor(image):
    pixels = np.asarray(image.resize((16, 16)), dtype=np.float32) / 255
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


@pytest.fixture
def folder(tmp_path):
    generator = np.random.default_rng(0)
    for i, name in enumerate(OBJECTS):
        (tmp_path / "images" / name).mkdir(parents=True)
        for j in range(3 + i % 2):
            pixels = generator.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            label = f"{name}_{j + 1:02d}{'b' if j == 0 and name != 'acorn' else 's'}.jpg"
            Image.fromarray(pixels).save(tmp_path / "images" / name / label, quality=95)
    return tmp_path / "images"


@pytest.fixture
def index(folder):
    return image_sets.index_images(folder, OBJECTS)


@pytest.fixture
def network():
    module = seeded(
        0,
        lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(6 * 196, 9)),
    )
    return Network(module, to_tensor, PlainCall(module), description={"sha256": "abc"})


LAYERS = ["0", "1", "3"]


def extract(*arguments, **options):
    """Extraction with the settings among its options."""
    settings = {name: options.pop(name) for name in list(options) if hasattr(extraction.Settings, name)}
    return extraction.extract(*arguments, settings=extraction.Settings(**settings), **options)


def by_hand(network, paths):
    with torch.inference_mode():
        x = torch.stack([to_tensor(Image.open(path).convert("RGB")) for path in paths])
        maps = nn.functional.conv2d(x, network.module[0].weight, network.module[0].bias)
        out = {"0": maps.mean((2, 3)), "1": maps.clamp(min=0).mean((2, 3)), "3": network.module(x)}
    return {name: tensor.numpy() for name, tensor in out.items()}


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 0), (4, 2), (100, 1)])
def test_rows_are_the_images_in_order(tmp_path, index, network, batch_size, workers):
    path, steps = tmp_path / "out.safetensors", []
    result = extract(
        network,
        index,
        LAYERS,
        path,
        batch_size=batch_size,
        workers=workers,
        progress=steps.append,
        model="net",
    )
    arrays, metadata = read_arrays(path)
    expected = by_hand(network, index.paths)
    for name in LAYERS:
        assert arrays[name].dtype == np.float32
        np.testing.assert_allclose(arrays[name], expected[name], rtol=1e-4, atol=1e-5)
    assert result.n_images == sum(steps) == len(index) == 14
    assert result.widths == {"0": 6, "1": 6, "3": 9}
    assert metadata["images"] == list(index.ids)
    assert metadata["image_objects"] == list(index.objects)
    assert metadata["layers"] == LAYERS
    assert metadata["network"] == {"sha256": "abc"}
    assert metadata["objects"] == list(index.objects)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images", path.name]


def test_repeated_runs_give_the_same_bytes(tmp_path, index, network):
    for name in ("a", "b"):
        extract(network, index, LAYERS, tmp_path / f"{name}.safetensors", batch_size=4, workers=1)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_features_of_the_cpu(tmp_path, index, network):
    found = {}
    for device in ("cpu", "cuda"):
        extract(network, index, LAYERS, tmp_path / device, batch_size=4, workers=0, device=device)
        found[device] = read_arrays(tmp_path / device)[0]
    for name in LAYERS:
        scale = np.sqrt((found["cpu"][name] ** 2).mean())
        np.testing.assert_allclose(found["cuda"][name], found["cpu"][name], rtol=0, atol=1e-4 * scale)


def test_objects_are_averaged_over_their_images_and_read_by_name(tmp_path, index, network):
    path = tmp_path / "out.safetensors"
    extract(network, index, LAYERS, path, batch_size=4, workers=0, average_objects=True)
    expected = by_hand(network, index.paths)["3"]
    owner = np.array(index.objects)
    means = np.stack([expected[owner == name].mean(axis=0) for name in OBJECTS])
    reversed_order = read_precomputed(path, ["3"], OBJECTS[::-1])["3"]
    np.testing.assert_allclose(reversed_order, means[::-1], rtol=1e-4, atol=1e-5)


def test_an_image_set_with_one_image_per_object_names_its_objects(tmp_path, index, network):
    judged, replaced = image_sets.behaviour(index)
    assert replaced == ["acorn"]
    extract(network, judged, ["3"], tmp_path / "out.safetensors", workers=0)
    assert read_precomputed(tmp_path / "out.safetensors", ["3"], OBJECTS)["3"].shape == (4, 9)


def spoil(folder, kind):
    path = folder / "abacus" / "abacus_02s.jpg"
    if kind == "missing":
        path.unlink()
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:400])
    else:
        path.write_text("<html>404</html>")
    return path


@pytest.mark.parametrize("kind", ["missing", "truncated", "no image"])
def test_a_bad_image_is_named_or_left_out(tmp_path, folder, index, network, kind):
    path = spoil(folder, kind)
    out = tmp_path / "out.safetensors"
    with pytest.raises(InputError, match=f"{path} cannot be used"):
        extract(network, index, LAYERS, out, batch_size=4, workers=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images"]
    result = extract(network, index, LAYERS, out, batch_size=4, workers=1, on_bad_image="skip-and-report")
    assert list(result.skipped) == ["abacus/abacus_02s"]
    arrays, metadata = read_arrays(out)
    assert metadata["skipped"] == result.skipped
    kept = [p for p in index.paths if p != path]
    np.testing.assert_allclose(arrays["3"], by_hand(network, kept)["3"], rtol=1e-4, atol=1e-5)


def test_what_was_done_to_images_is_counted_and_logged(tmp_path, folder, network, caplog):
    grey = np.linspace(0, 65535, 400).reshape(20, 20).astype(np.uint16)
    for name in OBJECTS[:2]:
        Image.fromarray(grey).save(folder / name / "deep.png")
    alpha = np.random.default_rng(0).integers(0, 255, (20, 20, 4), dtype=np.uint8)
    Image.fromarray(alpha).save(folder / OBJECTS[2] / "clear.png")
    index = image_sets.index_images(folder, OBJECTS)
    extract(network, index, LAYERS, tmp_path / "o.safetensors", batch_size=4, workers=1)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("repalign")]
    assert said == [
        "2 of 17 images: 16 bits are scaled to 8 (aardvark/deep, abacus/deep)",
        "1 of 17 images: transparency is dropped (accordion/clear)",
    ]
    rows = read_arrays(tmp_path / "o.safetensors")[0]["3"]
    expected = network.call.module(
        to_tensor(Image.fromarray((grey >> 8).astype(np.uint8)).convert("RGB"))[None]
    )
    deep = index.ids.index("aardvark/deep")
    np.testing.assert_allclose(rows[deep], expected[0].numpy(), rtol=1e-4, atol=1e-5)


def test_an_object_without_a_good_image_is_named(tmp_path, folder, index, network):
    judged, _ = image_sets.behaviour(index)
    (folder / "abacus" / "abacus_01b.jpg").unlink()
    with pytest.raises(InputError, match="No image of abacus can be used"):
        extract(
            network, judged, LAYERS, tmp_path / "o.safetensors", workers=0, on_bad_image="skip-and-report"
        )
    assert not (tmp_path / "o.safetensors").exists()


def test_features_that_are_not_finite_are_refused(tmp_path, index, network):
    network.module[3].weight[0, 0] = float("inf")
    with pytest.raises(InputError, match=r"Layer 3 is not finite for the image .*aardvark_01b"):
        extract(network, index, LAYERS, tmp_path / "o.safetensors", workers=0)


def test_memory_that_runs_out_halves_the_batch():
    sizes = []

    def function(part):
        sizes.append(len(part))
        if len(part) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return {"x": part * 2}

    batch = torch.arange(13.0)[:, None]
    features, size = run_in_halves(function, batch, 16)
    assert torch.equal(features["x"], batch * 2)
    assert size == 3
    assert sizes == [13, 6, 3, 3, 3, 3, 1]


def test_one_image_that_does_not_fit_is_said():
    def function(part):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(InputError, match="One image alone"):
        run_in_halves(function, torch.zeros(4, 1), 4)


def test_the_batch_size_that_fits_is_reported(tmp_path, index, network):
    call = network.call

    def limited(batch, wanted=frozenset()):
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return call(batch, wanted)

    small = Network(network.module, to_tensor, limited)
    result = extract(small, index, LAYERS, tmp_path / "o.safetensors", batch_size=8, workers=0)
    assert result.batch_size == 2
    expected = by_hand(network, index.paths)["3"]
    np.testing.assert_allclose(
        read_arrays(tmp_path / "o.safetensors")[0]["3"], expected, rtol=1e-4, atol=1e-5
    )


def test_lower_precision_is_close_and_its_effect_is_measured(tmp_path, index, network):
    effect = precision_effect(network, index, LAYERS, "bf16", batch_size=4)
    assert set(effect) == set(LAYERS)
    assert all(0.95 < value < 1 for value in effect.values())
    extract(network, index, LAYERS, tmp_path / "o.safetensors", workers=0, precision="bf16")
    arrays, metadata = read_arrays(tmp_path / "o.safetensors")
    expected = by_hand(network, index.paths)["3"]
    assert arrays["3"].dtype == np.float32
    assert not np.array_equal(arrays["3"], expected)
    np.testing.assert_allclose(arrays["3"], expected, atol=0.02)
    assert metadata["precision"] == "bf16"


def test_determinism_is_restored_afterwards():
    before = (torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled())
    with deterministic():
        assert not torch.backends.cudnn.allow_tf32
        assert torch.are_deterministic_algorithms_enabled()
    assert (torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "fp8"}, "choose one of fp32, bf16, fp16"),
        ({"on_bad_image": "ignore"}, "choose one of fail, skip-and-report"),
        ({"layers": ["4"]}, "no layer '4'"),
        ({"pooling": "median"}, "choose one of class_token"),
    ],
)
def test_wrong_options_are_refused_before_any_image_is_read(tmp_path, index, network, options, message):
    options = {"layers": LAYERS, **options}
    with pytest.raises(InputError, match=message):
        extract(network, index, path=tmp_path / "o.safetensors", workers=0, **options)


def test_rows_of_changing_width_are_refused(tmp_path):
    with RowWriter(tmp_path / "o.safetensors") as writer:
        writer.append({"a": np.zeros((2, 3))})
        with pytest.raises(InputError, match="has 3 features in one batch and 4 in another"):
            writer.append({"a": np.zeros((2, 4))})
    assert list(tmp_path.iterdir()) == []


# --- image sets ---


def test_the_index_follows_the_order_of_the_objects(folder):
    index = image_sets.index_images(folder, OBJECTS[::-1])
    assert list(dict.fromkeys(index.objects)) == OBJECTS[::-1]
    assert index.ids[0] == "acorn/acorn_01s"
    again = image_sets.ImageSet.from_table(index.to_table())
    assert again == index


def test_folders_that_do_not_fit_the_objects_are_named(folder):
    with pytest.raises(InputError, match="no image of the object zebra"):
        image_sets.index_images(folder, [*OBJECTS, "zebra"])
    with pytest.raises(InputError, match="folders of acorn"):
        image_sets.index_images(folder, OBJECTS[:3])
    with pytest.raises(InputError, match="no image folder"):
        image_sets.index_images(folder / "none", OBJECTS)


def test_reference_images_stand_in_where_the_first_image_was_not_judged(folder, index, tmp_path):
    references = tmp_path / "reference_images"
    references.mkdir()
    for name in ("acorn", "abacus"):
        Image.new("RGB", (9, 9)).save(references / f"{name}.jpg")
    judged, replaced = image_sets.behaviour(index, references)
    assert replaced == []
    assert judged.objects == tuple(OBJECTS)
    assert judged.ids == (
        "aardvark/aardvark_01b",
        "abacus/reference",
        "accordion/accordion_01b",
        "acorn/reference",
    )
    assert judged.paths[3] == references / "acorn.jpg"


def test_category_images_are_drawn_by_seed_and_by_category(index):
    members = np.array([[1, 0], [1, 1], [0, 1], [0, 1]], dtype=bool)
    drawn = image_sets.category(index, members, ["animal", "toy"], per_category=5, seed=1)
    assert len(drawn) == 10
    assert drawn.category == ("animal",) * 5 + ("toy",) * 5
    assert set(drawn.objects[:5]) <= {"aardvark", "abacus"}
    assert set(drawn.objects[5:]) <= {"abacus", "accordion", "acorn"}
    assert len(set(drawn.ids)) == 10
    assert len(set(drawn.paths[:5])) == 5
    same = image_sets.category(index, members, ["animal", "toy"], per_category=5, seed=1)
    assert same == drawn
    assert image_sets.category(index, members, ["animal", "toy"], per_category=5, seed=2) != drawn
    alone = image_sets.category(index, members[:, 1:], ["toy"], per_category=5, seed=1)
    assert alone.paths == drawn.paths[5:]
    with pytest.raises(InputError, match="The category animal has 7 images, fewer than the 8"):
        image_sets.category(index, members, ["animal", "toy"], per_category=8)
