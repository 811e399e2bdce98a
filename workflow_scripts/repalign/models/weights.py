"""Find, check and read weight files without ever executing what was downloaded."""

import argparse
import pathlib
import pickle
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from repalign.errors import InputError, listed
from repalign.fetch.downloads import fetch, verify
from repalign.inputs.placeholders import refuse_placeholder

# Training loops leave NumPy scalars, options and paths beside the tensors. They are data; nothing else is let in.
_HARMLESS = [
    argparse.Namespace,
    pathlib.PosixPath,
    (np.dtype, "numpy.dtype"),
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),
    (np._core.multiarray.scalar, "numpy._core.multiarray.scalar"),
    *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?")),
]


# How other files begin.
OTHER_FILES = {
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"\x93NUMPY": "a NumPy array",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
}


@dataclass(frozen=True)
class WeightsFile:
    """A checked weights file: where it lies, its sha256, and the hub commit it came from, if any."""

    path: Path
    sha256: str
    commit: str = ""


def is_url(text):
    """Whether `text` is an address to download from."""
    return urlsplit(text).scheme in ("http", "https")


def obtain(location, sha256="", *, cache_dir=None):
    """The checked file at a URL (downloaded once, resumably) or path.

    Parameters
    ----------
    location : str
        URL or path.
    sha256 : str
        Of the file, or its first digits; empty where it is unknown.
    cache_dir : path or None
        Where downloads lie; None for torch's own folder.
    """
    if not is_url(location):
        path = Path(location)
        if not path.is_file():
            raise InputError(f"There is no weights file {path}; correct the column weights.")
        refuse_other_files(path)
        return WeightsFile(path, verify(path, sha256))
    parts = urlsplit(location)
    # Many checkpoints share a file name, so the address makes the folder.
    root = Path(cache_dir) if cache_dir else Path(torch.hub.get_dir()) / "checkpoints"
    path = fetch(location, root / parts.netloc / parts.path.lstrip("/"), sha256=sha256)
    try:
        refuse_other_files(path)
    except InputError:
        path.unlink()  # fetched in vain: it must not lie in the way of the next attempt
        raise
    return WeightsFile(path, verify(path, sha256))


def refuse_other_files(path):
    """Refuse what is no checkpoint at all, under the name of what it is."""
    refuse_placeholder(path)
    with open(path, "rb") as file:
        start = file.read(512)
    what = next((what for magic, what in OTHER_FILES.items() if start.startswith(magic)), None)
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"{", b"[")):
        what = "a JSON text"
    elif start.startswith(b"PK"):
        what = _zip_of(path)
    if what:
        raise InputError(f"{path} is {what}, not a checkpoint; fetch the checkpoint itself.")


def _zip_of(path):
    """What a zip archive is that PyTorch did not write; None where it did, or where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return None
    if any(name.endswith("data.pkl") for name in names) or Path(path).suffix.lower() == ".npz":
        return None
    return f"a zip archive of {listed(names, 3) or 'nothing'}"


def read_state(path):
    """Read a checkpoint as tensors and plain containers: safetensors, or PyTorch's format with `weights_only`.

    Raises
    ------
    InputError
        The file is truncated, or it needs code to be executed.
    """
    path = Path(path)
    refuse_other_files(path)
    try:
        if path.suffix.lower() == ".safetensors" or _is_safetensors(path):
            return load_file(path)
        with torch.serialization.safe_globals(_HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if network := re.search(
            r"GLOBAL ((torch\.nn|torchvision|timm|transformers|open_clip)\.[\w.]+)", str(error)
        ):
            raise InputError(
                f"{path} holds a whole network ({network[1]}) and not only its weights, so it would have to execute "
                "code to be read; save the network's state_dict() instead."
            ) from error
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise InputError(
                f"{path} would have to execute code to be read ({_cause(error)}), which is refused; convert it to "
                "safetensors on a machine that you can lose."
            ) from error
        raise InputError(_damaged(path, error)) from error
    except (SafetensorError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        if "TorchScript" in str(error):
            raise InputError(
                f"{path} is a TorchScript archive, which would execute code; use the same weights as safetensors."
            ) from error
        raise InputError(_damaged(path, error)) from error


def _is_safetensors(path):
    """Whether a file of another ending begins as safetensors do: the length of a header, and the header."""
    with open(path, "rb") as file:
        size, brace = int.from_bytes(file.read(8), "little"), file.read(1)
    return brace == b"{" and 8 + size <= path.stat().st_size


def _cause(error):
    lines = [line.strip() for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line]
    return (lines or str(error).splitlines())[0].rstrip(".")[:120]


def _damaged(path, error):
    return (
        f"{path} is not a readable checkpoint ({(str(error) or type(error).__name__).splitlines()[0][:120]}); it may "
        "be truncated: delete it and rerun."
    )


def load_into(module, state, *, model, path, may_lack=(), may_add=()):
    """Load a state dictionary, complaining about every tensor that is missing, left over or of another shape.

    Parameters
    ----------
    module : torch.nn.Module
    state : dict of str to tensor
    model, path
        For messages.
    may_lack, may_add : tuple of str
        Beginnings of names that the checkpoint may lack (a head that is not read) or have in addition (a decoder,
        a projector).

    Returns
    -------
    list of str: the additional names that were dropped.
    """
    own = module.state_dict()
    counters = tuple(name for name in own if name.endswith("num_batches_tracked"))
    missing = [
        n for n in own if n not in state and n not in counters and not n.startswith(may_lack or ("\0",))
    ]
    surplus = [n for n in state if n not in own]
    unknown = [n for n in surplus if not n.startswith(may_add or ("\0",))]
    other = [n for n in own if n in state and own[n].shape != state[n].shape]
    for names, verb in ((missing, "lacks"), (unknown, "has the unknown"), (other, "has another shape for")):
        if names:
            raise InputError(
                f"{path} does not fit the architecture of model {model}: it {verb} {names[0]} (and "
                f"{len(names) - 1} more); correct the columns identifier or weights."
            )
    module.load_state_dict({name: state[name] for name in own if name in state}, strict=False)
    return surplus


def fit_classes(module, build, state):
    """Give an architecture as many classes as the weights have.

    Parameters
    ----------
    module : torch.nn.Module
        With its usual number of classes.
    build : callable
        `build(num_classes=...)` makes it anew.
    state : dict of str to tensor

    Returns
    -------
    (module, str: the submodule that makes the class scores, bool: whether the weights have it)
    """
    head = last_layer(module)
    weight = f"{head}.weight"
    if weight in state and len(state[weight]) != len(module.state_dict()[weight]):
        module = build(num_classes=len(state[weight]))
    return module, head, weight in state


def last_layer(module):
    """Name of the last submodule with weights: in a classifier that of the class scores."""
    return [name for name in module.state_dict() if name.endswith(".weight")][-1].removesuffix(".weight")
