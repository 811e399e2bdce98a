"""How measures hang together over layers: groups of layers, correlations within them, the joined table."""

import pandas as pd

from repalign.statistics import correlation

METHODS = ("pearson", "spearman")
HALVES = ("first_half", "second_half")


def joined(scores, humans=None):
    """One row per model and layer, one column per metric (and human, where there are several).

    Parameters
    ----------
    scores : tidy table of `repalign.aggregate.layer_scores`; failed scores are left empty
    humans : the human representations to keep; default all
    """
    kept = scores[scores["status"] == "ok"]
    if humans is not None:
        kept = kept[kept["human"].isin(humans)]
    several = kept.groupby("metric")["human"].transform("nunique") > 1
    kept = kept.assign(column=kept["metric"].where(~several, kept["metric"] + "_" + kept["human"]))
    keys = ["model", "paradigm", "layer", "depth"]
    wide = kept.pivot(index=keys, columns="column", values="value").reset_index()
    order = {name: rank for rank, name in enumerate(dict.fromkeys(scores["model"]))}
    ranked = wide.assign(rank=wide["model"].map(order)).sort_values(["rank", "depth"], kind="stable")
    return wide.loc[ranked.index].rename_axis(columns=None).reset_index(drop=True)


def variant_of(model, finetuned):
    """`finetuned`, `pretrained` or '' by a dict of pretrained models to their fine-tuned versions."""
    if model in finetuned.values():
        return "finetuned"
    return "pretrained" if model in finetuned else ""


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
    for name in ("pretrained", "finetuned"):
        if (variant == name).any():
            yield "variant", name, table[variant == name]
            for part in HALVES:
                yield "variant_half", f"{name}_{part}", table[(variant == name) & (half == part)]
    for name, rows in table.groupby("model", sort=False):
        yield "model", name, rows


def grouped_correlations(table, x, y, finetuned, *, n_boot, confidence, seed):
    """Correlation of two measures within every group of layers.

    Models are the clusters of the bootstrap; within one model, blocks of adjacent layers are (see
    `repalign.statistics.correlation`).

    Parameters
    ----------
    table : data frame of `joined`
    x, y : names of two of its columns
    finetuned : dict of pretrained models to their fine-tuned versions
    n_boot, confidence, seed : see `repalign.statistics`

    Returns
    -------
    data frame: kind, group, x, y, method, value, ci_low, ci_high, n, n_models
    """
    rows = []
    for kind, group, part in layer_groups(table.dropna(subset=[x, y]), finetuned):
        for method in METHODS:
            rows.append(
                {"kind": kind, "group": group} | _correlate(part, x, y, method, n_boot, confidence, seed)
            )
    return pd.DataFrame(rows)


def correlation_matrix(table, *, n_boot, confidence, seed, method="spearman"):
    """Correlations of all measures with each other over layers, with intervals over models.

    Returns
    -------
    data frame with one row per ordered pair of measures
    """
    measures = list(table.columns.drop(["model", "paradigm", "layer", "depth"]))
    return pd.DataFrame(
        [_correlate(table, x, y, method, n_boot, confidence, seed) for x in measures for y in measures]
    )


def _correlate(table, x, y, method, n_boot, confidence, seed):
    result = correlation(
        table[x], table[y], table["model"], method, n_boot=n_boot, confidence=confidence, seed=seed
    )
    return {
        **{"x": x, "y": y, "method": method, "value": result.value},
        **{"ci_low": result.low, "ci_high": result.high, "n": result.n, "n_models": result.n_clusters},
    }
