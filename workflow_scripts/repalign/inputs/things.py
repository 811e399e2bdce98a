"""Loaders for the THINGS data: concepts, categories, human representations, triplets; all in unique_id order.

Source: Hebart et al. (2023), THINGS-data, eLife 12, e82580; Hebart et al. (2019), PLoS ONE 14, e0223792.
"""

import itertools
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed
from repalign.inputs.array_files import load_npy
from repalign.inputs.features import read_precomputed
from repalign.inputs.matrices import read_dissimilarities
from repalign.inputs.objects import check_same_names, positions, read_order
from repalign.inputs.row_labels import NUMBER_COLUMNS, find_names, is_row_count, normalise
from repalign.inputs.tables import read_frame, read_numbers

log = logging.getLogger(__name__)

OTHERS = "others"
SEPARATOR = ";"
MEMBER = {"1": 1, "1.0": 1, "true": 1, "0": 0, "0.0": 0, "false": 0}


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
    table = read_frame(path)
    if missing := [column for column in ("uniqueID", "Word") if column not in table]:
        raise InputError(
            f"{path} has no column {missing[0]}; use the THINGS concepts table as it is published."
        )
    rows, _ = positions([normalise(name) for name in table["uniqueID"]], objects, path)
    definition = next((column for column in table if column.startswith("Definition")), None)
    definitions = table[definition].iloc[rows].tolist() if definition else [""] * len(objects)
    return table["Word"].iloc[rows].tolist(), definitions


def _read_exclusive(path, objects):
    names, categories, members = _memberships(path, objects)
    if names is None:
        raise InputError(f"{path} does not name its rows; write the object's name into the first column.")
    rows, _ = positions(names, objects, path)
    onehot = members[rows]
    if (wrong := np.flatnonzero(onehot.sum(axis=1) != 1)).size:
        raise InputError(
            f"{path} gives {listed(objects[i] for i in wrong)} not exactly one category; use '{OTHERS}' for none."
        )
    return [categories[j] for j in onehot.argmax(axis=1)]


def _read_memberships(path, order, objects):
    names, categories, members = _memberships(path, objects)
    if order is None and names is None:
        raise InputError(
            f"{path} does not name its rows; declare their order in the config key things.memberships_order."
        )
    if order is not None:
        declared = read_order(order)
        if len(members) != len(declared):
            raise InputError(
                f"{path} has {len(members)} rows but {order} names {len(declared)}; use the order of this very file."
            )
        if names is not None:
            check_same_names(names, declared, path, order)
        names = declared
    rows, _ = positions(names, objects, order or path)
    return [SEPARATOR.join(itertools.compress(categories, row)) for row in members[rows]]


def _memberships(path, objects):
    """Names of the rows of a table of 0 and 1 (None where it has none), its categories, and the table as 0 and 1."""
    table = read_frame(path)
    cells = table.to_numpy()
    names, kept = find_names(path, list(table.columns), cells, objects)
    categories, cells = [table.columns[i] for i in kept], cells[:, kept]
    if odd := [name for name in categories if SEPARATOR in name]:
        raise InputError(
            f"{path} has a category '{odd[0]}'; a name must not hold '{SEPARATOR}', so rename it."
        )
    values = pd.DataFrame(cells).map(lambda cell: MEMBER.get(cell.lower(), -1)).to_numpy(dtype=np.int64)
    if (values < 0).any():
        raise InputError(f"{path} holds something other than 0 and 1; category tables are memberships.")
    return names, categories, values.reshape(cells.shape)


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
        An embedding (any format of `repalign.inputs.features`, `(1, n, d)` is squeezed) or dissimilarities (see
        `repalign.inputs.matrices.read_dissimilarities`).
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
    return read_dissimilarities(path, objects, order, coverage)


def require_pairs(present, path):
    """Refuse a human of fewer than three objects: a single pair correlates with nothing."""
    if len(present) < 3:
        raise InputError(
            f"{path} covers {len(present)} of the study's objects ({listed(present)}); a comparison needs at least 3."
        )


