"""A declared preprocessing gives the pixels that it says, and is asked for where it cannot be known."""

import json

import numpy as np
import open_clip
import pytest
import timm
import torch
import torchvision
from PIL import Image
from repalign.errors import InputError
from repalign.inputs.preprocessing import PRESETS, declared, parse
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.models.preprocessing import Pixels
from small_networks import TINY_CLIP, save_transformer
from torchvision.transforms._presets import ImageClassification

IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 380, 3), dtype=np.uint8))


def pixels(text):
    return Pixels(parse(text, "here"))(IMAGE)


@pytest.mark.parametrize(("text", "crop", "resize"), [("imagenet", 224, 256), ("imagenet@64", 64, 64)])
def test_imagenet_is_that_of_torchvision_bit_for_bit(text, crop, resize):
    expected = ImageClassification(crop_size=crop, resize_size=resize)(IMAGE)
    assert torch.equal(pixels(text), expected)


def test_clip_is_that_of_open_clip():
    expected = open_clip.image_transform(224, is_train=False)(IMAGE)
    assert torch.allclose(pixels("clip"), expected, atol=1e-6)


def test_inception_runs_from_minus_one_to_one():
    config = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "input_size": (3, 224, 224), "crop_pct": 0.875}
    expected = timm.data.create_transform(**config, interpolation="bilinear")(IMAGE)
    assert torch.allclose(pixels("inception"), expected, atol=1e-6)


def test_caffe_is_bgr_without_scale():
    resized = np.asarray(IMAGE.resize((227, 227), Image.Resampling.BILINEAR), dtype=np.float64)
    expected = np.stack([resized[..., 2] - 104, resized[..., 1] - 117, resized[..., 0] - 123])
    np.testing.assert_array_equal(pixels("caffe_bgr").numpy(), expected.astype(np.float32))


def test_all_of_it_may_be_said():
    text = "size=120; resize=stretch; mean=1,2,3; std=4 5 6; channels=bgr; range=255; interpolation=bicubic"
    resized = np.asarray(IMAGE.resize((120, 120), Image.Resampling.BICUBIC), dtype=np.float32)[:, :, ::-1]
    expected = (resized - np.float32([1, 2, 3])) / np.float32([4, 5, 6])
    np.testing.assert_allclose(pixels(text).numpy(), expected.transpose(2, 0, 1), rtol=1e-6)
    assert pixels("size=240; mean=127; std=128; channels=rgb; range=255").shape == (3, 240, 240)
    said = "size=224; resize=256; mean=0.485/0.456/0.406; std=0.229/0.224/0.225; channels=RGB; range=1"
    assert parse(said, "here") == PRESETS["imagenet"]


def row(source, identifier="a", weights="", preprocessing=""):
    return {"source": source, "identifier": identifier, "weights": weights, "preprocessing": preprocessing}


def test_where_the_library_says_it_nothing_is_asked():
    for source, weights in (
        ("torchvision", "IMAGENET1K_V1"),
        ("torchvision", "random:0"),
        ("timm", "a1_in1k"),
    ):
        assert declared(row(source, weights=weights), "here") is None
    for source in ("open_clip", "transformers", "precomputed", "random"):
        assert declared(row(source), "here") is None
    assert declared(row("checkpoint", "timm:resnet50:imagenet@32", "w.pth"), "here").size == 32


@pytest.mark.parametrize(
    ("source", "identifier"), [("checkpoint", "torchvision:resnet18"), ("torchvision", "resnet18")]
)
def test_weights_in_a_file_ask_for_their_preprocessing(tmp_path, source, identifier):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "w.pth")
    spec = ModelSpec("m", source, identifier, str(tmp_path / "w.pth"))
    with pytest.raises(
        InputError, match=r"Model m: how images .* not known; set the column preprocessing: write one of"
    ):
        load(spec)


def test_folders_that_do_not_say_it_ask_for_their_preprocessing(tmp_path):
    timm.models.save_for_hf(timm.create_model("test_vit"), tmp_path / "timm", safe_serialization=True)
    config = json.loads((tmp_path / "timm/config.json").read_text())
    for key in ("mean", "std"):
        config["pretrained_cfg"].pop(key)
    (tmp_path / "timm/config.json").write_text(json.dumps(config))
    (tmp_path / "open_clip").mkdir()
    torch.save(open_clip.CLIP(**TINY_CLIP).state_dict(), tmp_path / "open_clip/open_clip_pytorch_model.bin")
    (tmp_path / "open_clip/open_clip_config.json").write_text(json.dumps({"model_cfg": TINY_CLIP}))
    save_transformer(tmp_path / "transformers", "ViT")
    (tmp_path / "transformers/preprocessor_config.json").unlink()
    for source, size in (("timm", 160), ("open_clip", 32), ("transformers", 32)):
        folder = str(tmp_path / source)
        with pytest.raises(InputError, match="not known; set the column preprocessing"):
            load(ModelSpec("m", source, folder))
        network = load(ModelSpec("m", source, folder, preprocessing=f"inception@{size}"))
        x = network.preprocess(IMAGE)
        assert torch.equal(x, pixels(f"inception@{size}"))
        assert "mean=(0.5, 0.5, 0.5)" in network.description["preprocessing"]


def test_the_sheet_goes_before_the_library():
    spec = ModelSpec("m", "timm", "test_resnet", "random:0", preprocessing="caffe_bgr")
    assert torch.equal(load(spec).preprocess(IMAGE), pixels("caffe_bgr"))
