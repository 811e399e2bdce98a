"""Scores by model: a row per model, a panel per measure, with interval, paradigm means, chance and ceiling."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from repalign.errors import InputError
from repalign.figures.style import (
    FAINT,
    INK,
    MARKERS,
    panel_columns,
    panel_grid,
    paradigm_colours,
    paradigm_legend,
    styled,
)
from repalign.labels import paradigm_order, shown
from repalign.storage.score_table import TRIPLETS, column_name

DOTS = (0, (1, 1.5))


def plot_forest(table, panels, style, title=None, means=False):
    """Draw one row per model, grouped by paradigm, and one panel per measure.

    Parameters
    ----------
    table : data frame, rows of the tidy table (`repalign.analysis.layer_scores`), one layer per model
    panels : list of repalign.figures.panels.Panel
    style : dict, see `repalign.figures.style.styled`
    title : str, shown where the style asks for titles
    means : bool
        Also show the mean of every paradigm, and the band of chance.

    Returns
    -------
    (figure, data frame of what it shows)
    """
    table = table[table["status"] == "ok"]
    shown_rows = [panel.rows(table) for panel in panels]
    data = pd.concat(shown_rows).sort_index()
    data = data[~data.index.duplicated()]
    if data.empty:
        raise InputError(f"There are no scores {named(panels)} to draw.")
    colours = paradigm_colours(data["paradigm"])
    rows = _rows(data)
    references = _representations(data, panels)
    markers = {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(references)}
    with styled(style):
        size = style["font_size"]
        # Heights in millimetres per point of the font; several references need more room a row.
        height = size * (
            (0.55 + 0.2 * (len(references) - 1)) * (max(r["y"] for r in rows.values()) + 1) + 1.8
        )
        # The legend, and labels in two lines, of a figure of one column.
        narrow = style["width_mm"] < 18 * size
        height += size * (3 if narrow else 1.2) / (-(-len(panels) // panel_columns(len(panels), style)))
        figure, axes = panel_grid(len(panels), style, height, sharey=True)
        for axis, panel, own in zip(axes, panels, shown_rows, strict=True):
            _draw(axis, own, panel, rows, colours, markers, means)
        axes[0].set_yticks([row["y"] for row in rows.values()], [shown(name) for name in rows])
        axes[0].set_ylim(max(row["y"] for row in rows.values()) + 0.7, -0.7)
        if style["titles"] and title:
            figure.suptitle(title)
        paradigm_legend(figure, data["paradigm"], _further(data, markers, means))
    return figure, data


def named(panels):
    """The measures of panels, by the names of their columns."""
    return ", ".join(column_name(panel.metric, panel.variant) for panel in panels)


def _representations(data, panels):
    """What the models are compared with, each with a marker of its own; the triplets are no representation."""
    if all(panel.reference is not None for panel in panels):
        return [TRIPLETS]
    return [name for name in dict.fromkeys(data["reference"]) if name != TRIPLETS] or [TRIPLETS]


def _rows(data):
    """Position of every model: paradigms in their fixed order with a gap between, models in table order."""
    rows, y = {}, 0.0
    for paradigm in paradigm_order(data["paradigm"]):
        for model in dict.fromkeys(data.loc[data["paradigm"] == paradigm, "model"]):
            rows[model] = {"y": y, "paradigm": paradigm}
            y += 1
        y += 0.5
    return rows


def _draw(axis, data, panel, rows, colours, markers, means):
    references = list(dict.fromkeys(data["reference"]))
    spread = 0.55 / max(len(references), 1)
    for index, reference in enumerate(references):
        shift = (index - (len(references) - 1) / 2) * spread
        own = data[data["reference"] == reference]
        _reference_lines(axis, own, panel, index, means)
        if means and index == 0:
            _means(axis, own, panel.factor, rows, colours)
        for record in own.to_dict("records"):
            row = rows[record["model"]]
            colour, y = colours[row["paradigm"]], row["y"] + shift
            if pd.notna(record["ci_low"]):
                ends = (record["ci_low"] * panel.factor, record["ci_high"] * panel.factor)
                axis.plot(ends, [y] * 2, color=colour, lw=1, solid_capstyle="butt")
            axis.plot(
                record["value"] * panel.factor, y, marker=markers.get(reference, MARKERS[0]), ms=3.6, mew=0.7,
                mfc=colour if index == 0 else "white", mec=colour, ls="none",
            )  # fmt: skip
    for row in rows.values():
        axis.axhline(row["y"], color=FAINT, lw=0.3, zorder=0)
    axis.set_xlabel(panel.label)
    if panel.limits is not None:
        axis.set_xlim(panel.limits)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def _means(axis, own, factor, rows, colours):
    """A bar behind the rows of every paradigm of two models or more, at their mean."""
    for paradigm, group in own.groupby("paradigm", sort=False):
        if len(group) > 1:
            heights = [rows[model]["y"] for model in group["model"]]
            ends = (min(heights) - 0.45, max(heights) + 0.45)
            axis.plot(
                [group["value"].mean() * factor] * 2, ends, color=colours[paradigm], lw=2.2, alpha=0.35,
                solid_capstyle="butt", zorder=0.5,
            )  # fmt: skip


def _reference_lines(axis, own, panel, index, band):
    chance = own["chance"].dropna()
    if len(chance):
        axis.axvline(chance.mean() * panel.factor, color=INK, lw=0.7, ls=DOTS, zorder=1)
        if band and index == 0 and own["chance_low"].notna().any():
            ends = panel.factor * own["chance_low"].min(), panel.factor * own["chance_high"].max()
            axis.axvspan(*ends, color=FAINT, alpha=0.45, lw=0, zorder=0)
    ceiling = own.loc[own["paradigm"] != "human", "ceiling"].dropna()
    if len(ceiling):
        axis.axvline(
            ceiling.iloc[0] * panel.factor, color=INK, lw=0.8, ls="-" if index == 0 else (0, (6, 2)), zorder=1
        )


def _further(data, markers, means):
    handles = []
    if len(markers) > 1:
        for index, (reference, marker) in enumerate(markers.items()):
            fill = INK if index == 0 else "white"
            label = f"against {shown(reference)}"
            handles.append(
                Line2D([], [], marker=marker, ls="none", ms=3.6, mfc=fill, mec=INK, mew=0.7, label=label)
            )
    if means and (data.groupby("paradigm")["model"].nunique() > 1).any():
        handles.append(Patch(color=INK, alpha=0.35, lw=0, label="paradigm mean"))
    handles.append(Line2D([], [], color=INK, lw=0.7, ls=DOTS, label="chance"))
    if np.isfinite(data["ceiling"]).any():
        handles.append(Line2D([], [], color=INK, lw=0.8, label="human ceiling"))
    return handles
