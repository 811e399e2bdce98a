"""Weights are found in whatever a training loop wrapped around them; what is no checkpoint is called what it is."""

import argparse
import itertools
import logging
import pathlib
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torchvision
from repalign.errors import InputError
from repalign.models import hub
from repalign.models.load import load
from repalign.models.network import ModelSpec
from repalign.models.training_state import find_state
from repalign.models.weights import read_state
from safetensors.torch import save_file
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.encoder = nn.Linear(4, 4)
        self.fc = nn.Linear(4, 2)


def state_of(seed):
    torch.manual_seed(seed)
    module = Small()
    return {name: torch.randn_like(t.float()) for name, t in module.state_dict().items()}


MODULE, RAW, OTHER = Small(), state_of(1), state_of(2)
WITHOUT_HEAD = {name: tensor for name, tensor in RAW.items() if not name.startswith("fc.")}
WRAPPERS = ("module.", "_orig_mod.", "model.")


def under(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def found(checkpoint):
    return find_state(checkpoint, MODULE, path="w.pth", model="m")


def same(state, expected):
    return state.keys() >= expected.keys() and all(
        torch.equal(state[name], expected[name]) for name in expected
    )


@pytest.mark.parametrize(
    "prefix",
    ["".join(order) for n in range(4) for order in itertools.permutations(WRAPPERS, n)]
    + [
        "module.module.",
        "model._orig_mod.module.model.",
        "net.",
        "backbone.",
        "encoder.module.",
        "teacher.backbone.",
    ]
    + ["_fsdp_wrapped_module.", "_forward_module.model.", "encoder.", "student.model.", "anything.at.all."],
)
def test_wrappers_in_any_nesting_and_order(prefix):
    assert same(found(under(prefix, RAW)), RAW)
    assert same(found({"state_dict": under(prefix, RAW), "epoch": 3}), RAW)


def test_wrappers_within_the_network():
    names = {name: name.replace("features.", "features._orig_mod.module.") for name in RAW}
    assert same(found({names[name]: tensor for name, tensor in RAW.items()}), RAW)


@pytest.mark.parametrize(
    "nest",
    [
        "state_dict",
        "model_state_dict",
        "model_state",
        "model",
        "net",
        "network",
        "weights",
        "params",
        "teacher",
        "backbone",
        "my_own_name",
        "state_dict.model",
        "checkpoint.model.state_dict",
        "classy_state_dict.base_model.model.trunk",
        "0",
    ],
)
def test_nests_of_any_name_and_depth(nest):
    checkpoint = OrderedDict(under("module.", RAW))
    for key in reversed(nest.split(".")):
        checkpoint = {"epoch": 3, key: checkpoint, "optimizer": {"state": {0: {"exp_avg": torch.ones(4, 3)}}}}
    assert same(found(checkpoint), RAW)
    assert same(found([checkpoint, {"lr": 1}]), RAW)


@pytest.mark.parametrize(
    "checkpoint",
    [
        {"state_dict": RAW, "state_dict_ema": OTHER},
        {"model": RAW, "model_ema": under("module.", OTHER)},
        {"ema": OTHER, "model": RAW},
        {"model": RAW, "ema": {"decay": 0.99, "shadow": OTHER}},
        {
            "model_state_dict": RAW,
            "ema_state_dict": under("module.", OTHER) | {"n_averaged": torch.tensor(3)},
        },
        under("online_model.", RAW) | under("ema_model.", OTHER) | {"step": torch.tensor(3)},
        {"state_dict": under("model.", RAW) | under("model_ema.module.", OTHER)},
        {"averaged_model": OTHER, "model": RAW},
        {"state": {"net": RAW, "net-ema": OTHER}},
    ],
)
def test_a_moving_average_wins_and_is_logged(checkpoint, caplog):
    caplog.set_level(logging.INFO, logger="repalign")
    assert same(found(checkpoint), OTHER)
    assert "the moving average in" in caplog.text
    assert "not the raw weights in" in caplog.text


def test_an_average_without_buffers_takes_those_of_the_raw_weights(caplog):
    caplog.set_level(logging.INFO, logger="repalign")
    parameters = {name: OTHER[name] for name, _ in MODULE.named_parameters()}
    state = found({"model": RAW, "ema": parameters})
    assert same(state, parameters)
    assert torch.equal(state["features.1.running_mean"], RAW["features.1.running_mean"])
    assert "3 buffers that the average lacks are those of the raw weights" in caplog.text


def test_an_average_of_something_else_is_not_taken():
    assert same(found({"model": RAW, "ema": {"loss": torch.tensor(1.0)}}), RAW)


@pytest.mark.parametrize(
    "checkpoint",
    [
        under("encoder_k.", OTHER) | under("encoder_q.", RAW),
        under("module.momentum_encoder.", OTHER) | under("module.base_encoder.", RAW),
        {"student": under("backbone.", OTHER), "teacher": under("backbone.", RAW)},
        under("target_encoder.", OTHER) | under("online_encoder.", RAW),
        {"optimizer": {"exp_avg": OTHER}, "model": RAW},
    ],
)
def test_of_two_that_fit_the_one_that_is_meant_is_read(checkpoint):
    assert same(found(checkpoint), RAW)


def test_a_head_beside_the_backbone_is_read_and_other_parts_are_not():
    head = {name: tensor for name, tensor in RAW.items() if name.startswith("fc.")}
    state = found(
        {"state_dict": under("backbone.", WITHOUT_HEAD) | head | {"criterion.weight": torch.ones(2)}}
    )
    assert same(state, RAW)
    assert "criterion.weight" not in state


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        (
            {"epoch": 3, "loss": torch.ones(2), "opt": {}},
            "w.pth holds no weights that fit the architecture of model m: its keys are epoch, loss, opt, with "
            "tensors such as loss; correct the columns identifier or weights.",
        ),
        (
            {"state_dict": {"a.weight": torch.ones(2), "b.weight": torch.ones(2)}},
            "w.pth holds no weights that fit the architecture of model m: its keys are state_dict, with tensors such "
            "as a.weight, b.weight; correct the columns identifier or weights.",
        ),
        (
            {"a.weight": torch.ones(2)},
            "w.pth holds no weights that fit the architecture of model m: its keys are a.weight; correct the "
            "columns identifier or weights.",
        ),
        (
            {},
            "w.pth holds no weights that fit the architecture of model m: it is an empty dictionary; correct the "
            "columns identifier or weights.",
        ),
        (
            torch.ones(3),
            "w.pth holds no weights that fit the architecture of model m: it is a Tensor; correct the columns "
            "identifier or weights.",
        ),
    ],
)
def test_otherwise_the_keys_of_the_file_are_named(checkpoint, message):
    with pytest.raises(InputError) as caught:
        found(checkpoint)
    assert str(caught.value) == message


