"""Objects are matched by name, never by position."""

from pathlib import Path

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed

NAME_COLUMNS = ("uniqueID", "unique_id", "object", "name", "Word", "word")


def normalise(name):
    """One spelling per object: `music box` and `music_box` are the same."""
    return str(name).strip().replace(" ", "_")


def read_order(path):
    """Read the names of the rows of a file, in order.

    A `.txt` file holds one name a line; a `.csv` or `.tsv` file has a column called uniqueID, object, name or Word,
    and may mark rows to leave out in a column `exclude`.

    Returns
    -------
    tuple of str or None, one per row; None marks an excluded row.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The order file {path} does not exist; correct the path.")
    if path.suffix not in {".csv", ".tsv"}:
        lines = read_utf8(path).replace("\r\n", "\n").split("\n")
        names = [normalise(line) for line in lines]
        while names and not names[-1]:
            names.pop()
        if "" in names:
            raise InputError(f"{path} has an empty line {names.index('') + 1}; give one object name a line.")
    else:
        table = read_foreign(path, dtype=str, keep_default_na=False)
        column = next((name for name in NAME_COLUMNS if name in table), None)
        if column is None:
            raise InputError(
                f"{path} names no objects: it needs a column called {' or '.join(NAME_COLUMNS[:4])}."
            )
        excluded = table["exclude"].isin(["1", "1.0", "true"]) if "exclude" in table else [False] * len(table)
        names = [
            None if skip else normalise(name) for name, skip in zip(table[column], excluded, strict=True)
        ]
    if not any(names):
        raise InputError(f"{path} names no objects; give one object name a line.")
    _refuse_duplicates(names, path)
    return tuple(names)


def read_utf8(path):
    """The text of a file, without a byte-order mark."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; save it in UTF-8.") from error


def read_foreign(path, **options):
    """A table that others wrote (tabs in `.tsv`, commas elsewhere), by pandas with these options."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The table {path} does not exist; correct the path.")
    try:
        return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", encoding="utf-8-sig", **options)
    except (ValueError, IndexError) as error:
        known = {pd.errors.EmptyDataError: "it is empty", UnicodeDecodeError: "it is not UTF-8 text"}
        reason = known.get(type(error), " ".join(str(error).split()))
        raise InputError(f"{path} is not a readable table ({reason}); correct it.") from error


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


def file_order(names):
    """Names of THINGS objects in the order of their image files, `<name>_01b.jpg`: the order of the triplets.

    It differs from unique_id order where a name goes on with a digit or a hyphen (`camera1`, `ice-cream_cone`).
    """
    return tuple(sorted(names, key=lambda name: f"{name}_01b.jpg"))
