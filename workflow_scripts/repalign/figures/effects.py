"""Effects of the learning paradigm, unadjusted and from the mixed model."""

from textwrap import fill

import pandas as pd
from matplotlib.lines import Line2D

from repalign.errors import InputError
from repalign.figures.style import INK, panel_grid, paradigm_colours, paradigm_legend, styled
from repalign.labels import paradigm_order, shown
from repalign.storage.score_table import TRIPLETS


def plot_effects(effects, panels, style):
    """One panel per measure: difference of every paradigm from the baseline; filled mixed model, open unadjusted.

    Where there are too few models for an interval, the panel says so in words: a bare difference would mislead.

    Parameters
    ----------
    effects : data frame of `repalign.statistics.paradigm_effects.paradigm_effects`
    panels : list of repalign.figures.panels.Panel
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of what it shows)
    """
    known = effects[(effects["paradigm"] != effects["baseline"]) & effects["estimate"].notna()]
    drawn = [
        (panel, reference, own)
        for panel in panels
        for reference, own in panel.rows(known).groupby("reference", sort=False)
    ]
    if not drawn:
        raise InputError("No measure has models of two paradigms to compare.")
    data = pd.concat([own for _, _, own in drawn]).sort_index()
    several = data.loc[data["reference"] != TRIPLETS, "reference"].nunique() > 1
    order = paradigm_order(data["paradigm"])
    colours = paradigm_colours(order)
    with styled(style):
        size = style["font_size"]
        figure, axes = panel_grid(len(drawn), style, size * (0.75 * len(order) + 2.6), sharey=True)
        for axis, (panel, reference, own) in zip(axes, drawn, strict=True):
            factor = panel.factor
            axis.axvline(0, color=INK, lw=0.6)
            if own["ci_low"].isna().all():
                words = fill(own["status"].iloc[0], 22)
                axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center")
                axis.set_xticks([])
            for record in own.dropna(subset=["ci_low"]).to_dict("records"):
                mixed = record["model"] == "mixed"
                y = order.index(record["paradigm"]) + (0.16 if mixed else -0.16)
                colour = colours[record["paradigm"]]
                axis.plot([factor * record["ci_low"], factor * record["ci_high"]], [y, y], color=colour, lw=1)
                axis.plot(
                    factor * record["estimate"],
                    y,
                    "o",
                    ms=3.6,
                    mew=0.7,
                    mec=colour,
                    mfc=colour if mixed else "white",
                )
            axis.set_xlabel(panel.label)
            axis.spines["left"].set_visible(False)
            axis.tick_params(axis="y", length=0)
            if several and reference != TRIPLETS:
                axis.set_title(f"against {shown(reference)}", loc="left")
        axes[0].set_yticks(range(len(order)), [shown(name) for name in order])
        axes[0].set_ylim(len(order) - 0.4, -0.6)
        models = [name for name in ("unadjusted", "mixed") if (data["model"] == name).any()]
        fills = {"unadjusted": ("white", "unadjusted"), "mixed": (INK, "mixed model")}
        handles = [
            Line2D(
                [], [], marker="o", ls="none", ms=3.6, mew=0.7, mec=INK, mfc=fills[m][0], label=fills[m][1]
            )
            for m in models
        ]
        if data["ci_low"].notna().any():
            paradigm_legend(figure, order, handles)
    return figure, data
