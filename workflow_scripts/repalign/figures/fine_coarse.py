"""Fine against coarse alignment: one point per model."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.figures.forest import DOTS
from repalign.figures.labelling import label_points
from repalign.figures.style import (
    INK,
    panel_columns,
    panel_grid,
    paradigm_colours,
    paradigm_legend,
    paradigm_markers,
    styled,
)
from repalign.labels import shown
from repalign.measures.registry import CATEGORY_MATCHING, MATCHING, headline_rows

TICKS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LEAST = 10.0


def fine_and_coarse(table):
    """One row per model and human: both rates with interval and chance, side by side."""
    keys = ["reference", "model", "paradigm"]
    kept = headline_rows(table[table["status"] == "ok"], [MATCHING, CATEGORY_MATCHING])
    kept = kept.assign(kind=np.where(kept["metric"] == MATCHING.metric, "fine", "coarse"))
    wide = kept.pivot(index=keys, columns="kind", values=["value", "ci_low", "ci_high", "chance", "n"])
    if wide.empty or wide.columns.get_level_values("kind").nunique() < 2:
        raise InputError("There are no object and category matching rates to draw against each other.")
    wide.columns = [f"{kind}_{name}" for name, kind in wide.columns]
    order = pd.MultiIndex.from_frame(kept[keys].drop_duplicates())
    return wide.reindex(order).reset_index()


def plot_fine_coarse(table, style):
    """Top-1 matching of objects against top-1 matching of categories, on logarithmic axes, one panel per human.

    Parameters
    ----------
    table : tidy table, one layer per model
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of `fine_and_coarse`)
    """
    data = fine_and_coarse(table)
    humans = list(dict.fromkeys(data["reference"]))
    colours, marks = paradigm_colours(data["paradigm"]), paradigm_markers(data["paradigm"])
    with styled(style):
        panel = style["width_mm"] / panel_columns(len(humans), style, LEAST)
        height = min(0.8 * panel, 11.5 * style["font_size"])
        figure, axes = panel_grid(len(humans), style, height, least=LEAST, sharex=True, sharey=True)
        for axis, human in zip(axes, humans, strict=True):
            own = data[data["reference"] == human]
            # A rate of 0, which has no logarithm, is drawn at half an object.
            points = {
                kind: own[f"{kind}_value"].clip(lower=0.5 / own[f"{kind}_n"]) for kind in ("coarse", "fine")
            }
            for record, x, y in zip(own.to_dict("records"), points["coarse"], points["fine"], strict=True):
                colour = colours[record["paradigm"]]
                floor = 0.5 / record["fine_n"], 0.5 / record["coarse_n"]
                axis.plot(
                    [x, x],
                    np.maximum([record["fine_ci_low"], record["fine_ci_high"]], floor[0]),
                    color=colour,
                    lw=0.7,
                )
                axis.plot(
                    [max(record["coarse_ci_low"], floor[1]), record["coarse_ci_high"]],
                    [y, y],
                    color=colour,
                    lw=0.7,
                )
                axis.plot(x, y, marks[record["paradigm"]], ms=4, mec="white", mew=0.4, color=colour)
            axis.axvline(own["coarse_chance"].mean(), color=INK, lw=0.7, ls=DOTS)
            axis.axhline(own["fine_chance"].mean(), color=INK, lw=0.7, ls=DOTS)
            axis.set_xscale("log")
            axis.set_yscale("log")
            for which in (axis.xaxis, axis.yaxis):
                which.set_major_locator(_ticks())
                which.set_major_formatter(lambda value, _: f"{100 * value:g}")
                which.set_minor_locator(_no_ticks())
            axis.set_xlabel(f"category matching, {shown(human)} (%)")
        low = data["fine_value"].clip(lower=0.5 / data["fine_n"])
        axes[0].set_ylim(0.6 * min(low.min(), data["fine_chance"].min()), 1.6)
        axes[0].set_xlim(0.7 * min(data["coarse_value"].min(), data["coarse_chance"].min()), 1.35)
        axes[0].set_ylabel("object matching (%)")
        paradigm_legend(figure, data["paradigm"], shapes=True)
        figure.draw_without_rendering()
        for axis, human in zip(axes, humans, strict=True):
            own = data[data["reference"] == human]
            y = own["fine_value"].clip(lower=0.5 / own["fine_n"])
            label_points(axis, own["coarse_value"], y, own["model"], [colours[p] for p in own["paradigm"]])
    return figure, data


def _ticks():
    from matplotlib.ticker import FixedLocator

    return FixedLocator(TICKS)


def _no_ticks():
    from matplotlib.ticker import NullLocator

    return NullLocator()