def read_triplets(path, objects, order=None):
    """Odd-one-out judgements: the pair people kept, then the odd one.

    Parameters
    ----------
    path : txt or npy of (m, 3) 0-based indices
    objects : the study's objects, in unique_id order
    order : file naming the object of each index; refused without, for THINGS exists in two orders

    Returns
    -------
    (m, 3) int32 array of indices into `objects`; rows that name an object which the order excludes are left out
    """
    if order is None:
        raise InputError(
            f"{path} does not say which objects its indices mean; declare things.triplets_order in the config."
        )
    indices, _ = _renumber(_integers(path, columns=3), path, objects, order)
    log.info("%s: %d triplets", path, len(indices))
    return indices.astype(np.int32)


def read_repeated_triplets(path, objects, order=None):
    """Repeated judgements for the noise ceiling, in unique_id order.

    Parameters
    ----------
    path : table without header: i, j, k (1-based), position of the odd one (1-3), subject, ...
    objects, order : as for `read_triplets`

    Returns
    -------
    (m, 4) int32 array: i, j, k as 0-based indices into `objects`, and the position of the odd one (1-3); rows that
    name an object which the order excludes are left out
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
    indices, kept = _renumber(raw[:, :3] - 1, path, objects, order)
    log.info("%s: %d repeated triplets", path, len(indices))
    return np.column_stack([indices, raw[kept, 3]]).astype(np.int32)


def _integers(path, columns):
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The triplets {path} do not exist; correct the path.")
    if path.suffix.lower() == ".npy":
        raw, heading = load_npy(path), None
    else:
        table = read_numbers(path, labelled=False)
        raw, heading = table.numbers, table.columns
    if raw.ndim != 2 or raw.shape[1] < columns:
        raise InputError(f"{path} has shape {raw.shape}; triplets need at least {columns} columns.")
    if raw.dtype.kind not in "fiu":
        raise InputError(f"{path} holds a {raw.dtype} array; triplets are object indices.")
    raw = _without_row_numbers(raw, heading, path, columns)
    if raw.shape[1] > columns:
        log.info("%s: of %d columns the first %d are read", path, raw.shape[1], columns)
    raw = raw[:, :columns]
    if heading is None and len(raw) and np.array_equal(raw[0], np.arange(columns)):
        log.info(
            "%s: the first row, %s, is taken for a row of data, not for a heading", path, raw[0].tolist()
        )
    if not np.isfinite(raw).all() or (raw != np.floor(raw)).any():
        raise InputError(f"{path} holds numbers that are not integers; triplets are object indices.")
    # What lies beyond int64 lies outside the objects as well.
    return np.clip(raw, -1, 2**53).astype(np.int64)


def _without_row_numbers(raw, heading, path, columns):
    """Triplets without the column of row numbers that a data frame's index leaves in front of them."""
    counting = is_row_count(raw[:, 0])
    named = heading is not None and heading[0].lower() not in NUMBER_COLUMNS
    if raw.shape[1] == columns or named or not counting or len(raw) < 4:
        return raw
    if heading is None and raw[-1, 0] <= raw[:, 1 : columns + 1].max():
        raise InputError(
            f"{path} has {raw.shape[1]} columns, of which the first counts the rows, so it may be a row number or an "
            f"object; keep the {columns} columns of the triplets alone."
        )
    log.info("%s: its first column numbers the rows; it is left out", path)
    return raw[:, 1:]


def _renumber(indices, path, objects, order):
    """Indices into the rows of an order as indices into `objects`, and which rows name no excluded object."""
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
    target = np.full(len(names), -1, dtype=np.int64)
    target[rows] = np.arange(len(rows))
    renumbered = target[indices]
    kept = (renumbered >= 0).all(axis=1)
    if not kept.any():
        raise InputError(
            f"{path} has no row without an object that {order} marks as excluded; correct the column exclude."
        )
    if dropped := int((~kept).sum()):
        log.warning(
            "%s: %d of %d rows are left out, since %s marks one of their objects as excluded",
            *(path, dropped, len(kept), order),
        )
    return renumbered[kept], kept
