"""Measures against each other over layers: scatter plots and the matrix of correlations."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import Formatter

from repalign.analysis.correlations import GIVEN_DEPTH, HALVES, VARIANTS, half_of, main_columns, variant_of
from repalign.errors import InputError
from repalign.figures.model_styles import model_legend, table_styles
from repalign.figures.style import MM, styled
from repalign.labels import spaced
from repalign.measures.registry import DECLARED


def plot_alignment(table, correlations, finetuned, style):
    """Convexity against odd-one-out accuracy: all layers of each variant, then halves of the network.

    Parameters
    ----------
    table : data frame of `repalign.analysis.correlations.joined`
    correlations : data frame of `repalign.analysis.correlations.grouped_correlations`
    finetuned : dict of pretrained models to their fine-tuned versions
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of what it shows)
    """
    data = table.dropna(subset=["convexity", "odd_one_out"])
    if data.empty:
        raise InputError("No layer has both convexity and odd-one-out accuracy; run the convexity study.")
    data = data[["model", "paradigm", "layer", "depth", "convexity", "odd_one_out"]].assign(
        half=data["depth"].map(half_of),
        variant=[variant_of(model, finetuned) for model in data["model"]],
    )
    panels = {"all": data} | {variant: data[data["variant"] == variant] for variant in VARIANTS}
    for half in HALVES:
        own = data[data["half"] == half]
        panels |= {half: own} | {f"{variant}_{half}": own[own["variant"] == variant] for variant in VARIANTS}
    paradigms, styles = table_styles(data, finetuned)
    with styled(style):
        # Titles of narrow panels take more lines.
        narrow = style["width_mm"] < 18 * style["font_size"]
        size = (style["width_mm"] * MM, style["width_mm"] * MM * (1.5 if narrow else 1))
        figure, axes = plt.subplots(3, 3, figsize=size, sharex=True, sharey=True, layout="constrained")
        for axis, (group, rows) in zip(axes.flat, panels.items(), strict=True):
            for model, own in rows.groupby("model", sort=False):
                x, y = 100 * own["odd_one_out"], 100 * own["convexity"]
                axis.plot(x, y, ms=3, mew=0.7, **styles[model] | {"ls": "none"})
            axis.set_title(f"{spaced(group)}\n{_says(correlations, group)}", loc="left")
        for axis in axes[-1]:
            axis.set_xlabel("odd-one-out accuracy (%)")
        for axis in axes[:, 0]:
            axis.set_ylabel("graph convexity (%)")
        model_legend(figure, styles, paradigms, lines=False)
    return figure, data


def _says(correlations, group):
    found = correlations[(correlations["group"] == group) & (correlations["method"] == "pearson")]
    found = found[found["kind"] != "model"].dropna(subset=["value"])
    if found.empty:
        return ""
    row = found.iloc[0]
    plain = _with_interval(row["value"], row["ci_low"], row["ci_high"])
    return f"r = {plain}\ngiven depth {_with_interval(*row[list(GIVEN_DEPTH)])}"


def _with_interval(value, low, high):
    """A correlation in words; with fewer than five families of models it has no interval."""
    if np.isnan(value):
        return "undefined"
    text = f"{value:.2f}" + ("" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]")
    return Formatter.fix_minus(text)


def _square(table, columns, measures):
    """(len(columns), n, n) array of some columns of a table with one row per pair of measures."""
    wide = table.pivot(index="y", columns="x", values=list(columns))
    return np.stack([wide[name].loc[measures, measures].to_numpy(dtype=float) for name in columns])


def plot_matrix(table, columns, style):
    """The correlation of the main measures, numbers in bold where the interval leaves 0 out.

    Below the diagonal stands the correlation over layers, above it the partial correlation given depth.

    Parameters
    ----------
    table : data frame of `repalign.analysis.correlations.correlation_matrix`
    columns : second data frame of `repalign.analysis.correlations.joined`
    style : dict, see `repalign.figures.style.styled`
    """
    columns = main_columns(columns)
    columns = columns[columns["column"].isin(table.loc[table["value"].notna(), "x"])]
    # In the order in which every figure shows them.
    order = [measure.metric for measure in DECLARED]
    columns = columns.sort_values("metric", key=lambda metrics: metrics.map(order.index), kind="stable")
    measures, names = list(columns["column"]), list(columns["label"])
    if not measures:
        raise InputError(
            "No two measures vary together over layers; the study needs models with several layers."
        )
    data = table[table["x"].isin(measures) & table["y"].isin(measures)]
    plain = _square(data, ("value", "ci_low", "ci_high"), measures)
    values, low, high = np.where(
        np.triu(np.ones_like(plain[0]), 1) > 0, _square(data, GIVEN_DEPTH, measures), plain
    )
    certain = low * high > 0
    with styled(style):
        narrow = style["width_mm"] < 15 * style["font_size"]
        width = min(style["width_mm"], 15.4 * style["font_size"])
        size = (width * MM, width * (1.15 if narrow else 0.92) * MM)
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        image = axis.imshow(values, vmin=-1, vmax=1, cmap="RdBu_r")
        for i, j in np.ndindex(values.shape):
            if i != j and np.isfinite(values[i, j]):
                weight = "bold" if certain[i, j] else "normal"
                colour = "white" if abs(values[i, j]) > 0.7 else "black"
                text = Formatter.fix_minus(f"{values[i, j]:.2f}")
                axis.text(
                    j, i, text, ha="center", va="center", color=colour, weight=weight,
                    fontsize=0.7 * style["font_size"],
                )  # fmt: skip
        axis.set_xticks(range(len(names)), names, rotation=90)
        axis.set_yticks(range(len(names)), names)
        bar = {"location": "bottom"} if narrow else {"shrink": 0.7}
        figure.colorbar(image, ax=axis, label="Spearman correlation over layers", **bar)
    return figure, data
