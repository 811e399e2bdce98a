"""One reader for every table that others wrote: encoding, separator, decimal mark, header and row labels are found.

What was found out, converted or left out is logged; where two readings are possible the table is refused.
"""

import codecs
import csv
import io
import logging
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from repalign.errors import InputError, listed
from repalign.inputs.placeholders import refuse_placeholder
from repalign.inputs.row_labels import find_names

log = logging.getLogger(__name__)

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", None: "spaces"}
USUAL = {".csv": ",", ".tsv": "\t", ".txt": None}
SAMPLE = 50  # lines from which the separator is guessed
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)|", re.IGNORECASE)


@dataclass(frozen=True)
class NumberTable:
    """Numbers of a table, (n, d) float64; the names of its rows and columns, where the table has them."""

    numbers: np.ndarray
    names: list[str] | None
    columns: list[str] | None


def read_text(path):
    """The text of a file in UTF-8, or in UTF-16 with its mark: without that mark, accents composed, lines end in LF."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The file {path} does not exist; correct the path.")
    refuse_placeholder(path)
    raw = path.read_bytes()
    encoding = "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or "\ufeff" in text:
        raise InputError(f"{path} is not UTF-8 text; save it in UTF-8.")
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")


def read_frame(path):
    """A table with a header, every cell a string without surrounding spaces."""
    rows, _ = _cells(path)
    header, rows = rows[0], rows[1:]
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise InputError(f"{path} has the column '{twice[0]}' twice; rename one of them.")
    log.info("%s: %d rows with the columns %s", path, len(rows), listed(header, 8))
    return pd.DataFrame(rows, columns=header, dtype=object)


def read_numbers(path, objects=(), n_rows=None, labelled=True):
    """A table of numbers, with or without a header, with or without names of its rows.

    Parameters
    ----------
    path : csv, tsv or txt
    objects : sequence of str
        Names that rows may have; they tell names that are numbers from features.
    n_rows : int, optional
        How many rows there should be; tells a header of numbers from data.
    labelled : bool
        Whether the first column may name or number the rows.

    Returns
    -------
    NumberTable

    Raises
    ------
    InputError
        No table, a cell that is not a number, or a first column that may be a row number or a feature.
    """
    numbers = None if any(name.isdecimal() for name in objects) else _plain_numbers(path)
    if numbers is not None:
        if len(numbers) - 1 == n_rows and _counts(numbers[0]):
            log.info("%s: the first line numbers the columns; it is left out", path)
            numbers = numbers[1:]
        names, kept = find_names(path, None, numbers, objects) if labelled else _unlabelled(numbers)
        log.info("%s: %d rows of %d numbers", path, len(numbers), len(kept))
        return NumberTable(numbers[:, kept], names, None)
    rows, separator = _cells(path)
    header = rows[0] if _is_header(rows, objects, n_rows) else None
    rows = np.array(rows[1:] if header else rows, dtype=object).reshape(-1, len(rows[0]))
    if not len(rows):
        raise InputError(f"{path} has a line of column names and nothing below it; save it anew.")
    if header:
        log.info("%s: the first line names the columns", path)
    names, kept = find_names(path, header, rows, objects) if labelled else _unlabelled(rows)
    numbers = _as_numbers(path, rows[:, kept], separator)
    log.info("%s: %d rows of %d numbers%s", path, *numbers.shape, ", with names" if names else "")
    return NumberTable(numbers, names, header and [header[column] for column in kept])


def _unlabelled(rows):
    return None, np.arange(rows.shape[1])


def _plain_numbers(path):
    """The numbers of a table that holds nothing else, which may have millions of rows; None for other tables."""
    lines = _lines(path)
    if not lines or "_" in lines[0]:
        return None
    separator, even = _separator(lines[:SAMPLE], Path(path).suffix.lower())
    if not even or any("," in cell for row in _split(lines[:SAMPLE], separator) for cell in row):
        return None
    try:
        found = np.loadtxt(lines, delimiter=separator, ndmin=2, comments=None)
    except ValueError:
        return None
    _say_separator(path, separator)
    return found


def _lines(path):
    """Lines that are neither blank nor comments: from `#` on in a .txt, elsewhere lines that begin with `# `."""
    lines = read_text(path).split("\n")
    if Path(path).suffix.lower() == ".txt":
        lines = [line.partition("#")[0] for line in lines]
    return [line for line in lines if line.strip() and not line.startswith("# ")]


def _cells(path):
    """Rows of stripped cells, all of one length, and the separator."""
    lines = _lines(path)
    if not lines:
        raise InputError(f"{path} is empty; save it anew.")
    if declared := re.fullmatch(r"sep=(.)", lines[0].strip()):  # as Excel writes and reads it
        separator, lines = declared[1], lines[1:]
    else:
        separator, _ = _separator(lines[:SAMPLE], Path(path).suffix.lower())
    try:
        rows = _split(lines, separator)
    except csv.Error as error:
        raise InputError(f"{path} is not a readable table ({error}); correct it.") from error
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if len(rows) > 1 and len(rows[0]) == width - 1:  # as R writes row names, which have no heading
        rows[0] = ["", *rows[0]]
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise InputError(
                f"{path} has {len(row)} instead of {width} cells in row {number}; correct that row."
            )
    if width > 1 and not any(row[-1] for row in rows):
        log.info("%s: every line ends with a separator; the empty last column is left out", path)
        rows = [row[:-1] for row in rows]
    _say_separator(path, separator)
    return rows, separator


def _say_separator(path, separator):
    if separator != USUAL.get(Path(path).suffix.lower()):
        log.info("%s: cells are separated by %s", path, SEPARATORS.get(separator, f"'{separator}'"))


def _split(lines, separator):
    if separator is None:
        return [line.split() for line in lines]
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, strict=True)
    return [[cell.strip() for cell in row] for row in reader if row]


def _separator(lines, ending):
    """The separator of a table: one that gives lines of equal length, best of numbers; and whether it does."""
    even = []
    for separator in SEPARATORS:
        try:
            rows = _split(lines, separator)
        except csv.Error:
            continue
        width = len(rows[-1])
        if width == 1 or any(len(row) != width for row in rows[1:]) or width - len(rows[0]) not in (0, 1):
            continue
        body = [cell for row in rows[1:] for cell in row[1:]] or rows[0][1:]
        if all(NUMBER.fullmatch(cell) for cell in body):
            return separator, True
        if width == len(rows[0]):
            even.append(separator)
    if None in even and ending != ".txt":
        even.remove(None)
    if even:
        return even[0], True
    usual = USUAL.get(ending, ",")
    present = [separator for separator in ("\t", ";", ",") if separator in lines[0]]
    return (usual if usual in present or not present else present[0]), False


def _is_header(rows, objects, n_rows):
    """Whether the first row names the columns."""
    first, rest = rows[0], rows[1:]
    if not rest:
        return first[0] == "" or not any(NUMBER.fullmatch(cell) for cell in first)
    if len(first) == 1:
        return not NUMBER.fullmatch(first[0]) and bool(NUMBER.fullmatch(rest[0][0]))
    if first[0] == "" and rest[0][0] != "":
        return True
    cells = first[1:]
    if not any(cell and NUMBER.fullmatch(cell) for cell in cells):
        # Words above words are a table of words.
        return any(NUMBER.fullmatch(cell) for cell in rest[0][1:]) or first[0] not in objects
    if not all(cell.isdecimal() for cell in cells) or first[0] in objects:
        return False
    if not first[0].isdecimal():
        return _counts(np.array(cells, dtype=float)) and not NUMBER.fullmatch(first[0])
    return len(rest) == n_rows and _counts(np.array(first, dtype=float))


def _counts(values):
    """Whether numbers count 0, 1, 2, ... or 1, 2, 3, ..."""
    return values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values)))


def _as_numbers(path, cells, separator):
    """Cells as float64; an empty cell is NaN; a comma is a decimal mark where it separates nothing."""
    commas = points = None
    for row, column in np.ndindex(cells.shape):
        cell = cells[row, column]
        if not NUMBER.fullmatch(cell) or (separator == "," and "," in cell):
            raise InputError(
                f"{path} has '{cell}' in data row {row + 1}, where a number belongs; correct it."
            )
        if "," in cell:
            commas = commas or cell
        elif "." in cell:
            points = points or cell
    if commas and points:
        raise InputError(f"{path} has both '{commas}' and '{points}'; use one decimal mark in all of it.")
    if commas:
        log.info("%s: decimal commas, as in '%s'", path, commas)
    flat = [cell.replace(",", ".") or "nan" for cell in cells.ravel()]
    return np.array(flat, dtype=np.float64).reshape(cells.shape)
