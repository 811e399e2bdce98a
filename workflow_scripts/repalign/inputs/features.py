"""Read embeddings that were computed elsewhere: npy, npz, safetensors, txt, csv and tsv."""

import logging
from pathlib import Path

import numpy as np

from repalign.errors import InputError, listed
from repalign.inputs.array_files import load_npy, load_npz, load_safetensors
from repalign.inputs.formats import FORMATS
from repalign.inputs.objects import check_same_names, positions, read_order
from repalign.inputs.row_labels import is_row_count
from repalign.inputs.tables import read_numbers

log = logging.getLogger(__name__)


def read_precomputed(path, layers, objects, order=None):
    """Embeddings of a precomputed model, its rows in unique_id order.

    Parameters
    ----------
    path : file
        `.npz` and `.safetensors` hold one array per layer; the other formats hold one layer. Rows are named by
        `order`, by the first column of a table, by an array `objects` in a `.npz`, or by the metadata `objects` of a
        `.safetensors`.
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
        No names, names that do not fit or contradict the order, unknown layers, a matrix of dissimilarities, NaN,
        infinities or constant rows.
    """
    path = Path(path)
    declared = None if order is None else read_order(order)
    arrays, names = _read(path, layers, objects, declared and len(declared))
    if names is not None and declared is not None:
        check_same_names(names, declared, path, order)
    names = declared or names
    if names is None:
        raise InputError(
            f"{path} does not name its rows and no order is declared; set the sheet's column `order` to a file "
            "with one object name a row, in the order of this file's rows."
        )
    rows, _ = positions(names, objects, order or path)
    if len(rows) < len(names):
        log.info("%s: %d of %d rows are kept, in the order of the study", path, len(rows), len(names))
    embeddings = {}
    for layer in layers:
        source = f"{path}, layer {layer}" if len(layers) > 1 else path
        array = as_matrix(arrays[layer], source, len(names))
        refuse_comparisons(array, source)
        refuse_row_numbers(array, source)
        array = array[rows]
        check_values(array, objects, source)
        if array.dtype != np.float32:
            log.info("%s: %s becomes float32", source, array.dtype)
        embeddings[layer] = array.astype(np.float32)
    return embeddings


def as_matrix(array, source, n_rows):
    """A (1, n, d) array as (n, d), with the number of rows that the order names."""
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.dtype.names:
        raise InputError(
            f"{source} holds records with the fields {listed(array.dtype.names)}, not a matrix; save it anew with "
            "DataFrame.to_numpy()."
        )
    if array.dtype.kind == "V":
        raise InputError(
            f"{source} holds values of the type {array.dtype}, which NumPy does not know; save it as float32."
        )
    if array.squeeze().shape == (n_rows * (n_rows - 1) // 2,) and n_rows > 3:
        raise InputError(
            f"{source} holds as many values as {n_rows} objects have pairs, so it is a condensed matrix, not features; "
            "give the features, or list a human matrix with kind dissimilarity."
        )
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise InputError(
            f"{source} holds a {array.dtype} array of shape {array.shape}; repalign needs objects x features."
        )
    if array.shape[1] == 0:
        raise InputError(f"{source} has no features; repalign needs objects x features.")
    if len(array) != n_rows:
        turned = array.shape[1] == n_rows
        raise InputError(
            f"{source} has {len(array)} rows{f' and {n_rows} columns' if turned else ''} but its order names {n_rows}; "
            f"{'transpose it' if turned else 'use the order of this very file'}."
        )
    return array


def refuse_comparisons(array, source):
    """Refuse a matrix that compares objects with objects: it is symmetric, or one of its triangles is empty."""
    n, d = array.shape
    if n != d or n < 3:
        return
    matrix = array.astype(np.float64)
    lower, upper = np.tril(matrix, -1).T, np.triu(matrix, 1)
    empty = [not np.nan_to_num(half).any() for half in (lower, upper)]
    scale = np.abs(np.nan_to_num(upper)).max()
    if all(empty) or not (any(empty) or np.allclose(lower, upper, rtol=0, atol=1e-6 * scale, equal_nan=True)):
        return
    diagonal = np.nan_to_num(np.diag(matrix))
    if any(empty) and diagonal.any():  # a triangular factor of a matrix may be features
        return
    shape = "has one triangle only" if any(empty) else "is symmetric"
    kind = "similarities" if diagonal.any() else "dissimilarities"
    raise InputError(
        f"{source} is a {n} x {n} matrix that {shape}, so it holds {kind} of objects, not features; give the features, "
        "or list a human matrix with kind dissimilarity."
    )


def refuse_row_numbers(array, source):
    """Refuse an array whose first column counts its rows, as a data frame's index does."""
    if len(array) > 3 and array.shape[1] > 1 and is_row_count(array[:, 0].astype(np.float64)):
        raise InputError(
            f"{source} has a first feature that counts the rows, from {array[0, 0]:g} to {array[-1, 0]:g}: a row "
            "number; delete it."
        )


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


def _read(path, layers, objects, n_rows):
    """Arrays by layer, and the names of their rows where the file has them."""
    ending = path.suffix.lower()
    if not path.is_file():
        raise InputError(f"The features {path} do not exist; correct the path.")
    if ending not in FORMATS:
        raise InputError(f"{path} is none of {', '.join(FORMATS)}; convert it to one of them.")
    if ending == ".npz":
        return load_npz(path, layers)
    if ending == ".safetensors":
        return load_safetensors(path, layers)
    if len(layers) != 1:
        raise InputError(
            f"{path} holds one layer but the sheet asks for {listed(layers)}; name a single layer."
        )
    if ending == ".npy":
        return {layers[0]: load_npy(path)}, None
    table = read_numbers(path, objects, n_rows)
    return {layers[0]: table.numbers}, table.names


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
