"""Read and check the model sheet and the human sheet."""

import re
from pathlib import Path

import pandas as pd

from repalign.errors import InputError, listed
from repalign.features import FORMATS
from repalign.validation import check, nearest

ALIASES = ("first", "middle", "last")
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def read_sheet(path, schema, key):
    """Read a TSV sheet, every cell a string, and check each row against a schema.

    Returns
    -------
    dict of the row's name (column `key`) to a dict of the fields that are set, in sheet order
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"The sheet {path} does not exist; correct the path in the config.")
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a readable TSV table ({error}).".replace("\n", " ")) from error
    known = list(schema["properties"])
    if unknown := [column for column in table if column not in known]:
        raise InputError(f"{path}: unknown column '{unknown[0]}'; {nearest(unknown[0], known)}.")
    if missing := [column for column in schema["required"] if column not in table]:
        raise InputError(f"{path}: the column '{missing[0]}' is missing.")
    if table.empty:
        raise InputError(f"{path} has no rows; add one per {key}.")
    rows = {}
    for number, record in enumerate(table.to_dict("records"), start=2):
        row = {field: cell.strip() for field, cell in record.items() if cell.strip()}
        source = f"{path}, line {number}" + (f" ({row[key]})" if key in row else "")
        check(row, schema, source)
        if row[key] in rows:
            raise InputError(
                f"{source}: the {key} '{row[key]}' is named twice; every row needs a name of its own."
            )
        rows[row[key]] = row
    return rows


def expand_layers(text):
    """`a,b.{0..2}` as ['a', 'b.0', 'b.1', 'b.2']."""
    layers = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        match = RANGE.search(name)
        if match is None:
            layers.append(name)
            continue
        low, high = int(match[1]), int(match[2])
        layers += [name[: match.start()] + str(i) + name[match.end() :] for i in range(low, high + 1)]
    return layers


def resolve_layer(alias, layers):
    """A layer by its name or by the aliases first, middle and last; None where there is none."""
    if alias in ALIASES:
        return {"first": layers[0], "middle": layers[len(layers) // 2], "last": layers[-1]}[alias]
    return alias if alias in layers else None


def read_models(paths, schema, directories):
    """The model sheets: rows by model, `layers` expanded, `readout` resolved, folders filled in.

    Parameters
    ----------
    paths : TSV file, or a list of them
    schema : JSON schema of a row
    directories : dict of placeholders allowed in paths, such as `{'things_dir': ...}`

    Returns
    -------
    dict of model to its row, with the sheet that it comes from as the field `sheet`
    """
    models = {}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        rows = _read_models(path, schema, directories)
        if both := [name for name in rows if name in models]:
            raise InputError(
                f"{path}: the model '{both[0]}' is in {models[both[0]]['sheet']} too; rename one of them."
            )
        models |= rows
    return models


def _read_models(path, schema, directories):
    models = read_sheet(path, schema, "model")
    for name, row in models.items():
        row["sheet"] = str(path)
        source = f"{path}, model {name}"
        row["layers"] = expand_layers(row["layers"])
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
        if row["source"] == "precomputed" and Path(row["identifier"]).suffix not in FORMATS:
            raise InputError(
                f"{source}: precomputed features end in {', '.join(FORMATS)}, not '{row['identifier']}'."
            )
    return models


def read_humans(path, schema, directories):
    """The human sheet: rows by human, folders filled in."""
    humans = read_sheet(path, schema, "human")
    for name, row in humans.items():
        for field in ("path", "order"):
            if field in row:
                row[field] = fill(row[field], directories, f"{path}, human {name}, field {field}")
        row.setdefault("coverage", "all")
    return humans


def fill(text, directories, source):
    """Replace `{things_dir}` and its like in a path."""
    for name in re.findall(r"\{([a-z_]+)\}", text):
        if name not in directories:
            raise InputError(
                f"{source}: unknown placeholder {{{name}}}; use {listed(f'{{{d}}}' for d in directories)}."
            )
        text = text.replace(f"{{{name}}}", str(directories[name]))
    return text


def require_files(paths, made):
    """Refuse a path that neither exists nor is made by a rule.

    Parameters
    ----------
    paths : iterable of (where it was named, path)
    made : set of paths that a rule makes
    """
    for source, path in paths:
        if str(path) not in made and not Path(path).is_file():
            raise InputError(f"{source}: the file {path} does not exist; correct the path or set things_dir.")


def select_models(wanted, models, source):
    """The models that a config key selects: `all`, or a list of models and of sheets, which stand for their models."""
    if wanted == "all":
        return list(models)
    sheets = {row["sheet"] for row in models.values()}
    named = select([name for name in wanted if name not in sheets], models, source, "model")
    return [name for name, row in models.items() if name in named or row["sheet"] in wanted]


def select(wanted, known, source, what):
    """The names that a config key selects: `all`, or a list of known names."""
    if wanted == "all":
        return list(known)
    for name in wanted:
        if name not in known:
            raise InputError(f"{source}: there is no {what} '{name}'; {nearest(name, known)}.")
    return list(wanted)
