"""Read and check the model sheet and the human sheet."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from repalign.errors import InputError, listed
from repalign.inputs.formats import FORMATS
from repalign.inputs.preprocessing import declared
from repalign.study.validation import check, nearest

ALIASES = ("first", "middle", "last")
LAYER = re.compile(r"[A-Za-z0-9_.-]*")
MOST_LAYERS = 1000
# A user name or password in an address.
SECRET = re.compile(r"://[^/\s]*@")
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")

Row = dict[str, Any]
Schema = Mapping[str, Any]


def read_sheet(path: str | Path, schema: Schema, key: str) -> dict[str, Row]:
    """Read a TSV sheet with strings in its cells, and check each row against a schema.

    Returns
    -------
    dict of row name (column `key`) to a dict of the fields that are not empty, in the order of the sheet
    """
    header, records = _read_cells(Path(path), key)
    known = list(schema["properties"])
    if unknown := [column for column in header if column not in known]:
        raise InputError(f"{path}: unknown column '{unknown[0]}'; {nearest(unknown[0], known)}.")
    if twice := [column for column in header if header.count(column) > 1]:
        raise InputError(f"{path}: the column '{twice[0]}' appears twice; delete one.")
    if missing := [column for column in schema["required"] if column not in header]:
        raise InputError(f"{path}: the column '{missing[0]}' is missing.")
    if not records:
        raise InputError(f"{path} has no rows; add one per {key}.")
    rows: dict[str, Row] = {}
    for number, cells in records:
        row = {field: cell for field, cell in zip(header, cells, strict=False) if cell}
        source = f"{path}, line {number}" + (f" ({row[key]})" if key in row else "")
        if len(cells) > len(header):
            raise InputError(
                f"{source} has {len(cells)} cells, but there are {len(header)} columns; remove the extra tabs."
            )
        if secret := [field for field, cell in row.items() if SECRET.search(cell)]:
            raise InputError(
                f"{source}, {secret[0]}: this address contains a user name or password, which would appear in logs; "
                "write them into ~/.netrc instead."
            )
        check(row, schema, source)
        if row[key] in rows:
            raise InputError(f"{source}: the {key} '{row[key]}' appears twice; give every row its own name.")
        rows[row[key]] = row
    return rows


def _read_cells(path, key):
    """The column names, and (line number, cells) of every row; a line that begins with # is a comment."""
    if not path.is_file():
        raise InputError(f"The sheet {path} does not exist; correct the path in the config.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; save it as a table with tabs in UTF-8.") from error
    if odd := [char for char in text if char < " " and char not in "\t\n"]:
        raise InputError(
            f"{path} holds the control character {odd[0]!r}; save it as a table with tabs in UTF-8."
        )
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1)]
    lines = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputError(f"{path} is empty; write the column names and one row per {key}.")
    # Quotation marks have no special meaning: cells contain neither tabs nor line breaks.
    cells = [(number, [cell.strip() for cell in line.split("\t")]) for number, line in lines]
    header = cells[0][1]
    if len(header) == 1 and "," in header[0]:
        raise InputError(f"{path} is separated by commas; save it with tabs.")
    return header, cells[1:]


def expand_layers(text: str, source: str = "The layers") -> list[str]:
    """`a,b.{0..2}` as ['a', 'b.0', 'b.1', 'b.2']; error messages begin with `source`."""
    layers = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        match = RANGE.search(name)
        rest = RANGE.sub("", name, count=1)
        # Layer names become file names: no spaces, braces or paths out of the folder.
        if not LAYER.fullmatch(rest if match else name) or not name.strip("."):
            raise InputError(
                f"{source}: '{name}' is not a layer name; write it as the library does, with at most one range "
                "such as blocks.{0..11}."
            )
        if match is None:
            layers.append(name)
            continue
        low, high = int(match[1][:9]), int(match[2][:9])
        if high < low or high - low >= MOST_LAYERS:
            raise InputError(
                f"{source}: the range {match[0]} runs backwards or covers more than {MOST_LAYERS} layers; write the "
                "first and the last number, such as {0..11}."
            )
        layers += [name[: match.start()] + str(i) + name[match.end() :] for i in range(low, high + 1)]
    if not layers:
        raise InputError(f"{source}: no layer is named; name one, or several separated by commas.")
    return layers


