"""Curves over the depth of models, and over the number of neighbours."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from repalign.analysis.correlations import VARIANTS
from repalign.errors import InputError
from repalign.figures.forest import named
from repalign.figures.model_styles import CHANCE, model_legend, table_styles
from repalign.figures.panels import main_measures, panel
from repalign.figures.style import INK, MM, panel_columns, panel_grid, styled

LEAST = 7.0  # width of a panel, see `panel_columns`

# Lines of the variants in the correlation over depth.
VARIANT_STYLES = {
    "all": {"color": "#999999", "ls": "-"},
    "pretrained": {"color": INK, "ls": "-"},
    "finetuned": {"color": INK, "ls": "--", "mfc": "white"},
}
SHOWN_CORRELATION = ["model", "depth", "value", "ci_low", "ci_high", "n", "n_models"]


def plot_depth(table, correlations, models, finetuned, style):
    """Convexity, odd-one-out accuracy and their correlation over models, over relative depth.

    Parameters
    ----------
    table : tidy table of `repalign.analysis.layer_scores.layer_scores`
    correlations : data frame of `repalign.analysis.correlations.depth_correlations`
    models : dict of the models to draw to what is known of them: `paradigm`
    finetuned : dict of pretrained models to their fine-tuned versions
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of what it shows)
    """
    panels = [panel("convexity", name="graph convexity"), panel("odd_one_out")]
    data = _select(table, panels, models)
    paradigms, styles = table_styles(data, finetuned)
    with styled(style):
        columns = panel_columns(3, style, LEAST)
        figure, axes = panel_grid(3, style, 1.08 * style["width_mm"] / max(columns, 2), LEAST)
        for axis, each in zip(axes, panels, strict=False):
            _draw_curves(axis, data, each, styles)
        _draw_correlations(axes[2], correlations)
        for letter, axis in zip("abc", axes, strict=True):
            axis.set_title(letter, loc="left", fontweight="bold")
        model_legend(figure, styles, paradigms, _reference_lines(axes[:2]))
    shown = correlations.dropna(subset=["value"]).assign(metric="correlation", model=correlations["variant"])
    return figure, pd.concat([data, shown[["metric", *SHOWN_CORRELATION]]], ignore_index=True)


def plot_measures(table, models, finetuned, style):
    """Every main measure over relative depth: one panel per measure, one curve per model; see `plot_depth`."""
    table = table[table["model"].isin(list(models))]
    panels = main_measures(table)
    data = _select(table, panels, models)
    paradigms, styles = table_styles(data, finetuned)
    # The number of columns that leaves the fewest places empty, of those that have room.
    most = panel_columns(5, style, 5)
    some = [number for number in (4, 3, 5) if number <= most] or [most]
    columns = min(some, key=lambda number: -len(panels) % number)
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with styled(style):
        height = max(0.27 * style["width_mm"], 5 * style["font_size"])
        size = (style["width_mm"] * MM, (height * rows + 0.06 * style["width_mm"]) * MM)
        figure, axes = plt.subplots(
            rows, columns, figsize=size, squeeze=False, sharex=True, layout="constrained"
        )
        for axis, each in zip(axes.flat, panels, strict=False):
            _draw_curves(axis, data, each, styles)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for column in range(columns):
            last = axes[max(row for row in range(rows) if row * columns + column < len(panels)), column]
            last.tick_params(labelbottom=True)
        for axis in axes.flat[: max(0, len(panels) - columns)]:
            axis.set_xlabel("")
        model_legend(figure, styles, paradigms, _reference_lines(axes.flat))
    return figure, data


def _select(table, panels, models):
    own = table[table["model"].isin(list(models)) & (table["status"] == "ok")]
    rows = [index for each in panels for index in each.rows(own).index]
    if not rows:
        raise InputError(f"There are no scores {named(panels)} to draw; run the convexity study.")
    return table[table.index.isin(rows)]


def _draw_curves(axis, data, panel, styles):
    own = panel.rows(data)
    for model, rows in own.groupby("model", sort=False):
        rows, look = rows.sort_values("depth"), styles[model]
        value, low, high = (panel.factor * rows[name] for name in ("value", "ci_low", "ci_high"))
        axis.plot(rows["depth"], value, ms=2.5, mew=0.6, **look)
        if len(rows) > 1:
            axis.fill_between(rows["depth"], low, high, color=look["color"], alpha=0.12, lw=0)
        else:
            # A model of one layer has no band.
            axis.vlines(rows["depth"], low, high, color=look["color"], lw=0.7)
    if own["chance"].notna().any():
        axis.axhline(panel.factor * own["chance"].mean(), label="chance", **CHANCE)
    ceiling = own.loc[own["paradigm"] != "human", "ceiling"]
    if ceiling.notna().any():
        axis.axhline(panel.factor * ceiling.mean(), color=INK, lw=0.8, zorder=1, label="human ceiling")
    axis.set_xlabel("relative depth")
    axis.set_ylabel(panel.label)


def _draw_correlations(axis, correlations):
    found = correlations.dropna(subset=["value"])
    for name in ("all", *VARIANTS):
        rows, look = found[found["variant"] == name], VARIANT_STYLES[name]
        if len(rows):
            axis.plot(
                rows["depth"],
                rows["value"],
                marker="o",
                ms=2.5,
                label=name.replace("tuned", "-tuned"),
                **look,
            )
            low, high = rows["ci_low"], rows["ci_high"]
            axis.fill_between(rows["depth"], low, high, color=look["color"], alpha=0.12, lw=0)
    if found.empty:
        axis.text(0.5, 0.5, "fewer than three models", ha="center", va="bottom", transform=axis.transAxes)
    else:
        axis.legend(loc="lower left", handlelength=2.4)
    axis.axhline(0, **CHANCE)
    axis.set(xlim=(-0.05, 1.05), ylim=(-1.05, 1.05), xlabel="relative depth")
    axis.set_ylabel("correlation of a and b (r)")


def plot_neighbours(table, models, finetuned, style):
    """Mean convexity over layers against the number of neighbours: one curve per model, one panel per space.

    Parameters
    ----------
    table : data frame of all tables of `repalign.measures.convexity.scores.convexity_scores`
    models, finetuned, style : as in `plot_depth`
    """
    means = table[(table["category"] == "MEAN") & (table["memberships"] == table["memberships"].iloc[0])]
    data = (
        means.groupby(["space", "model", "n_neighbours"], sort=False)[["value", "chance"]]
        .mean()
        .reset_index()
    )
    data["paradigm"] = [models[name]["paradigm"] for name in data["model"]]
    spaces = [space for space in ("original", "naive") if (data["space"] == space).any()]
    paradigms, styles = table_styles(data, finetuned)
    with styled(style):
        figure, axes = panel_grid(
            len(spaces), style, max(0.42 * style["width_mm"], 7 * style["font_size"]), sharey=True
        )
        for axis, space in zip(axes, spaces, strict=True):
            own = data[data["space"] == space]
            for model, rows in own.groupby("model", sort=False):
                rows = rows.sort_values("n_neighbours")
                axis.plot(rows["n_neighbours"], 100 * rows["value"], ms=2.5, mew=0.6, **styles[model])
            chance = own.groupby("n_neighbours")["chance"].mean()
            axis.plot(chance.index, 100 * chance, label="random labels", **CHANCE)
            axis.set_xscale("log")
            axis.set_xticks(sorted(own["n_neighbours"].unique()))
            axis.xaxis.set_major_formatter("{x:.0f}")
            axis.minorticks_off()
            axis.set_xlabel({"original": "neighbours", "naive": "neighbours, after the transform"}[space])
        axes[0].set_ylabel("graph convexity, mean over layers (%)")
        model_legend(figure, styles, paradigms, _reference_lines(axes))
    return figure, data


def _reference_lines(axes):
    """One handle for each line of reference (chance, ceiling) that any panel has."""
    handles = {}
    for axis in np.ravel(axes):
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    return list(handles.values())
