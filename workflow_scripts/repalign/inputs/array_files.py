"""Arrays in files that others wrote: npy, npz, safetensors and MATLAB's mat, without ever running what they hold."""

import json
import logging
import zlib
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np

from repalign.errors import InputError, listed
from repalign.inputs.placeholders import refuse_placeholder
from repalign.inputs.row_labels import normalise
from repalign.storage.artefacts import read_arrays

log = logging.getLogger(__name__)

NAMES_KEY = "objects"
# What NumPy raises over a damaged file.
UNREADABLE = (ValueError, EOFError, OSError, MemoryError, SyntaxError, TokenError)


def load_npy(path):
    """The array of a .npy file."""
    refuse_placeholder(path)
    try:
        return np.load(path, allow_pickle=False)
    except UNREADABLE as error:
        raise InputError(
            f"{path} is not a plain npy array ({_reason(error)}); save it anew with numpy.save."
        ) from error


def _reason(error):
    """Why NumPy gave up; where it advises to trust the file, that it is pickled."""
    if "allow_pickle" in str(error):
        return "it holds pickled objects, which are never loaded"
    return str(error).partition(": <ast")[0]


def load_npz(path, layers=None):
    """Arrays of a .npz file (all that are not names, or those named), and the names of their rows, where it has them.

    Names are the array `objects`, or else the only array of text.
    """
    refuse_placeholder(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            if missing := [layer for layer in layers or () if layer not in archive]:
                raise InputError(
                    f"{path} has no layer {listed(missing)}; it holds {listed(archive.files, 20)}."
                )
            texts = {
                name: archive[name]
                for name in archive.files
                if name not in (layers or ()) and (name == NAMES_KEY or _is_text(archive, name))
            }
            key = NAMES_KEY if NAMES_KEY in texts else next(iter(texts), None) if len(texts) == 1 else None
            names = None if key is None else [normalise(_decoded(name)) for name in texts[key].ravel()]
            if key not in (None, NAMES_KEY):
                log.info("%s: the rows are named by its array '%s'", path, key)
            wanted = [name for name in archive.files if name not in texts] if layers is None else layers
            return {name: archive[name] for name in wanted}, names
    except InputError:
        raise
    except (*UNREADABLE, KeyError, BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} is not a plain npz archive ({_reason(error)}); save it anew with numpy.savez."
        ) from error


def _is_text(archive, name):
    """Whether a member is an array of text; one that is unreadable is nobody's business until it is asked for."""
    try:
        array = archive[name]
    except (*UNREADABLE, KeyError, zlib.error):
        return False
    return isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "US"


def _decoded(name):
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def load_safetensors(path, layers=None):
    """Arrays of a .safetensors file (all, or those named), and the names of its rows: the metadata `objects`.

    bfloat16 becomes float32, which holds each of its values exactly.
    """
    refuse_placeholder(path)
    header, start = _header(path)
    halves = [
        name for name, entry in header.items() if isinstance(entry, dict) and entry.get("dtype") == "BF16"
    ]
    wanted = [name for name in header if name != "__metadata__"] if layers is None else layers
    plain, metadata = read_arrays(path, [name for name in wanted if name not in halves])
    if brains := [name for name in wanted if name in halves]:
        log.info("%s: bfloat16 becomes float32 in %s", path, listed(brains))
    arrays = {
        name: _bfloat16(path, header[name], start) if name in halves else plain[name] for name in wanted
    }
    names = metadata.get(NAMES_KEY, (header.get("__metadata__") or {}).get(NAMES_KEY))
    if isinstance(names, str):  # plain metadata of safetensors are text
        try:
            names = json.loads(names)
        except ValueError:
            names = names.splitlines() if "\n" in names else names.split(",")
    if not isinstance(names, list | None):
        raise InputError(f"{path} has metadata '{NAMES_KEY}' that is no list of names; correct it.")
    return arrays, names and [normalise(name) for name in names]


def _header(path):
    """The header of a safetensors file and where its data begin; nothing where it is damaged, which the reader says."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > Path(path).stat().st_size:
            return {}, 0
        try:
            header = json.loads(file.read(size))
        except (ValueError, RecursionError):
            header = None
    return (header, 8 + size) if isinstance(header, dict) else ({}, 0)


def _bfloat16(path, entry, start):
    """A bfloat16 tensor as float32: its bits are the upper half of a float32's."""
    first, last = entry["data_offsets"]
    bits = np.fromfile(path, dtype="<u2", count=(last - first) // 2, offset=start + first)
    return (bits.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])


def load_mat(path):
    """The only array of MATLAB's .mat file."""
    refuse_placeholder(path)
    from scipy.io import loadmat

    try:
        arrays = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    except Exception as error:  # scipy raises whatever its parser stumbles over
        raise InputError(
            f"{path} is not a readable MATLAB file ({error}); save it as version 5 or as npy."
        ) from error
    if len(arrays) != 1:
        raise InputError(
            f"{path} holds {listed(arrays) or 'nothing'}; repalign needs a file with one matrix."
        )
    return next(iter(arrays.values()))
