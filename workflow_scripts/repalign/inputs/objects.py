"""Objects are matched by name, never by position."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed
from repalign.inputs.row_labels import NAME_COLUMNS, normalise
from repalign.inputs.tables import read_frame, read_text

log = logging.getLogger(__name__)

YES, NO = {"1", "1.0", "true", "yes", "x"}, {"", "0", "0.0", "false", "no", "nan"}


def read_order(path):
    """Read the names of the rows of a file, in order.

    A `.txt` file holds one name a line; a `.csv` or `.tsv` file has a column called uniqueID, object, name or Word,
    and may mark rows to leave out in a column `exclude` (1, true, yes or x).

    Returns
    -------
    tuple of str or None, one per row; None marks an excluded row.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The order file {path} does not exist; correct the path.")
    if path.suffix.lower() not in {".csv", ".tsv"}:
        names = [normalise(line) for line in read_text(path).split("\n")]
        while names and not names[-1]:
            names.pop()
        if "" in names:
            raise InputError(f"{path} has an empty line {names.index('') + 1}; give one object name a line.")
    else:
        table = read_frame(path)
        column = next((name for name in NAME_COLUMNS if name in table), None)
        if column is None:
            raise InputError(
                f"{path} names no objects: it needs a column called {' or '.join(NAME_COLUMNS[:4])}."
            )
        excluded = _excluded(table, path)
        names = [
            None if skip else normalise(name) for name, skip in zip(table[column], excluded, strict=True)
        ]
        if any(excluded):
            log.info("%s: %d of %d rows are marked as excluded", path, sum(excluded), len(names))
    if not any(names):
        raise InputError(f"{path} names no objects; give one object name a line.")
    _refuse_duplicates(names, path)
    return tuple(names)


def _excluded(table, path):
    """Which rows of an order are to be left out."""
    if "exclude" not in table:
        return [False] * len(table)
    cells = table["exclude"].str.lower()
    if (odd := table["exclude"][~cells.isin(YES | NO)]).size:
        raise InputError(f"{path} has '{odd.iloc[0]}' in the column exclude; write 1 or leave it empty.")
    return cells.isin(YES).tolist()


def _refuse_duplicates(names, source):
    kept = pd.Series([name for name in names if name is not None], dtype=object)
    if (repeated := kept[kept.duplicated()]).size:
        raise InputError(
            f"{source} names {listed(repeated.unique())} more than once; each object needs one row."
        )


def positions(names, objects, source, coverage="all"):
    """Where each object stands among the rows of a file.

    Parameters
    ----------
    names : sequence of str or None
        Names of the file's rows; None marks a row to leave out.
    objects : sequence of str
        The study's objects, in unique_id order.
    source : path, for messages
    coverage : 'all' or 'subset'
        Whether the file may leave objects out.

    Returns
    -------
    rows : (m,) int array, the file's row of each object that it has, in unique_id order
    present : list of str, those objects

    Raises
    ------
    InputError
        Names duplicated, unknown, or (unless `coverage='subset'`) missing.
    """
    _refuse_duplicates(names, source)
    row = {name: index for index, name in enumerate(names) if name is not None}
    known = set(objects)
    if unknown := [name for name in row if name not in known]:
        raise InputError(
            f"{source} names {listed(unknown)}, not among the {len(objects)} objects of this study; correct the "
            "names or mark the rows as excluded."
        )
    present = [name for name in objects if name in row]
    if coverage == "all" and len(present) < len(objects):
        missing = [name for name in objects if name not in row]
        raise InputError(f"{source} lacks {listed(missing)}; every object of this study needs a row.")
    return np.array([row[name] for name in present], dtype=np.int64), present


def check_same_names(names, order_names, path, order):
    """Refuse a file that names its rows otherwise than the order that is declared for it.

    Parameters
    ----------
    names : sequence of str, as the file has them
    order_names : sequence of str or None, as the order has them; None marks a row to leave out
    path, order : for messages
    """
    if len(names) != len(order_names):
        raise InputError(
            f"{path} names {len(names)} rows itself but its order {order} names {len(order_names)}; use the order of "
            "this very file, or none."
        )
    for row, (own, other) in enumerate(zip(names, order_names, strict=True), start=1):
        if other is not None and own != other:
            raise InputError(
                f"{path} names its row {row} '{own}' itself, but its order {order} says '{other}'; take the names out "
                "of the file, or the order out of the sheet."
            )


def file_order(names):
    """Names of THINGS objects in the order of their image files, `<name>_01b.jpg`: the order of the triplets.

    It differs from unique_id order where a name goes on with a digit or a hyphen (`camera1`, `ice-cream_cone`).
    """
    return tuple(sorted(names, key=lambda name: f"{name}_01b.jpg"))