def resolve_layer(alias: str, layers: Sequence[str]) -> str | None:
    """The layer of a name or of the alias first, middle or last; None if there is no such layer."""
    if alias in ALIASES:
        return {"first": layers[0], "middle": layers[len(layers) // 2], "last": layers[-1]}[alias]
    return alias if alias in layers else None


def read_models(
    paths: str | Path | Sequence[str | Path], schema: Schema, directories: Mapping[str, str]
) -> dict[str, Row]:
    """Read the model sheets: rows by model, with `layers` expanded, `readout` resolved and placeholders filled in.

    Parameters
    ----------
    paths : TSV file, or a list of them
    schema : JSON schema of a row
    directories : dict of placeholders allowed in paths, such as `{'things_dir': ...}`

    Returns
    -------
    dict of model to its row; the field `sheet` is the sheet that the row comes from
    """
    models: dict[str, Row] = {}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        rows = _read_models(path, schema, directories)
        if both := [name for name in rows if name in models]:
            raise InputError(
                f"{path}: the model '{both[0]}' is also in {models[both[0]]['sheet']}; rename one of them."
            )
        models |= rows
    return models


def _read_models(path, schema, directories):
    models = read_sheet(path, schema, "model")
    for name, row in models.items():
        row["sheet"] = str(path)
        source = f"{path}, model {name}"
        row["layers"] = expand_layers(row["layers"], f"{source}, field layers")
        if len(set(row["layers"])) < len(row["layers"]):
            raise InputError(f"{source}: a layer is listed twice in the field layers.")
        readout = row.get("readout", "last")
        row["readout"] = resolve_layer(readout, row["layers"])
        if row["readout"] is None:
            raise InputError(
                f"{source}: the readout '{readout}' is not among its layers; "
                f"{nearest(readout, [*row['layers'], *ALIASES])}."
            )
        for field in ("identifier", "weights", "order"):
            if field in row:
                row[field] = fill(row[field], directories, f"{source}, field {field}")
        declared(row, source)
        if row["source"] == "random" and not re.fullmatch("0*([2-9]|[1-9][0-9]{1,5})", row["identifier"]):
            raise InputError(
                f"{source}: the identifier of a random control is its number of features (2 to 999999), not "
                f"'{row['identifier']}'."
            )
        if row["source"] == "precomputed" and Path(row["identifier"]).suffix.lower() not in FORMATS:
            raise InputError(
                f"{source}: a file of precomputed features ends in {', '.join(FORMATS)}, not '{row['identifier']}'."
            )
    return models


def read_humans(path: str | Path, schema: Schema, directories: Mapping[str, str]) -> dict[str, Row]:
    """Read the human sheet: rows by human, with placeholders filled in."""
    humans = read_sheet(path, schema, "human")
    for name, row in humans.items():
        for field in ("path", "order"):
            if field in row:
                row[field] = fill(row[field], directories, f"{path}, human {name}, field {field}")
        row.setdefault("coverage", "all")
    return humans


def fill(text: str, directories: Mapping[str, str], source: str) -> str:
    """Replace placeholders such as `{things_dir}` in a path."""
    for name in re.findall(r"\{([a-z_]+)\}", text):
        if name not in directories:
            raise InputError(
                f"{source}: unknown placeholder {{{name}}}; use {listed(f'{{{d}}}' for d in directories)}."
            )
        text = text.replace(f"{{{name}}}", str(directories[name]))
    return text


def require_files(paths: Iterable[tuple[str, str]], made: Set[str]) -> None:
    """Raise `InputError` for the first path that neither exists nor is made by a rule.

    Parameters
    ----------
    paths : iterable of (where the path is named, path)
    made : set of paths that a rule makes
    """
    for source, path in paths:
        if str(path) not in made and not Path(path).is_file():
            raise InputError(f"{source}: the file {path} does not exist; correct the path or set things_dir.")


def select_models(wanted: str | Sequence[str], models: Mapping[str, Row], source: str) -> list[str]:
    """The models that a config key selects: `all`, or a list of models and sheets (all models of the sheet)."""
    if wanted == "all":
        return list(models)
    sheets = {row["sheet"] for row in models.values()}
    named = select([name for name in wanted if name not in sheets], models, source, "model")
    return [name for name, row in models.items() if name in named or row["sheet"] in wanted]


def select(wanted: str | Sequence[str], known: Iterable[str], source: str, what: str) -> list[str]:
    """The names that a config key selects: `all`, or a list of known names."""
    if wanted == "all":
        return list(known)
    for name in wanted:
        if name not in known:
            raise InputError(f"{source}: there is no {what} '{name}'; {nearest(name, known)}.")
    return list(wanted)