def test_options_and_paths_beside_the_weights_are_let_in(tmp_path):
    checkpoint = {
        "model": RAW,
        "args": argparse.Namespace(lr=0.1, output=pathlib.PosixPath("out")),
        "loss": np.float64(0.5),
    }
    torch.save(checkpoint, tmp_path / "w.pth")
    assert same(found(read_state(tmp_path / "w.pth")), RAW)


@pytest.mark.parametrize("name", ["w.SAFETENSORS", "w.bin", "w.PTH"])
def test_files_are_known_by_their_content(tmp_path, name):
    if name.endswith("PTH"):
        torch.save(RAW, tmp_path / name)
    else:
        save_file({key: value.bfloat16() for key, value in RAW.items()}, tmp_path / name)
    assert found(read_state(tmp_path / name)).keys() == RAW.keys()


@pytest.mark.parametrize("source", ["torchvision", "checkpoint"])
def test_every_source_undoes_what_training_loops_write(tmp_path, source):
    original = torchvision.models.resnet18(num_classes=3)
    state = under("module._orig_mod.", original.state_dict())
    torch.save({"model_state_dict": state, "epoch": 1}, tmp_path / "w.pth")
    identifier = "torchvision:resnet18" if source == "checkpoint" else "resnet18"
    network = load(ModelSpec("m", source, identifier, str(tmp_path / "w.pth"), "", "imagenet"))
    assert torch.equal(network.module.fc.weight, original.fc.weight)
    assert torch.equal(network.module.layer3[1].bn2.running_var, original.layer3[1].bn2.running_var)


def test_hidden_weights_in_a_folder_do_not_win(tmp_path):
    (tmp_path / "._model.safetensors").write_bytes(b"x")
    save_file(RAW, tmp_path / "model.safetensors")
    assert hub.folder_weights(tmp_path).path.name == "model.safetensors"


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/readme.txt", "x")


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 98\n"


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.bin"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (LFS, "is a Git LFS pointer; run `git lfs pull` where it comes from."),
        (b"", "is empty; save or fetch it anew."),
        (
            b"<!DOCTYPE html>\n<html>",
            "is a page of a web server; fetch the file itself.",
        ),
        (b'{"error": "not found"}', "is a JSON text, not a checkpoint; fetch the checkpoint itself."),
        (zipped, "is a zip archive of net/readme.txt, not a checkpoint; fetch the checkpoint itself."),
        (b"\x1f\x8b\x08\0", "is a gzip archive, not a checkpoint; fetch the checkpoint itself."),
        (
            b"\x89HDF\r\n",
            "is an HDF5 file, as Keras writes it, not a checkpoint; fetch the checkpoint itself.",
        ),
        (b"\x93NUMPY\x01", "is a NumPy array, not a checkpoint; fetch the checkpoint itself."),
        (b"\x89PNG\r\n", "is an image, not a checkpoint; fetch the checkpoint itself."),
    ],
)
def test_what_is_no_checkpoint_is_called_what_it_is(tmp_path, name, content, what):
    path = tmp_path / name
    content(path) if callable(content) else path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_state(path)
    assert str(caught.value) == f"{path} {what}"
    with pytest.raises(InputError, match=r"is an? |is empty"):
        hub.folder_weights(tmp_path)
