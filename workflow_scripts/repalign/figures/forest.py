"""Scores by model: a row per model, a panel per measure, with interval, chance and ceiling."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.lines import Line2D

from repalign.errors import InputError
from repalign.figures.style import FAINT, INK, LABELS, MARKERS, MM, paradigm_colours, paradigm_order, styled


@dataclass(frozen=True)
class Panel:
    """One measure: the metric of the tidy table, its axis label, the factor and the limits of the axis."""

    metric: str
    label: str
    factor: float = 1.0
    limits: tuple[float, float] | None = None


def plot_forest(table, panels, style, title=None):
    """Draw one row per model, grouped by paradigm, and one panel per measure.

    Parameters
    ----------
    table : data frame, rows of the tidy table (`repalign.aggregate`), one layer a model
    panels : list of Panel
    style : dict, see `repalign.figures.style.styled`
    title : str, shown where the style asks for titles

    Returns
    -------
    (figure, data frame of what it shows)
    """
    data = table[table["metric"].isin([panel.metric for panel in panels]) & (table["status"] == "ok")]
    if data.empty:
        raise InputError(f"There are no scores {', '.join(panel.metric for panel in panels)} to draw.")
    colours = paradigm_colours(data["paradigm"])
    rows = _rows(data)
    markers = {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(_judges(data))}
    with styled(style):
        row_height = 0.55 + 0.25 * (
            len(_judges(data)) - 1
        )  # millimetres per point of the font; several humans need room
        height = (style["font_size"] * (row_height * len(rows) + 2.2)) * MM
        figure, axes = plt.subplots(
            1,
            len(panels),
            sharey=True,
            squeeze=False,
            figsize=(style["width_mm"] * MM, height),
            layout="constrained",
        )
        for axis, panel in zip(axes[0], panels, strict=True):
            _draw(axis, data[data["metric"] == panel.metric], panel, rows, colours, markers)
        first = axes[0][0]
        first.set_yticks([row["y"] for row in rows.values()], [name.replace("_", " ") for name in rows])
        first.set_ylim(max(row["y"] for row in rows.values()) + 0.7, -0.7)
        if style["titles"] and title:
            figure.suptitle(title)
        figure.legend(
            handles=_legend(data, colours, markers),
            loc="outside lower center",
            ncols=min(6, len(colours)),
            handletextpad=0.4,
            columnspacing=1.2,
        )
    return figure, data


def _judges(data):
    """Human representations, in the order of the table; the triplets are no representation."""
    return [name for name in dict.fromkeys(data["human"]) if name != "triplets"] or ["triplets"]


def _rows(data):
    """Position of every model: paradigms in their fixed order with a gap between, models in table order."""
    rows, y = {}, 0.0
    for paradigm in paradigm_order(data["paradigm"]):
        for model in dict.fromkeys(data.loc[data["paradigm"] == paradigm, "model"]):
            rows[model] = {"y": y, "paradigm": paradigm}
            y += 1
        y += 0.5
    return rows


def _draw(axis, data, panel, rows, colours, markers):
    humans = list(dict.fromkeys(data["human"]))
    spread = 0.5 / max(len(humans), 1)
    for index, human in enumerate(humans):
        shift = (index - (len(humans) - 1) / 2) * spread
        own = data[data["human"] == human]
        _reference_lines(axis, own, panel.factor, index)
        for record in own.to_dict("records"):
            row = rows[record["model"]]
            value = record["value"] * panel.factor
            if pd.notna(record["ci_low"]):
                ends = (record["ci_low"] * panel.factor, record["ci_high"] * panel.factor)
                axis.plot(
                    ends, [row["y"] + shift] * 2, color=colours[row["paradigm"]], lw=1, solid_capstyle="butt"
                )
            axis.plot(
                value,
                row["y"] + shift,
                marker=markers.get(human, MARKERS[0]),
                ms=3.6,
                mew=0.7,
                mfc=colours[row["paradigm"]] if index == 0 else "white",
                mec=colours[row["paradigm"]],
                ls="none",
            )
    for row in rows.values():
        axis.axhline(row["y"], color=FAINT, lw=0.3, zorder=0)
    axis.set_xlabel(panel.label)
    if panel.limits is not None:
        axis.set_xlim(panel.limits)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def _reference_lines(axis, own, factor, index):
    chance = own["chance"].dropna()
    if len(chance):
        axis.axvline(chance.mean() * factor, color=INK, lw=0.7, ls=(0, (1, 1.5)), zorder=1)
    ceiling = own["ceiling"].dropna()
    if len(ceiling):
        axis.axvline(
            ceiling.iloc[0] * factor, color=INK, lw=0.8, ls="-" if index == 0 else (0, (6, 2)), zorder=1
        )


def _legend(data, colours, markers):
    handles = [
        Line2D([], [], marker="o", ls="none", ms=3.6, color=colours[name], label=LABELS.get(name, name))
        for name in paradigm_order(data["paradigm"])
    ]
    if len(markers) > 1:
        for index, (human, marker) in enumerate(markers.items()):
            fill = INK if index == 0 else "white"
            label = f"against {human.replace('_', ' ')}"
            handles.append(
                Line2D([], [], marker=marker, ls="none", ms=3.6, mfc=fill, mec=INK, mew=0.7, label=label)
            )
    handles.append(Line2D([], [], color=INK, lw=0.7, ls=(0, (1, 1.5)), label="chance"))
    if data["ceiling"].notna().any():
        handles.append(Line2D([], [], color=INK, lw=0.8, label="human ceiling"))
    return handles
