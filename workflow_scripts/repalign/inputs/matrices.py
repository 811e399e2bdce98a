"""Dissimilarity matrices as people save them: whole, named, condensed, or one triangle."""

import logging
import math
from pathlib import Path

import numpy as np

from repalign.errors import InputError, listed
from repalign.inputs.array_files import load_mat, load_npy, load_npz, load_safetensors
from repalign.inputs.features import check_values
from repalign.inputs.objects import check_same_names, positions, read_order
from repalign.inputs.row_labels import normalise
from repalign.inputs.tables import read_numbers

log = logging.getLogger(__name__)

ENDINGS = (".npy", ".npz", ".safetensors", ".txt", ".csv", ".tsv", ".mat")


def read_dissimilarities(path, objects, order=None, coverage="all"):
    """A dissimilarity matrix in unique_id order.

    A vector of n (n - 1) / 2 values is taken as SciPy's `pdist`, MATLAB's `pdist` and R's `dist` write it: the upper
    triangle row by row. An empty triangle is filled from the other, an empty diagonal with 0.

    Parameters
    ----------
    path : file of one of `ENDINGS`
    objects : list of str, in unique_id order
    order : file naming the rows; None where the file names them
    coverage : 'all' or 'subset', see `repalign.inputs.objects.positions`

    Returns
    -------
    (m, m) float64 array and the list of its m objects
    """
    path = Path(path)
    declared = None if order is None else read_order(order)
    array, names = _read(path, objects, declared and len(declared))
    if names is not None and declared is not None:
        check_same_names(names, declared, path, order)
    names = declared or names
    if names is None:
        raise InputError(f"{path} does not name its rows; set the human sheet's column `order`.")
    matrix = _whole(_as_square(array, path, len(names)), names, path)
    rows, present = positions(names, objects, order or path, coverage)
    matrix = matrix[np.ix_(rows, rows)]
    check_values(matrix, present, path)
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    if len(pairs) > 1 and np.ptp(pairs) == 0:
        raise InputError(
            f"{path} has the same value for every pair of objects, so it says nothing; correct it."
        )
    if negative := int((pairs < 0).sum()):
        log.warning("%s: %d of %d dissimilarities are negative", path, negative, len(pairs))
    log.info("%s: %d objects, %d of the study's %d", path, len(names), len(present), len(objects))
    return matrix, present


def _read(path, objects, n_rows):
    """The array of a file, and the names of its rows where it has them."""
    ending = path.suffix.lower()
    if not path.is_file():
        raise InputError(f"The dissimilarities {path} do not exist; correct the path.")
    if ending not in ENDINGS:
        raise InputError(f"{path} is none of {', '.join(ENDINGS)}; convert it to one of them.")
    if ending == ".npy":
        return load_npy(path), None
    if ending == ".mat":
        return load_mat(path), None
    if ending in (".npz", ".safetensors"):
        arrays, names = load_npz(path) if ending == ".npz" else load_safetensors(path)
        if len(arrays) != 1:
            raise InputError(
                f"{path} holds {listed(arrays) or 'nothing'}; repalign needs a file with one matrix."
            )
        return next(iter(arrays.values())), names
    table = read_numbers(path, objects, n_rows)
    return table.numbers, _names(table, path, set(objects))


def _names(table, path, objects):
    """Names of rows, or of columns where they name objects; refused where the two differ."""
    columns = [normalise(name) for name in table.columns or ()]
    if not objects.issuperset(columns) or not columns:
        return table.names
    if table.names is None:
        if len(columns) == len(table.numbers):
            log.info("%s: the rows are named by the heading of the columns", path)
            return columns
        return None
    if columns != table.names:
        row = next(
            (i for i, pair in enumerate(zip(columns, table.names, strict=False)) if pair[0] != pair[1]), 0
        )
        raise InputError(
            f"{path} names its columns in another order than its rows ({columns[row]} and {table.names[row]} in place "
            f"{row + 1}); bring them into one order."
        )
    return table.names


def _as_square(array, path, n):
    """An (n, n) float64 matrix of a matrix or of its condensed form."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path} holds a {array.dtype} array of shape {array.shape}, not dissimilarities.")
    array = array.squeeze().astype(np.float64)
    if array.ndim == 1 and array.size != 1:
        if array.size != n * (n - 1) // 2:
            count = (1 + math.isqrt(1 + 8 * array.size)) // 2
            fits = (
                f"the pairs of {count} objects" if count * (count - 1) // 2 == array.size else "not all pairs"
            )
            raise InputError(
                f"{path} holds {array.size} values, {fits}, but its order names {n} objects, which have "
                f"{n * (n - 1) // 2} pairs; use the order of this very file."
            )
        log.info(
            "%s: %d values are the pairs of %d objects, (1, 2), (1, 3), ... as pdist has them",
            path,
            array.size,
            n,
        )
        matrix = np.zeros((n, n))
        matrix[np.triu_indices(n, 1)] = array
        return matrix + matrix.T
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        shape = " x ".join(map(str, array.shape)) or "one number"
        raise InputError(
            f"{path} is {shape}; a dissimilarity matrix is square (features have the kind embedding)."
        )
    if len(array) != n:
        raise InputError(
            f"{path} has {len(array)} rows but its order names {n}; use the order of this very file."
        )
    return array


def _whole(matrix, names, path):
    """A symmetric matrix with a zero diagonal: an empty triangle or diagonal is filled, anything else refused."""
    n = len(matrix)
    matrix, diagonal = matrix.copy(), np.diag(matrix)
    if (~np.isfinite(diagonal)).any():
        log.info("%s: %d of %d values on the diagonal are NaN or infinite; they become 0", path,
                 int((~np.isfinite(diagonal)).sum()), n)  # fmt: skip
        matrix[np.diag_indices(n)] = np.where(np.isfinite(diagonal), diagonal, 0)
    upper = np.triu_indices(n, 1)
    halves = {"upper": matrix[upper], "lower": matrix.T[upper]}
    empty = {name: not np.nan_to_num(half).any() for name, half in halves.items()}
    if n > 1 and sum(empty.values()) == 1:
        missing, other = sorted(empty, key=empty.get, reverse=True)
        log.info("%s: the %s triangle is empty; it is filled from the %s one", path, missing, other)
        halves[missing] = halves[other]
    one, two = halves["upper"], halves["lower"]
    scale = np.abs(np.nan_to_num(one)).max(initial=0)
    if not np.allclose(one, two, rtol=1e-5, atol=1e-6 * scale, equal_nan=True):
        raise InputError(f"{path} is not symmetric; average it with its transpose if that is what it means.")
    diagonal = np.diag(matrix)
    if n > 1 and np.abs(diagonal).max() > 1e-6 * scale:
        if diagonal.max() > np.nanmedian(matrix) and diagonal.min() >= np.nanmedian(one):
            raise InputError(
                f"{path} is larger on its diagonal than off it, so it holds similarities; turn it into dissimilarities."
            )
        i = int(np.abs(diagonal).argmax())
        raise InputError(
            f"{path} has {diagonal[i]:g} on its diagonal for {names[i]}, but an object is like itself; set "
            "the diagonal to 0 if the rest is dissimilarities."
        )
    whole = np.zeros((n, n))
    whole[upper] = (one + two) / 2
    return whole + whole.T
