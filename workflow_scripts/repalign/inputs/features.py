"""Read embeddings that were computed elsewhere: npy, npz, safetensors, txt, csv and tsv."""

import warnings
import zlib
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed
from repalign.inputs.formats import FORMATS
from repalign.inputs.objects import normalise, positions, read_foreign, read_order
from repalign.storage.artefacts import read_arrays

NAMES_KEY = "objects"
# What NumPy raises over a damaged file.
UNREADABLE = (ValueError, EOFError, OSError, MemoryError, SyntaxError, TokenError)


def read_precomputed(path, layers, objects, order=None):
    """Embeddings of a precomputed model, its rows in unique_id order.

    Parameters
    ----------
    path : file
        `.npz` and `.safetensors` hold one array per layer; the other formats hold one layer. Rows are named by
        `order`, by the first column of a `.csv` or `.tsv`, by an array `objects` in a `.npz`, or by the metadata
        `objects` of a `.safetensors`.
    layers : list of str
        The layers to read, by name; a format without names holds exactly one.
    objects : list of str
        The study's objects, in unique_id order.
    order : file, optional
        Names the rows (see `repalign.inputs.objects.read_order`).

    Returns
    -------
    dict of layer name to (n, d) float32 array.

    Raises
    ------
    InputError
        No names, names that do not fit, unknown layers, NaN, infinities or constant rows.
    """
    arrays, names = _read(Path(path), layers)
    if order is not None:
        names = read_order(order)
    if names is None:
        raise InputError(
            f"{path} does not name its rows and no order is declared; set the sheet's column `order` to a file "
            "with one object name a row, in the order of this file's rows."
        )
    rows, _ = positions(names, objects, order or path)
    embeddings = {}
    for layer in layers:
        array = as_matrix(arrays[layer], path, len(names))[rows]
        check_values(array, objects, f"{path}, layer {layer}" if len(layers) > 1 else path)
        embeddings[layer] = array.astype(np.float32)
    return embeddings


def as_matrix(array, source, n_rows):
    """A (1, n, d) array as (n, d), with the number of rows that the order names."""
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise InputError(
            f"{source} holds a {array.dtype} array of shape {array.shape}; repalign needs objects x features."
        )
    if array.shape[1] == 0:
        raise InputError(f"{source} has no features; repalign needs objects x features.")
    if len(array) != n_rows:
        raise InputError(
            f"{source} has {len(array)} rows but its order names {n_rows}; use the order of this very file."
        )
    return array


def check_values(array, names, source):
    """Refuse NaN, infinities and constant rows, by the name of the object."""
    # Features are kept as float32, in which 1e39 is infinite.
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32, copy=False))
    if not finite.all():
        bad = np.flatnonzero(~finite.all(axis=1))
        raise InputError(
            f"{source} holds NaN or infinity for {listed(names[i] for i in bad)}; recompute these rows."
        )
    constant = np.flatnonzero(array.max(axis=1) == array.min(axis=1))
    if constant.size:
        raise InputError(
            f"{source} is constant for {listed(names[i] for i in constant)}, so these objects have no direction; "
            "recompute these rows."
        )


def _read(path, layers):
    if not path.is_file():
        raise InputError(f"The features {path} do not exist; correct the path.")
    if path.suffix not in FORMATS:
        raise InputError(f"{path} is none of {', '.join(FORMATS)}; convert it to one of them.")
    if path.suffix == ".npz":
        return _read_npz(path, layers)
    if path.suffix == ".safetensors":
        arrays, metadata = read_arrays(path, layers)
        names = metadata.get(NAMES_KEY)
        if not isinstance(names, list | None):
            raise InputError(f"{path} has metadata '{NAMES_KEY}' that is no list of names; correct it.")
        return arrays, names and [normalise(name) for name in names]
    if len(layers) != 1:
        raise InputError(
            f"{path} holds one layer but the sheet asks for {listed(layers)}; name a single layer."
        )
    if path.suffix == ".npy":
        array, names = load_npy(path), None
    elif path.suffix == ".txt":
        array, names = load_txt(path), None
    else:
        array, names = _load_table(path)
    return {layers[0]: array}, names


def load_npy(path):
    try:
        return np.load(path, allow_pickle=False)
    except UNREADABLE as error:
        raise InputError(
            f"{path} is not a plain npy array ({_reason(error)}); save it anew with numpy.save."
        ) from error


def load_txt(path):
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
            return np.loadtxt(path, ndmin=2)
    except ValueError as error:
        reason = str(error).split("; use `usecols`")[0].rstrip(".")
        raise InputError(f"{path} is not a table of numbers ({reason}); correct that line.") from error


def _reason(error):
    """Why NumPy gave up; where it advises to trust the file, that it is pickled."""
    if "allow_pickle" in str(error):
        return "it holds pickled objects, which are never loaded"
    return str(error).partition(": <ast")[0]


def _read_npz(path, layers):
    try:
        with np.load(path, allow_pickle=False) as archive:
            if missing := [layer for layer in layers if layer not in archive]:
                raise InputError(
                    f"{path} has no layer {listed(missing)}; it holds {listed(archive.files, 20)}."
                )
            names = [normalise(name) for name in archive[NAMES_KEY]] if NAMES_KEY in archive else None
            return {layer: archive[layer] for layer in layers}, names
    except InputError:
        raise
    except (*UNREADABLE, KeyError, BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} is not a plain npz archive ({_reason(error)}); save it anew with numpy.savez."
        ) from error


def _load_table(path):
    """Numbers, with or without a header, with or without names in the first column."""
    table = read_foreign(path, header=None, dtype=str, keep_default_na=False)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    if len(table) > 1 and numbers.iloc[0, 1:].isna().all() and not numbers.iloc[1, 1:].isna().all():
        table, numbers = table.iloc[1:], numbers.iloc[1:]
    names = None
    if numbers.iloc[:, 0].isna().all():
        names, numbers, table = (
            [normalise(name) for name in table.iloc[:, 0]],
            numbers.iloc[:, 1:],
            table.iloc[:, 1:],
        )
    spelled = table.map(lambda cell: cell.strip().lower() in {"nan", "inf", "-inf", "+inf"})
    wrong = (numbers.isna() & ~spelled).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{path} has '{table.iloc[row, column]}' in data row {row + 1}, where a number belongs; correct it."
        )
    return numbers.to_numpy(dtype=np.float64), names


def random_features(identifier, layers, n_objects, seed):
    """Standard normal features of a control without any structure.

    Parameters
    ----------
    identifier : str, the number of features
    layers : list of str
    n_objects, seed : int

    Returns
    -------
    dict of layer name to (n_objects, number of features) float32 array
    """
    if not identifier.isdecimal() or int(identifier) < 2:
        raise InputError(
            f"A random control needs a number of features (2 or more) as identifier, not '{identifier}'."
        )
    rng = np.random.default_rng(seed)
    return {layer: rng.standard_normal((n_objects, int(identifier))).astype(np.float32) for layer in layers}
