"""Loaders for the THINGS data: concepts, categories, human representations, triplets; all in unique_id order.

Source: Hebart et al. (2023), THINGS-data, eLife 12, e82580; Hebart et al. (2019), PLoS ONE 14, e0223792.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed
from repalign.inputs.features import as_matrix, check_values, load_npy, load_txt, read_precomputed
from repalign.inputs.objects import normalise, positions, read_foreign, read_order

OTHERS = "others"
SEPARATOR = ";"


def read_concepts(
    objects_path,
    exclusive_path,
    memberships_path=None,
    memberships_order=None,
    concepts_path=None,
    exclusive_order=(),
):
    """One row per object in unique_id order: its name, word, exclusive category and all its categories.

    Parameters
    ----------
    objects_path : text file, one object name a line, in unique_id order
    exclusive_path : csv, one-hot categories with the object's name in the first column (`others` for none); or None, to
        count an object of several categories to the last of them in `exclusive_order`
    memberships_path : tsv of 0/1 without names, a column per category; optional
    memberships_order : file naming the rows of `memberships_path`
    concepts_path : the THINGS concepts table; optional, gives `word` and `definition`
    exclusive_order : sequence of str, every category of the memberships; where `exclusive_path` is None

    Returns
    -------
    data frame with the columns object, word, definition, category and categories (joined by ';', empty for none)
    """
    objects = list(read_order(objects_path))
    frame = pd.DataFrame({"object": objects})
    frame["word"], frame["definition"] = _read_words(concepts_path, objects)
    if memberships_path is None and exclusive_path is None:
        raise InputError("The config names no categories; set things.categories or things.memberships.")
    if memberships_path is not None:
        frame["categories"] = _read_memberships(memberships_path, memberships_order, objects)
    if exclusive_path is not None:
        frame["category"] = _read_exclusive(exclusive_path, objects)
    else:
        frame["category"] = [_last(cell, exclusive_order) for cell in frame["categories"]]
    if memberships_path is None:
        frame["categories"] = frame["category"].where(frame["category"] != OTHERS, "")
    return frame[["object", "word", "definition", "category", "categories"]]


def _last(cell, order):
    """The last in `order` of an object's categories, `others` where it has none."""
    own = [name for name in cell.split(SEPARATOR) if name]
    if missing := [name for name in own if name not in order]:
        raise InputError(
            f"things.categories is null, and exclusive_order lacks {listed(missing)}; name every category there."
        )
    return max(own, key=list(order).index, default=OTHERS)


def _read_words(path, objects):
    if path is None:
        return [name.replace("_", " ") for name in objects], [""] * len(objects)
    table = read_foreign(path, dtype=str, keep_default_na=False)
    if missing := [column for column in ("uniqueID", "Word") if column not in table]:
        raise InputError(
            f"{path} has no column {missing[0]}; use the THINGS concepts table as it is published."
        )
    rows, _ = positions([normalise(name) for name in table["uniqueID"]], objects, path)
    definition = next((column for column in table if column.startswith("Definition")), None)
    definitions = table[definition].iloc[rows].tolist() if definition else [""] * len(objects)
    return table["Word"].iloc[rows].tolist(), definitions


def _read_exclusive(path, objects):
    table = read_foreign(path, index_col=0)
    rows, _ = positions([normalise(name) for name in table.index], objects, path)
    onehot = _zero_one(table, path)[rows]
    if (wrong := np.flatnonzero(onehot.sum(axis=1) != 1)).size:
        raise InputError(
            f"{path} gives {listed(objects[i] for i in wrong)} not exactly one category; use '{OTHERS}' for none."
        )
    return [table.columns[j] for j in onehot.argmax(axis=1)]


def _read_memberships(path, order, objects):
    if order is None:
        raise InputError(
            f"{path} does not name its rows; declare their order in the config key things.memberships_order."
        )
    table = read_foreign(path)
    names = read_order(order)
    if len(table) != len(names):
        raise InputError(
            f"{path} has {len(table)} rows but {order} names {len(names)}; use the order of this very file."
        )
    rows, _ = positions(names, objects, order)
    members = _zero_one(table, path)[rows].astype(bool)
    return [SEPARATOR.join(table.columns[row]) for row in members]


def _zero_one(table, path):
    if odd := [name for name in table.columns if SEPARATOR in str(name)]:
        raise InputError(
            f"{path} has a category '{odd[0]}'; a name must not hold '{SEPARATOR}', so rename it."
        )
    values = table.to_numpy()
    if not np.isin(values, (0, 1)).all():
        raise InputError(f"{path} holds something other than 0 and 1; category tables are memberships.")
    return values.astype(np.int64)


def membership_matrix(concepts, column="categories"):
    """Objects x categories as booleans, and the category names.

    `column='category'` gives the exclusive table (with `others`), `'categories'` all memberships.
    """
    sets = [set(filter(None, str(cell).split(SEPARATOR))) for cell in concepts[column].fillna("")]
    names = sorted(set().union(*sets))
    return np.array([[name in own for name in names] for own in sets], dtype=bool), names


