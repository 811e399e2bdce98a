"""Every source loads weights that its own library saved, and reads the layers that the library computes."""

import json
import os
import pickle

import numpy as np
import open_clip
import pytest
import timm
import torch
import torchvision
from PIL import Image
from repalign.errors import InputError
from repalign.models.capture import reader
from repalign.models.load import load
from repalign.models.network import ModelSpec, Network, PlainCall
from safetensors.torch import save_file
from small_networks import TINY_CLIP, backbone, save_transformer
from torch import nn


@pytest.fixture(scope="module")
def image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (70, 90, 3), dtype=np.uint8))


def batch(network, image, n=2):
    return torch.stack([network.preprocess(image) for _ in range(n)])


def spec(source, identifier, weights="", revision="", preprocessing=""):
    if str(weights).endswith((".pth", ".torch", ".safetensors")) and "/" in str(weights):
        preprocessing = preprocessing or "imagenet"
    return ModelSpec("m", source, str(identifier), str(weights), revision, preprocessing)


def same(a, b):
    return torch.allclose(a, b, rtol=1e-4, atol=1e-5)


# --- reading layers ---


class InPlace(nn.Module):
    """A block whose later operations overwrite, in place, what its earlier submodules returned."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=True)
        self.end = nn.Identity()

    def forward(self, x):
        out = self.relu(self.linear(x))
        out += 100
        return self.end(out)


def test_in_place_operations_do_not_reach_what_was_read():
    module = InPlace()
    network = Network(module, None, PlainCall(module))
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    read = reader(network, ["linear", "relu", "end"])(x)
    expected = x @ module.linear.weight.T + module.linear.bias
    assert (expected < 0).any()
    assert same(read["linear"], expected)
    assert same(read["relu"], expected.clamp(min=0))
    assert same(read["end"], expected.clamp(min=0) + 100)


@pytest.mark.parametrize("pooling", ["average", "flatten"])
def test_feature_maps_are_read_before_an_in_place_relu(pooling):
    module = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True))
    network = Network(module, None, PlainCall(module))
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    read = reader(network, ["0"], pooling)(x)
    raw = nn.functional.conv2d(x, module[0].weight, module[0].bias)
    assert (raw < 0).any()
    assert same(read["0"], raw.mean((2, 3)) if pooling == "average" else raw.flatten(1))


def test_one_forward_pass_serves_all_layers():
    module = torchvision.models.resnet18(weights=None)
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    names = [name for name, _ in module.named_modules() if name.startswith("layer") and name.count(".") == 1]
    read = reader(Network(module, None, PlainCall(module)), names)(torch.zeros(1, 3, 32, 32))
    assert len(read) == len(names) == 8
    assert calls == [1]
    assert not any(child._forward_hooks for child in module.modules() if child is not module)


def test_unknown_layers_list_the_nearest():
    module = torchvision.models.resnet18(weights=None)
    with pytest.raises(InputError, match=r"no layer 'layer4\.3'.*layer4\.1"):
        reader(Network(module, None, PlainCall(module)), ["layer4.3"])


def test_a_layer_that_does_not_run_is_named():
    module = nn.Sequential(nn.Linear(2, 2))
    module.idle = nn.Identity()
    module.forward = lambda x: module[0](x)
    read = reader(Network(module, None, PlainCall(module)), ["idle"], model="net")
    with pytest.raises(InputError, match="Layer idle of net did not run"):
        read(torch.zeros(3, 2))


def test_rows_that_are_no_images_are_refused():
    module = nn.Sequential(nn.Flatten(0, 1), nn.Linear(4, 4))
    with pytest.raises(InputError, match="its rows are not images"):
        reader(Network(module, None, PlainCall(module)), ["1"])(torch.zeros(3, 2, 4))


def test_poolings():
    module = nn.Sequential(nn.Identity())
    tokens = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(1))
    network = Network(module, None, PlainCall(module), prefix_tokens=3, class_token=True)
    assert same(reader(network, ["0"])(tokens)["0"], tokens[:, 0])
    assert same(reader(network, ["0"], "patch_mean")(tokens)["0"], tokens[:, 3:].mean(1))
    assert same(reader(network, ["0"], "flatten")(tokens)["0"], tokens.reshape(2, 35))
    without = Network(module, None, PlainCall(module))
    assert same(reader(without, ["0"])(tokens)["0"], tokens.mean(1))
    with pytest.raises(InputError, match="use patch_mean or flatten"):
        reader(without, ["0"], "class_token")(tokens)
    first = torch.randn(2, 5, 4, 4, generator=torch.Generator().manual_seed(2))
    assert same(reader(without, ["0"], "average")(first)["0"], first.mean((2, 3)))
    assert same(reader(without, ["0"], "average")(first.permute(0, 2, 3, 1))["0"], first.mean((2, 3)))
    with pytest.raises(InputError, match="use average or flatten"):
        reader(network, ["0"], "class_token")(first)
    with pytest.raises(InputError, match="choose one of class_token"):
        reader(network, ["0"], "max")


# --- sources ---


def test_torchvision_reads_its_state_dictionaries(tmp_path, image):
    original = torchvision.models.resnet18(num_classes=7).eval()
    torch.save(original.state_dict(), tmp_path / "net.pth")
    save_file(original.state_dict(), tmp_path / "net.safetensors")
    for name in ("net.pth", "net.safetensors"):
        network = load(spec("torchvision", "resnet18", tmp_path / name))
        x = batch(network, image)
        read = reader(network, ["layer2", "avgpool", "fc"])(x)
        with torch.inference_mode():
            assert same(read["fc"], original(x))
            early = original.maxpool(original.relu(original.bn1(original.conv1(x))))
            assert same(read["layer2"], original.layer2(original.layer1(early)).mean((2, 3)))
        assert read["avgpool"].shape == (2, 512)
        assert len(network.description["sha256"]) == 64
        assert "224" in network.description["preprocessing"]


def test_torchvision_transformers_have_class_and_patch_tokens(image):
    network = load(spec("torchvision", "vit_b_32", "random:0"))
    x = batch(network, image)
    layer = "encoder.layers.encoder_layer_11"
    whole = reader(network, [layer], "flatten")(x)[layer].reshape(2, 50, 768)
    assert same(reader(network, [layer], "class_token")(x)[layer], whole[:, 0])
    assert same(reader(network, [layer], "patch_mean")(x)[layer], whole[:, 1:].mean(1))


def test_torchvision_swin_keeps_its_channels_last(image):
    network = load(spec("torchvision", "swin_t", "random:0"))
    read = reader(network, ["features.1", "features.7", "permute"])(batch(network, image))
    assert [read[name].shape[1] for name in read] == [96, 768, 768]


def test_random_weights_follow_the_seed_and_leave_the_generators_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (
        load(spec("torchvision", "resnet18", f"random:{s}")).module.conv1.weight for s in (1, 1, 2)
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_timm_reads_its_folders(tmp_path, image):
    original = timm.create_model("test_vit", num_classes=5).eval()
    timm.models.save_for_hf(original, tmp_path / "net", safe_serialization=True)
    network = load(spec("timm", tmp_path / "net"))
    x = batch(network, image)
    read = reader(network, ["blocks.1", "pre_logits", "head"])(x)
    _, intermediates = original.forward_intermediates(
        x, output_fmt="NLC", return_prefix_tokens=True, norm=False
    )
    patches, prefix = intermediates[1]
    assert same(read["blocks.1"], prefix[:, 0])
    assert same(reader(network, ["blocks.1"], "patch_mean")(x)["blocks.1"], patches.mean(1))
    with torch.inference_mode():
        assert same(read["head"], original(x))
        assert same(read["pre_logits"], original.forward_head(original.forward_features(x), pre_logits=True))
    random = load(spec("timm", "test_resnet", "random:3"))
    assert reader(random, ["pre_logits"])(batch(random, image))["pre_logits"].ndim == 2


def test_open_clip_reads_its_folders(tmp_path, image):
    original = open_clip.CLIP(**TINY_CLIP).eval()
    folder = tmp_path / "net"
    folder.mkdir()
    save_file(original.state_dict(), folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "size": [32, 32]}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": TINY_CLIP, "preprocess_cfg": preprocess})
    )
    network = load(spec("open_clip", folder))
    x = batch(network, image)
    assert x.shape == (2, 3, 32, 32)
    layers = ["transformer.resblocks.0", "transformer.resblocks.1", "encode_image"]
    read = reader(network, layers)(x)
    with torch.inference_mode():
        assert same(read["encode_image"], original.encode_image(x))
        last = original.visual.forward_intermediates(
            x,
            normalize_intermediates=False,
            intermediates_only=True,
            output_fmt="NLC",
            output_extra_tokens=True,
        )
    assert same(read["transformer.resblocks.1"], last["image_intermediates_prefix"][-1][:, 0])
    assert same(
        reader(network, layers, "patch_mean")(x)["transformer.resblocks.0"],
        last["image_intermediates"][0].mean(1),
    )


@pytest.mark.parametrize("kind", ["ViT", "Beit", "Data2VecVision", "Dinov2"])
def test_transformers_hidden_states_are_the_embedding_and_each_block(tmp_path, image, kind):
    original = save_transformer(tmp_path / "net", kind)
    network = load(spec("transformers", tmp_path / "net"))
    x = batch(network, image)
    names = [f"hidden_states.{i}" for i in range(4)]
    seen = []
    blocks = next(m for n, m in original.named_modules() if n.rsplit(".", 1)[-1] in ("layer", "layers"))
    for block in (original.embeddings, *blocks):
        block.register_forward_hook(lambda m, i, out: seen.append(out[0] if isinstance(out, tuple) else out))
    with torch.inference_mode():
        original(x)
    tokens, patches = reader(network, names, "class_token")(x), reader(network, names, "patch_mean")(x)
    assert len(seen) == 4
    for name, state in zip(names, seen, strict=True):
        assert same(tokens[name], state[:, 0])
        assert same(patches[name], state[:, 1:].mean(1))


def test_masked_autoencoders_see_every_patch(tmp_path, image):
    original = save_transformer(tmp_path / "net", "ViTMAE")
    network = load(spec("transformers", tmp_path / "net"))
    x = batch(network, image)
    read = reader(network, ["hidden_states.0", "hidden_states.3"], "flatten")
    first, second = read(x), read(x)
    assert torch.equal(first["hidden_states.3"], second["hidden_states.3"])
    embedded = original.embeddings.patch_embeddings(x) + original.embeddings.position_embeddings[:, 1:]
    assert same(first["hidden_states.0"].reshape(2, 17, 32)[:, 1:], embedded)


def test_transformers_never_fills_a_checkpoint_with_random_numbers(tmp_path):
    save_transformer(tmp_path / "net", "ViT")
    path = tmp_path / "net" / "model.safetensors"
    state = {n: t for n, t in load_raw(path).items() if "layers.2" not in n and "layer.2" not in n}
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match="lacks"):
        load(spec("transformers", tmp_path / "net"))


def load_raw(path):
    from safetensors.torch import load_file

    return load_file(path)


def prefixed(state, prefix):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


RESNET = torchvision.models.resnet18(weights=None)
VIT = timm.create_model("test_vit")
FORMATS = {
    "vissl": lambda: {
        "phase_idx": 99,
        "loss": np.float64(0.5),
        "classy_state_dict": {
            "base_model": {
                "model": {"trunk": prefixed(backbone(RESNET, "fc"), "_feature_blocks."), "heads": {}}
            }
        },
    },
    "barlow_twins and vicreg": lambda: backbone(RESNET, "fc"),
    "moco": lambda: {
        "epoch": 3,
        "state_dict": prefixed(backbone(RESNET, "fc"), "module.encoder_q.")
        | prefixed(backbone(RESNET, "fc"), "module.encoder_k.")
        | {"module.queue": torch.zeros(3), "module.encoder_q.fc.0.weight": torch.zeros(4, 512)},
    },
    "simclr": lambda: {
        "state_dict": prefixed(backbone(RESNET, "fc"), "module.encoder.")
        | {"module.projector.0.weight": torch.ones(2)}
    },
    "swav": lambda: (
        prefixed(backbone(RESNET, "fc"), "module.") | {"module.prototypes.weight": torch.zeros(2, 2)}
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_checkpoint_formats_of_residual_networks(tmp_path, image, name):
    torch.save(FORMATS[name](), tmp_path / "net.torch")
    network = load(spec("checkpoint", "torchvision:resnet18", tmp_path / "net.torch"))
    x = batch(network, image)
    read = reader(network, ["layer4", "avgpool", "fc"])(x)
    reference = RESNET.eval()
    seen = {}
    handle = reference.avgpool.register_forward_hook(lambda m, i, out: seen.update(out=out.flatten(1)))
    with torch.inference_mode():
        reference(x)
    handle.remove()
    assert same(read["avgpool"], seen["out"])
    assert torch.equal(read["fc"], read["avgpool"])


@pytest.mark.parametrize("name", ["dino", "dino_full", "mae"])
def test_checkpoint_formats_of_vision_transformers(tmp_path, image, name):
    state = backbone(VIT, "head")
    checkpoint = {
        "dino": state,
        "dino_full": {
            "student": {},
            "teacher": prefixed(state, "backbone.") | {"head.mlp.0.weight": torch.ones(2)},
        },
        "mae": {
            "model": state | {"mask_token": torch.zeros(1, 1, 8), "decoder_embed.weight": torch.zeros(2, 2)}
        },
    }[name]
    torch.save(checkpoint, tmp_path / "net.pth")
    network = load(spec("checkpoint", "timm:test_vit", tmp_path / "net.pth"))
    x = batch(network, image)[:, :, :160, :160]
    with torch.inference_mode():
        expected = VIT.eval().forward_features(x)
    assert same(reader(network, ["norm"], "class_token")(x)["norm"], expected[:, 0])


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), tmp_path / "net.pth")
    with pytest.raises(InputError, match="does not fit the architecture of model m"):
        load(spec("checkpoint", "torchvision:resnet18", tmp_path / "net.pth"))
    half = dict(list(RESNET.state_dict().items())[:20])
    torch.save(half, tmp_path / "half.pth")
    with pytest.raises(InputError, match="it lacks"):
        load(spec("checkpoint", "torchvision:resnet18", tmp_path / "half.pth"))


# --- safety ---


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_checkpoints_never_execute_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": RESNET.state_dict(), "extra": Evil()}, "evil.pth")
    with pytest.raises(InputError, match="would have to execute code"):
        load(spec("checkpoint", "torchvision:resnet18", "evil.pth", "", "imagenet"))
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match="execute code"):
        load(spec("checkpoint", "torchvision:resnet18", "plain.pth", "", "imagenet"))
    assert not (tmp_path / "evil").exists()


def test_truncated_checkpoints_are_named(tmp_path):
    torch.save(RESNET.state_dict(), tmp_path / "net.pth")
    save_file(RESNET.state_dict(), tmp_path / "net.safetensors")
    for name in ("net.pth", "net.safetensors"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=f"{name} is not a readable checkpoint"):
            load(spec("torchvision", "resnet18", tmp_path / name))


def test_a_wrong_sha256_is_refused(tmp_path):
    torch.save(RESNET.state_dict(), tmp_path / "net.pth")
    with pytest.raises(InputError, match="has the sha256"):
        load(spec("checkpoint", "torchvision:resnet18", tmp_path / "net.pth", "0" * 64))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("transformers", "google/vit-base-patch16-224", "", "main"), "which moves"),
        (("torchvision", "resnet50", "DEFAULT"), "which moves"),
        (("transformers", "google/vit-base-patch16-224", "", "v1.0"), "40 hex digits"),
        (("torchvision", "resnet500", "IMAGENET1K_V1"), "the nearest are resnet50"),
        (("torchvision", "resnet50", "IMAGENET1K_V7"), "IMAGENET1K_V1, IMAGENET1K_V2"),
        (("torchvision", "resnet50"), "names no weights"),
        (("torchvision", "resnet50", "random"), "random:<seed>"),
        (("timm", "resnet50", "a9_in1k"), "it has .*a1_in1k"),
        (("timm", "resnet5O", "a1_in1k"), "the nearest are"),
        (("open_clip", "ViT-B-32", "nonesuch"), "laion2b_s34b_b79k"),
        (("open_clip", "ViT-B-32", "openai"), "identifier ViT-B-32-quickgelu"),
        (("open_clip", "ViT-B-99", "openai"), "the nearest are"),
        (("checkpoint", "resnet50", "x.pth"), "torchvision:<architecture>"),
        (("checkpoint", "torchvision:resnet50", "x.pth", "", "imagenet"), "no weights file x.pth"),
        (
            ("checkpoint", "torchvision:resnet50", "x.pth"),
            "for x.pth is not known; set the column preprocessing",
        ),
        (("transformers", "./nonesuch"), "no model folder ./nonesuch"),
        (("keras", "resnet50"), "choose one of torchvision"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_one_sentence(fields, message):
    with pytest.raises(InputError, match=message) as caught:
        load(spec(*fields))
    assert "\n" not in str(caught.value)


def test_hub_models_come_from_the_cache_at_their_commit(tmp_path, monkeypatch, image):
    commit = "3f49326eb077187dfe1c2a2bb15fbd74e6ab91e3"
    folder = tmp_path / "models--google--vit-base-patch16-224" / "snapshots" / commit
    save_transformer(folder, "ViT")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    network = load(spec("transformers", "google/vit-base-patch16-224", "", commit))
    assert network.description["commit"] == commit
    assert network.description["revision"] == commit
    assert reader(network, ["hidden_states.3"])(batch(network, image))["hidden_states.3"].shape == (2, 32)
    with pytest.raises(InputError, match="neither in the hub's cache nor can the hub be reached"):
        load(spec("transformers", "google/vit-base-patch16-224", "", "0" * 40))
