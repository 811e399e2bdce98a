"""The tables of the convexity study, in the rows and columns of the published ones."""

import re

import numpy as np
import pandas as pd

from repalign.analysis.convexity_published import (
    Quantity,
    identifier,
    text_verdict,
    variant_of_published,
)
from repalign.analysis.correlations import VARIANTS, variant_of
from repalign.labels import spaced
from repalign.study.sheets import ALIASES, resolve_layer

# Number of the published table: variant of the models, position of the layer.
TRANSFORM_TABLES = {
    1: ("pretrained", "last"),
    4: ("pretrained", "first"),
    5: ("pretrained", "middle"),
    6: ("finetuned", "last"),
    7: ("finetuned", "first"),
    8: ("finetuned", "middle"),
}
SIZED = re.compile(r"(.+)_(tiny|small|base|medium|large|huge|giant)")
MEAN, SD = "average change", "standard deviation of the change"


def published_tables(study):
    """Tables 1-9 of the published study with our numbers, the published ones and verdicts.

    Parameters
    ----------
    study : repalign.analysis.convexity_published.ConvexityStudy

    Returns
    -------
    dict of `table1` ... `table9` to a data frame; changes, values and their intervals in percent. A number fills the
    columns `<name>`, `<name>_low`, `<name>_high`, `<name>_published` and `<name>_verdict`. Rows are the published
    models in their order, then our other models.
    """
    tables = {f"table{number}": _transform_table(study, *key) for number, key in TRANSFORM_TABLES.items()}
    tables |= {"table2": _finetuning_table(study), "table3": _model_table(study)}
    tables["table9"] = _correlation_table(study)
    return dict(sorted(tables.items()))


def _rows_of(study, variant, kind):
    """Models of a table: those published, then others of ours."""
    named = [
        record["model"]
        for record in study.records()
        if record["kind"] == kind and variant_of_published(record["model"]) == variant
    ]
    return list(dict.fromkeys([*named, *study.of_variant(variant)]))


def _transform_table(study, variant, position):
    def quantities(model):
        return {
            f"{metric}{suffix}": Quantity(kind, model, position, metric)
            for metric in ("oooa", "convexity")
            for suffix, kind in (("", "value"), ("_change", "transform"))
        } | {"oooa_held_out_change": Quantity("held_out", model, position, "oooa")}

    rows = {model: quantities(model) for model in _rows_of(study, variant, "transform")}
    return _frame(study, rows | _average_rows("transform", variant, position, ("oooa", "convexity")))


def _finetuning_table(study):
    def quantities(model):
        return {
            f"{metric}{suffix}": Quantity(kind, model, "last", metric)
            for metric in ("convexity", "oooa")
            for suffix, kind in (("", "value"), ("_change", "finetuning"))
        }

    named = [record["model"] for record in study.records() if record["kind"] == "finetuning"]
    rows = {model: quantities(model) for model in dict.fromkeys([*named, *study.finetuned])}
    return _frame(study, rows | _average_rows("finetuning", "pretrained", "last", ("convexity", "oooa")))


def _average_rows(kind, variant, position, metrics):
    return {
        label: {
            f"{metric}_change": Quantity(kind, variant, position, metric, statistic) for metric in metrics
        }
        for label, statistic in ((MEAN, "mean"), (SD, "sd"))
    }


def _frame(study, rows):
    """A data frame of cells; `rows` are dicts of column to quantity by label, the first row has every column."""
    frame = []
    columns = list(next(iter(rows.values())))
    for label, quantities in rows.items():
        row = {"model": label}
        for column in columns:
            cell = study.cell(quantities[column]) if column in quantities else {}
            for field, suffix in CELL.items():
                row[f"{column}{suffix}"] = cell.get(field, "" if field == "verdict" else np.nan)
        frame.append(row)
    return pd.DataFrame(frame)


CELL = {"ours": "", "ci_low": "_low", "ci_high": "_high", "published": "_published", "verdict": "_verdict"}


def _model_table(study):
    """Published table 3: the checkpoint of every model."""
    published = {r["model"]: r["text"] for r in study.records() if r["kind"] == "identifier"}
    rows = []
    for model in dict.fromkeys([*published, *study.models]):
        ours = identifier(study, model)
        verdict = text_verdict(ours, published.get(model, ""))
        row = {
            "model": model,
            "checkpoint": ours,
            "revision": study.models.get(model, {}).get("revision", ""),
        }
        rows.append(row | {"published": published.get(model, ""), "verdict": verdict})
    return pd.DataFrame(rows)