def read_human(path, kind, objects, order=None, coverage="all"):
    """A human representation in unique_id order.

    Parameters
    ----------
    path : file
        An embedding (any format of `repalign.inputs.features`, `(1, n, d)` is squeezed) or a symmetric dissimilarity
        matrix (npy, txt or MATLAB's .mat with a single array).
    kind : 'embedding' or 'dissimilarity'
    objects, order, coverage : see `repalign.inputs.objects.positions`

    Returns
    -------
    (m, d) or (m, m) float64 array and the list of its m objects
    """
    if kind == "embedding":
        if coverage != "all":
            raise InputError(
                f"{path} is an embedding, which must cover all objects; only dissimilarities may be a subset."
            )
        embedding = read_precomputed(path, ["embedding"], objects, order)["embedding"]
        return embedding.astype(np.float64), list(objects)
    if order is None:
        raise InputError(f"{path} does not name its rows; set the human sheet's column `order`.")
    names = read_order(order)
    matrix = as_matrix(_load_matrix(Path(path)), path, len(names)).astype(np.float64)
    rows, present = positions(names, objects, order, coverage)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(
            f"{path} is {matrix.shape[0]} x {matrix.shape[1]}; a dissimilarity matrix is square."
        )
    matrix = matrix[np.ix_(rows, rows)]
    check_values(matrix, present, path)
    if not np.allclose(matrix, matrix.T, atol=1e-6 * np.abs(matrix).max()):
        raise InputError(f"{path} is not symmetric; average it with its transpose if that is what it means.")
    if np.diag(matrix).max() > np.median(matrix):
        raise InputError(
            f"{path} is larger on its diagonal than off it, so it holds similarities; turn it into dissimilarities."
        )
    return (matrix + matrix.T) / 2, present


def _load_matrix(path):
    if not path.is_file():
        raise InputError(f"The dissimilarities {path} do not exist; correct the path.")
    if path.suffix == ".npy":
        return load_npy(path)
    if path.suffix == ".txt":
        return load_txt(path)
    if path.suffix != ".mat":
        raise InputError(f"{path} is none of .npy, .txt, .mat; convert it to one of them.")
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


def read_triplets(path, objects, order=None):
    """Odd-one-out judgements: the pair people kept, then the odd one.

    Parameters
    ----------
    path : txt or npy of (m, 3) 0-based indices
    objects : the study's objects, in unique_id order
    order : file naming the object of each index; refused without, for THINGS exists in two orders

    Returns
    -------
    (m, 3) int32 array of indices into `objects`
    """
    if order is None:
        raise InputError(
            f"{path} does not say which objects its indices mean; declare things.triplets_order in the config."
        )
    raw = _integers(path, columns=3)
    return _renumber(raw[:, :3], path, objects, order).astype(np.int32)


def read_repeated_triplets(path, objects, order=None):
    """Repeated judgements for the noise ceiling, in unique_id order.

    Parameters
    ----------
    path : table without header: i, j, k (1-based), position of the odd one (1-3), subject, ...
    objects, order : as for `read_triplets`

    Returns
    -------
    (m, 4) int32 array: i, j, k as 0-based indices into `objects`, and the position of the odd one (1-3)
    """
    if order is None:
        raise InputError(
            f"{path} does not say which objects its indices mean; declare things.triplets_order in the config."
        )
    raw = _integers(path, columns=4)
    if (wrong := np.flatnonzero(~np.isin(raw[:, 3], (1, 2, 3)))).size:
        raise InputError(
            f"{path}, row {wrong[0] + 1}: the position of the odd one is {raw[wrong[0], 3]}, not 1, 2 or 3."
        )
    indices = _renumber(raw[:, :3] - 1, path, objects, order)
    return np.column_stack([indices, raw[:, 3]]).astype(np.int32)


def _integers(path, columns):
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The triplets {path} do not exist; correct the path.")
    raw = load_npy(path) if path.suffix == ".npy" else load_txt(path)
    if raw.ndim != 2 or raw.shape[1] < columns:
        raise InputError(f"{path} has shape {raw.shape}; triplets need at least {columns} columns.")
    raw = raw[:, : max(columns, 3)]
    if not np.isfinite(raw).all() or (raw != np.floor(raw)).any():
        raise InputError(f"{path} holds numbers that are not integers; triplets are object indices.")
    # What lies beyond int64 lies outside the objects as well.
    return np.clip(raw, -1, 2**53).astype(np.int64)


def _renumber(indices, path, objects, order):
    names = read_order(order)
    if (outside := np.flatnonzero((indices < 0).any(axis=1) | (indices >= len(names)).any(axis=1))).size:
        raise InputError(
            f"{path}, row {outside[0] + 1}: an index lies outside the {len(names)} objects of {order}."
        )
    a, b, c = indices.T
    if (same := np.flatnonzero((a == b) | (a == c) | (b == c))).size:
        raise InputError(
            f"{path}, row {same[0] + 1} names an object twice; a triplet has three different objects."
        )
    rows, _ = positions(names, objects, order)
    target = np.empty(len(names), dtype=np.int64)
    target[rows] = np.arange(len(rows))
    return target[indices]
