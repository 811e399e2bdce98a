"""Correlations of measures over layers, within groups of layers, and the joined table behind them."""

import pandas as pd

from repalign.labels import shown
from repalign.measures.registry import headline_rows, in_role, measure_of
from repalign.statistics.correlation import correlation
from repalign.storage.score_table import KEYS as MEASURED
from repalign.storage.score_table import column_name

METHODS = ("pearson", "spearman")
HALVES = ("first_half", "second_half")
VARIANTS = ("pretrained", "finetuned")
KEYS = ("model", "paradigm", "layer", "depth")

# The partial correlation given depth, with its interval: two measures may share nothing but a trend over depth.
GIVEN_DEPTH = ("given_depth", "given_depth_low", "given_depth_high")

# The largest number of relative depths at which models are compared.
MOST_DEPTHS = 12


def joined(scores):
    """One row per model and layer, one column per metric and variant (and reference, where there are several).

    Parameters
    ----------
    scores : tidy table of `repalign.analysis.layer_scores.layer_scores`; failed scores are left empty

    Returns
    -------
    (the wide data frame, a data frame of what its columns hold: column, metric, variant, reference)
    """
    kept = scores[scores["status"] == "ok"]
    several = kept.groupby(["metric", "variant"])["reference"].transform("nunique") > 1
    named = zip(kept["metric"], kept["variant"], kept["reference"].where(several, ""), strict=True)
    kept = kept.assign(column=[column_name(*key) for key in named])
    wide = kept.pivot(index=list(KEYS), columns="column", values="value").reset_index()
    columns = kept[["column", *MEASURED]].drop_duplicates().set_index("column")
    columns = columns.loc[wide.columns.drop(list(KEYS))].reset_index()
    order = {name: rank for rank, name in enumerate(dict.fromkeys(scores["model"]))}
    ranked = wide.assign(rank=wide["model"].map(order)).sort_values(["rank", "depth"], kind="stable")
    return wide.loc[ranked.index].rename_axis(columns=None).reset_index(drop=True), columns


def main_columns(columns):
    """The columns of the main measures, with their names in words.

    Parameters
    ----------
    columns : second table of `joined`

    Returns
    -------
    data frame: column, metric, variant, reference, label (with the reference where there are several of a measure)
    """
    main = headline_rows(columns, in_role("main"))
    several = main.groupby("metric")["reference"].transform("nunique") > 1
    labels = [
        measure_of(metric).name + (f", {shown(reference)}" if many else "")
        for metric, reference, many in zip(main["metric"], main["reference"], several, strict=True)
    ]
    return main.assign(label=labels)


def variant_of(model, finetuned):
    """`finetuned`, `pretrained` or '' by a dict of pretrained models to their fine-tuned versions."""
    if model in finetuned.values():
        return "finetuned"
    return "pretrained" if model in finetuned else ""


def families(models, finetuned):
    """The family of each model, as an array: a fine-tuned model belongs to the one that it started from."""
    base = {after: before for before, after in finetuned.items()}
    return pd.Series(models).map(lambda name: base.get(name, name)).to_numpy()


def half_of(depth):
    """Which half of the network a relative depth lies in; the middle layer belongs to the first."""
    return HALVES[int(depth > 0.5)]


def layer_groups(table, finetuned):
    """Yield (kind, group, rows): all layers, halves, variants, halves of variants, and each model."""
    half = table["depth"].map(half_of)
    variant = table["model"].map(lambda model: variant_of(model, finetuned))
    yield "all", "all", table
    for name in HALVES:
        yield "half", name, table[half == name]
    for name in VARIANTS:
        if (variant == name).any():
            yield "variant", name, table[variant == name]
            for part in HALVES:
                yield "variant_half", f"{name}_{part}", table[(variant == name) & (half == part)]
    for name, rows in table.groupby("model", sort=False):
        yield "model", name, rows


def grouped_correlations(table, x, y, finetuned, *, confidence):
    """Correlation of two measures within every group of layers.

    Families of models (a model and its fine-tuned version) are taken as independent; below five there is no interval
    (see `repalign.statistics.correlation.correlation`).

    Parameters
    ----------
    table : data frame of `joined`
    x, y : names of two of its columns
    finetuned : dict of pretrained models to their fine-tuned versions
    confidence : of the intervals

    Returns
    -------
    data frame: kind, group, x, y, method, value, ci_low, ci_high, n, n_models (independent families), and `GIVEN_DEPTH`
    """
    rows = []
    for kind, group, part in layer_groups(table.dropna(subset=[x, y]), finetuned):
        for method in METHODS:
            found = correlate(part, x, y, finetuned, method, confidence=confidence)
            rows.append({"kind": kind, "group": group} | found)
    return pd.DataFrame(rows)


def depth_correlations(table, x, y, finetuned, *, confidence):
    """Correlation of two measures over models, at every relative depth.

    The depths are as many equal parts as the shallowest model has layers (models of a single layer aside), so that
    every model has a layer in each.

    Returns
    -------
    data frame: variant (all, pretrained, finetuned), depth (the middle of its part), and the columns of `correlate`
    """
    table = table.dropna(subset=[x, y])
    layers = table.groupby("model")["layer"].transform("size")
    table = table[layers > 1]
    parts = int(min(MOST_DEPTHS, layers[layers > 1].min())) if len(table) else 0
    part = (table["depth"] * parts).astype(int).clip(upper=parts - 1)
    variant = table["model"].map(lambda model: variant_of(model, finetuned))
    rows = []
    for name in ("all", *VARIANTS):
        for number in range(parts):
            own = table[(part == number) & ((variant == name) | (name == "all"))]
            found = correlate(own, x, y, finetuned, confidence=confidence)
            rows.append({"variant": name, "depth": (number + 0.5) / parts} | found)
    columns = ["variant", "depth", "x", "y", "method", "value", "ci_low", "ci_high", "n", "n_models"]
    return pd.DataFrame(rows, columns=columns)


def correlation_matrix(table, columns, finetuned, *, confidence, method="spearman"):
    """Correlations of all main measures with each other over layers, with intervals over families of models.

    Parameters
    ----------
    table, columns : data frames of `joined`
    finetuned, confidence : as in `grouped_correlations`
    method : `spearman` or `pearson`

    Returns
    -------
    data frame with one row per ordered pair of measures
    """
    measures = list(main_columns(columns)["column"])
    found = {}
    for index, x in enumerate(measures):
        for y in measures[: index + 1]:
            row = correlate(table, x, y, finetuned, method, confidence=confidence)
            found[x, y], found[y, x] = row, row | {"x": y, "y": x}
    return pd.DataFrame([found[x, y] for x in measures for y in measures])


def correlate(table, x, y, finetuned, method="pearson", given=None, *, confidence):
    """One correlation of two columns of `joined` as a dictionary, its clusters the families of models.

    Beside it stands the partial correlation given depth, unless another column is given.
    """
    own = families(table["model"], finetuned)
    result = correlation(
        table[x],
        table[y],
        own,
        method,
        given=None if given is None else table[given],
        confidence=confidence,
    )
    row = {
        **{"x": x, "y": y, "method": method, "value": result.value},
        **{"ci_low": result.low, "ci_high": result.high, "n": result.n, "n_models": result.n_clusters},
    }
    if given is not None:
        return row
    partial = correlation(table[x], table[y], own, method, given=table["depth"], confidence=confidence)
    numbers = (partial.value, partial.low, partial.high)
    return row | dict(zip(GIVEN_DEPTH, numbers, strict=True))