def _correlation_table(study):
    """Published table 9: one row per family of models, one column per variant and size."""
    places = {}
    for record in study.records():
        if record["kind"] == "correlation" and SIZED.fullmatch(record["model"].removesuffix("_ft")):
            name = record["model"]
            places[name] = (name.removesuffix("_ft"), variant_of_published(name))
    base = {after: before for before, after in study.finetuned.items()}
    for name in study.models:
        variant = variant_of(name, study.finetuned) or "pretrained"
        places[name] = (base.get(name, name), variant)
    rows, sizes = {}, {}
    for name, (model, variant) in places.items():
        match = SIZED.fullmatch(model)
        family, size = match.groups() if match else (model, "")
        column = f"{variant}_{size}".rstrip("_")
        sizes[column] = (VARIANTS.index(variant), size)
        rows.setdefault(family, {})[column] = Quantity("correlation", name, "all", "oooa x convexity")
    columns = sorted(sizes, key=sizes.get)
    empty = Quantity("correlation", "", "all", "oooa x convexity")
    return _frame(study, {family: {c: own.get(c, empty) for c in columns} for family, own in rows.items()})


HEADINGS = {"oooa": "OOOA (%)", "convexity": "convexity (%)", "held_out_change": "held-out change"}


def readable(table):
    """A published table as strings: ours with its interval in one column, then the published number and verdict."""
    if "checkpoint" in table:
        return table.fillna("").astype(str)
    shown = {"model": table["model"].map(spaced)}
    for column in [name for name in table if f"{name}_verdict" in table]:
        digits = 2 if column.startswith(VARIANTS) else 1
        sign = "+" if column.endswith("_change") else ""
        cells = table[[column, f"{column}_low", f"{column}_high"]].to_numpy(dtype=float)
        heading = " ".join(HEADINGS.get(part, part) for part in column.split("_", 1))
        shown[heading] = [_interval(*cell, f"{sign}.{digits}f") for cell in cells]
        if table[f"{column}_published"].notna().any():
            numbers = table[f"{column}_published"]
            shown[f"{heading}, published"] = ["" if pd.isna(x) else f"{x:{sign}.{digits}f}" for x in numbers]
            shown[f"{heading}, verdict"] = table[f"{column}_verdict"]
    return pd.DataFrame(shown)


def _interval(value, low, high, form):
    if not np.isfinite(value):
        return ""
    return f"{value:{form}}" + (f" [{low:{form}}, {high:{form}}]" if np.isfinite(low) else "")


def transform_table(study):
    """Odd-one-out accuracy and convexity of every transformed layer, before and after.

    Returns
    -------
    data frame, in percent: model, variant, layer, position (first, middle, last or ''), then for each measure its
    value before, the change and its interval; held-out accuracy before and its change
    """
    scores = study.scores[study.scores["status"] == "ok"]
    keys = ["model", "layer", "metric", "variant"]
    found = {tuple(row[key] for key in keys): row for row in scores.to_dict("records")}
    rows = []
    for model, layer in scores[["model", "layer"]].drop_duplicates().itertuples(index=False):
        if (model, layer, "odd_one_out", "naive") not in found:
            continue
        row = {"model": model, "variant": variant_of(model, study.finetuned), "layer": layer}
        row["position"] = position(layer, study.models[model]["layers"])
        for name, (metric, variant) in TRANSFORMED.items():
            for column, field in _fields(name).items():
                row[column] = 100 * found.get((model, layer, metric, variant), {}).get(field, np.nan)
        rows.append(row)
    columns = [column for name in TRANSFORMED for column in _fields(name)]
    return pd.DataFrame(rows, columns=["model", "variant", "layer", "position", *columns])


# Columns of the table before and after the transform: metric and variant.
TRANSFORMED = {
    "oooa": ("odd_one_out", ""),
    "oooa_change": ("odd_one_out", "naive_change"),
    "oooa_held_out": ("odd_one_out", "held_out"),
    "oooa_held_out_change": ("odd_one_out", "naive_held_out_change"),
    "convexity": ("convexity", ""),
    "convexity_change": ("convexity", "naive_change"),
}
CHANGED = ("oooa_change", "oooa_held_out_change", "convexity_change")


def _fields(name):
    """Columns of the table to those of the tidy one: the value, and of a change its interval too."""
    ends = {f"{name}_low": "ci_low", f"{name}_high": "ci_high"} if name in CHANGED else {}
    return {name: "value"} | ends


def position(layer, layers):
    """first, middle or last, or '' for a layer between; the last where a model has a single one."""
    names = [alias for alias in ALIASES if resolve_layer(alias, layers) == layer]
    return names[-1] if names else ""
