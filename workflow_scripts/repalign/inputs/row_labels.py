"""Which column of a table names its rows, and which merely numbers them."""

import logging
import unicodedata

import numpy as np

from repalign.errors import InputError

log = logging.getLogger(__name__)

NAME_COLUMNS = ("uniqueID", "unique_id", "object", "name", "Word", "word")
# What programs write above a column of row numbers.
NUMBER_COLUMNS = ("", "index", "unnamed: 0", "row", "id", "#", "no", "no.", "nr", "n")


def normalise(name):
    """One spelling per object: `music box` and `music_box` are the same, an accent is composed."""
    text = unicodedata.normalize("NFC", str(name)).replace("\N{NO-BREAK SPACE}", " ")
    return text.strip().replace(" ", "_")


def is_row_count(values):
    """Whether numbers count rows: n, n + 1, n + 2, ..."""
    return bool(len(values) > 1 and (np.diff(values) == 1).all() and float(values[0]).is_integer())


def find_names(path, header, rows, objects):
    """The names of the rows of a table, and the columns that are left.

    Parameters
    ----------
    path : for messages
    header : list of str or None
    rows : (n, d) array of cells, texts or numbers
    objects : sequence of str
        The names that rows may have.

    Returns
    -------
    list of str or None, and the indices of the columns that remain
    """
    known, columns = set(objects), np.arange(rows.shape[1])
    if header and (named := [header.index(name) for name in NAME_COLUMNS if name in header]):
        names = [normalise(cell) for cell in rows[:, named[0]]]
        first = int(named[0] > 0 and header[0].lower() in NUMBER_COLUMNS)
        if first:
            log.info("%s: its first column numbers the rows; it is left out", path)
        return names, columns[first:][columns[first:] != named[0]]
    if rows.size == 0:
        return None, columns
    values = _numbers(rows[:, 0])
    if values is None:
        names = [normalise(cell) for cell in rows[:, 0]]
        numbers = sum(_numbers(rows[i : i + 1, 0]) is not None for i in range(len(rows)))
        # A few words among numbers are mistakes, which the reader names, unless they are names of objects.
        return (
            (None, columns)
            if numbers > len(rows) / 2 and not known.issuperset(names)
            else (names, columns[1:])
        )
    if len(columns) == 1:
        return None, columns
    if names := _numeric_names(rows[:, 0], values, known):
        log.info("%s: its first column holds the names of the objects, which are numbers", path)
        return names, columns[1:]
    label = None if header is None else header[0]
    if _is_row_number(path, label, values):
        log.info("%s: its first column numbers the rows; it is left out", path)
        if rows.shape[1] > 1 and _numbers(rows[:, 1]) is None:
            return [normalise(cell) for cell in rows[:, 1]], columns[2:]
        return None, columns[1:]
    return None, columns


def _numbers(cells):
    """Cells as numbers; None where one of them is another text."""
    if cells.dtype != object:
        return cells
    try:
        return np.array([float(str(cell).replace(",", ".")) for cell in cells])
    except ValueError:
        return None


def _numeric_names(cells, values, known):
    """Names that are numbers, also where a program has written 7 as 7.0; None where they are not those of objects."""
    if not known:
        return None
    whole = [str(int(value)) for value in values] if np.isfinite(values).all() else []
    for names in ([normalise(cell) for cell in cells], whole):
        if names and known.issuperset(names):
            return names
    return None


def _is_row_number(path, label, values):
    """Whether the first column counts rows; refused where it may also be something else."""
    counting = is_row_count(values)
    if label is not None and label.lower() in NUMBER_COLUMNS:
        if label == "" and not counting:
            raise InputError(
                f"{path} has a first column without a heading that neither counts the rows nor names objects; delete "
                "it, or write the objects' names into it."
            )
        return counting
    if len(values) < 3 or not np.array_equal(np.sort(values), values.min() + np.arange(len(values))):
        return False
    if label is None and counting and len(values) > 3:
        return True
    what = "counts the rows" if counting else "holds row numbers in another order"
    raise InputError(
        f"{path} has a first column{f' {label!r}' if label else ''} that {what}, so it may be a row number or a "
        "feature; delete it, or write the objects' names into it."
    )
