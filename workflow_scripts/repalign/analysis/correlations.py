"""How measures hang together over layers: groups of layers, correlations within them, the joined table."""

import pandas as pd

from repalign.statistics.correlation import correlation

METHODS = ("pearson", "spearman")
HALVES = ("first_half", "second_half")
VARIANTS = ("pretrained", "finetuned")
KEYS = ("model", "paradigm", "layer", "depth")

# One measure for each way of asking, with the name that figures give it.
MEASURES = {
    "convexity": "convexity",
    "odd_one_out": "odd-one-out accuracy",
    "rsa_spearman": "RSA",
    "rsa_pearson": "RSA",
    "rsa_kendall": "RSA",
    "cka": "CKA",
    "mutual_neighbours": "mutual neighbours",
    "clustering_ami": "clustering",
    "gwot_top1": "GWOT top-1",
    "gwot_category_top1": "GWOT category",
}
# Endings of measures that are a variant of one of those, not the same measure against some human.
_VARIANT_ENDINGS = ("naive", "held_out", "columns", "ties", "change", "multiple", "over_triplets")

# Relative depths at which models are compared with each other: at most so many.
MOST_DEPTHS = 12


def joined(scores, humans=None):
    """One row per model and layer, one column per metric (and human, where there are several).

    Parameters
    ----------
    scores : tidy table of `repalign.analysis.layer_scores.layer_scores`; failed scores are left empty
    humans : the human representations to keep; default all
    """
    kept = scores[scores["status"] == "ok"]
    if humans is not None:
        kept = kept[kept["human"].isin(humans)]
    several = kept.groupby("metric")["human"].transform("nunique") > 1
    kept = kept.assign(column=kept["metric"].where(~several, kept["metric"] + "_" + kept["human"]))
    wide = kept.pivot(index=list(KEYS), columns="column", values="value").reset_index()
    order = {name: rank for rank, name in enumerate(dict.fromkeys(scores["model"]))}
    ranked = wide.assign(rank=wide["model"].map(order)).sort_values(["rank", "depth"], kind="stable")
    return wide.loc[ranked.index].rename_axis(columns=None).reset_index(drop=True)


def measure_of(column):
    """(measure, human or '') of a column of `joined`; None for what is no main measure."""
    for measure in MEASURES:
        rest = column.removeprefix(measure)
        if rest == column or (rest and not rest.startswith("_")):
            continue
        human = rest.removeprefix("_")
        return None if human.endswith(_VARIANT_ENDINGS) else (measure, human)
    return None


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


def grouped_correlations(table, x, y, finetuned, *, n_boot, confidence, seed):
    """Correlation of two measures within every group of layers.

    Families of models (a model and its fine-tuned version) are the clusters of the bootstrap; within one family,
    blocks of adjacent layers are (see `repalign.statistics.bootstrap.correlation`).

    Parameters
    ----------
    table : data frame of `joined`
    x, y : names of two of its columns
    finetuned : dict of pretrained models to their fine-tuned versions
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`

    Returns
    -------
    data frame: kind, group, x, y, method, value, ci_low, ci_high, n, n_models (independent families)
    """
    rows = []
    for kind, group, part in layer_groups(table.dropna(subset=[x, y]), finetuned):
        for method in METHODS:
            found = correlate(part, x, y, finetuned, method, n_boot=n_boot, confidence=confidence, seed=seed)
            rows.append({"kind": kind, "group": group} | found)
    return pd.DataFrame(rows)


def depth_correlations(table, x, y, finetuned, *, n_boot, confidence, seed):
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
            found = correlate(own, x, y, finetuned, n_boot=n_boot, confidence=confidence, seed=seed)
            rows.append({"variant": name, "depth": (number + 0.5) / parts} | found)
    columns = ["variant", "depth", "x", "y", "method", "value", "ci_low", "ci_high", "n", "n_models"]
    return pd.DataFrame(rows, columns=columns)


def correlation_matrix(table, finetuned, *, n_boot, confidence, seed, method="spearman"):
    """Correlations of all main measures with each other over layers, with intervals over families of models.

    Returns
    -------
    data frame with one row per ordered pair of measures
    """
    measures = [column for column in table.columns.drop(list(KEYS)) if measure_of(column)]
    found = {}
    for index, x in enumerate(measures):
        for y in measures[: index + 1]:
            row = correlate(table, x, y, finetuned, method, n_boot=n_boot, confidence=confidence, seed=seed)
            found[x, y], found[y, x] = row, row | {"x": y, "y": x}
    return pd.DataFrame([found[x, y] for x in measures for y in measures])


def correlate(table, x, y, finetuned, method="pearson", given=None, *, n_boot, confidence, seed):
    """One correlation of two columns of `joined` as a dictionary, its clusters the families of models."""
    result = correlation(
        table[x],
        table[y],
        families(table["model"], finetuned),
        method,
        given=None if given is None else table[given],
        n_boot=n_boot,
        confidence=confidence,
        seed=seed,
    )
    return {
        **{"x": x, "y": y, "method": method, "value": result.value},
        **{"ci_low": result.low, "ci_high": result.high, "n": result.n, "n_models": result.n_clusters},
    }
