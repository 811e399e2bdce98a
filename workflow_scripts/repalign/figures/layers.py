"""Measures over the depth of every model: the layer ablation."""

import pandas as pd

from repalign.errors import InputError
from repalign.figures.forest import DOTS, named
from repalign.figures.style import (
    INK,
    panel_grid,
    paradigm_colours,
    paradigm_legend,
    paradigm_markers,
    styled,
)
from repalign.labels import shown
from repalign.storage.score_table import TRIPLETS


def plot_layers(table, panels, readouts, style):
    """One panel per measure and reference, one curve per model, over relative depth; the readout is the filled point.

    Parameters
    ----------
    table : tidy table of `repalign.analysis.layer_scores.layer_scores`, all layers
    panels : list of repalign.figures.panels.Panel; those without any score are left out
    readouts : dict of model to its readout layer
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of what it shows)
    """
    table = table[table["status"] == "ok"]
    drawn = [
        (panel, reference, rows)
        for reference in dict.fromkeys(table["reference"])
        for panel in panels
        for rows in [panel.rows(table[table["reference"] == reference])]
        if len(rows)
    ]
    if not drawn:
        raise InputError(f"There are no scores {named(panels)} to draw.")
    data = pd.concat([rows for _, _, rows in drawn]).sort_index()
    data = data[~data.index.duplicated()]
    colours, marks = paradigm_colours(data["paradigm"]), paradigm_markers(data["paradigm"])
    several = data["reference"].nunique() > 1
    with styled(style):
        figure, axes = panel_grid(len(drawn), style, 6.5 * style["font_size"], least=7, sharex=True)
        for axis, (panel, reference, rows) in zip(axes, drawn, strict=True):
            for model, own in rows.groupby("model", sort=False):
                own = own.sort_values("depth")
                colour, mark = colours[own["paradigm"].iloc[0]], marks[own["paradigm"].iloc[0]]
                axis.plot(own["depth"], panel.factor * own["value"], color=colour, lw=0.8)
                axis.fill_between(
                    own["depth"],
                    panel.factor * own["ci_low"],
                    panel.factor * own["ci_high"],
                    color=colour,
                    alpha=0.13,
                    lw=0,
                )
                at = own["layer"] == readouts[model]
                axis.plot(
                    own["depth"],
                    panel.factor * own["value"],
                    mark,
                    ms=2.6,
                    mec=colour,
                    mfc="white",
                    mew=0.6,
                    ls="none",
                )
                axis.plot(
                    own["depth"][at], panel.factor * own["value"][at], mark, ms=3.4, color=colour, ls="none"
                )
            if rows["chance"].notna().any():
                axis.axhline(panel.factor * rows["chance"].mean(), color=INK, lw=0.7, ls=DOTS)
            ceiling = rows.loc[rows["paradigm"] != "human", "ceiling"]
            if ceiling.notna().any():
                axis.axhline(panel.factor * ceiling.mean(), color=INK, lw=0.8)
            axis.set_ylabel(panel.label)
            axis.set_xlabel("relative depth")
            axis.set_xlim(-0.05, 1.05)
            axis.tick_params(labelbottom=True)  # a place below may be empty
            if several and reference != TRIPLETS:
                axis.set_title(f"against {shown(reference)}", loc="left")
        paradigm_legend(figure, data["paradigm"], shapes=True)
    return figure, data
