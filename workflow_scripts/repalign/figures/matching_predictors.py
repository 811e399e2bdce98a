"""GWOT matching of categories and of objects against convexity, over layers."""

import pandas as pd
from matplotlib.lines import Line2D

from repalign.analysis.correlations import main_columns
from repalign.analysis.matching_predictors import KINDS, OUTCOMES
from repalign.errors import InputError
from repalign.figures.model_styles import CHANCE, model_legend, table_styles
from repalign.figures.style import INK, panel_columns, panel_grid, styled
from repalign.labels import shown

LEAST = 7.0  # width of a panel, see `panel_columns`
FILLS = {"categories": INK, "objects": "white"}


def plot_matching_predictors(table, columns, predictors, finetuned, style):
    """Matching of categories and of objects against convexity, and the correlations of both with convexity.

    Parameters
    ----------
    table, columns : data frames of `repalign.analysis.correlations.joined`
    predictors : data frame of `repalign.analysis.matching_predictors.matching_predictors`
    finetuned : dict of pretrained models to their fine-tuned versions
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of what it shows); of several humans the first one is drawn, and named
    """
    human, outcomes = _first_human(columns)
    data = table.dropna(subset=["convexity", *outcomes])[
        ["model", "paradigm", "layer", "depth", "convexity", *outcomes]
    ]
    if data.empty:
        raise InputError(
            "No layer has both convexity and a transport plan; align the layers of the convexity study."
        )
    paradigms, styles = table_styles(data, finetuned)
    drawn = predictors[(predictors["x"] == "convexity") & (predictors["human"] == human)]
    with styled(style):
        columns = panel_columns(3, style, LEAST)
        figure, axes = panel_grid(3, style, 1.14 * style["width_mm"] / max(columns, 2), LEAST)
        for axis, (column, what) in zip(axes, outcomes.items(), strict=False):
            for model, rows in data.groupby("model", sort=False):
                rows = rows.sort_values("depth")
                x, y = 100 * rows["convexity"], 100 * rows[column]
                axis.plot(x, y, ms=2.8, mew=0.6, lw=0.5, **styles[model])
            axis.set_xlabel("graph convexity (%)")
            against = f", {shown(human)}" if predictors["human"].nunique() > 1 else ""
            axis.set_ylabel(f"GWOT matching of {what}{against} (%)")
            axis.set_ylim(bottom=0)
        _forest(axes[2], drawn)
        for letter, axis in zip("abc", axes, strict=True):
            axis.set_title(letter, loc="left", fontweight="bold")
        model_legend(figure, styles, paradigms)
    correlations = drawn.assign(metric="correlation with " + drawn["matching"], layer=drawn["kind"])
    correlations = correlations[["metric", "layer", "value", "ci_low", "ci_high", "n", "n_models"]]
    return figure, pd.concat([data, correlations], ignore_index=True)


def _first_human(columns):
    """The first human of the transport plans, and its columns with what they match."""
    own = main_columns(columns)
    own = own[own["metric"].isin(OUTCOMES)]
    if own.empty:
        raise InputError("There is no transport plan of the convexity study's models; run the alignment.")
    human = own["reference"].iloc[0]
    found = own[own["reference"] == human].set_index("metric")["column"]
    return human, {found[metric]: what for metric, what in OUTCOMES.items() if metric in found}


def _forest(axis, drawn):
    for row, kind in enumerate(KINDS):
        for shift, what in ((-0.12, "categories"), (0.12, "objects")):
            found = drawn[(drawn["kind"] == kind) & (drawn["matching"] == what)].dropna(subset=["value"])
            for record in found.to_dict("records"):
                axis.hlines(row + shift, record["ci_low"], record["ci_high"], color=INK, lw=0.9)
                axis.plot(record["value"], row + shift, "o", ms=3.4, mec=INK, mfc=FILLS[what], mew=0.7)
    axis.axvline(0, **CHANCE)
    axis.set(xlim=(-1.05, 1.05), ylim=(len(KINDS) - 0.5, -1.2))
    axis.set_yticks(range(len(KINDS)), KINDS)
    axis.set_xlabel("correlation with convexity (r)")
    handles = [
        Line2D([], [], marker="o", ls="none", ms=3.4, mec=INK, mew=0.7, mfc=fill, label=what)
        for what, fill in FILLS.items()
    ]
    # A white background, because the line at zero runs behind the words.
    legend = axis.legend(handles=handles, loc="upper left", handletextpad=0.2, frameon=True, framealpha=1)
    legend.get_frame().set(edgecolor="none", facecolor="white")
