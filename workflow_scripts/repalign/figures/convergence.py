"""Every trial of every alignment: loss against epsilon and against matching, and the sensitivity map."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.figures.style import (
    FAINT,
    INK,
    logarithmic,
    panel_grid,
    paradigm_colours,
    paradigm_legend,
    paradigm_markers,
    styled,
)
from repalign.labels import shown
from repalign.storage.score_table import column_name


def excess_loss(trials):
    """Relative excess of every loss over the lowest of its alignment: 0 for the best."""
    lowest = trials.groupby(["human", "model", "layer"])["loss"].transform("min")
    return trials["loss"] / lowest - 1


RUNS = ["human", "model", "layer", "epsilon", "seed", "loss", "top1"]


def sensitivity_runs(table):
    """The runs of the sensitivity maps that have a loss, each start and seed a row of the map.

    Parameters
    ----------
    table : data frame, `aggregate/gwot_sensitivity.parquet`
    """
    table = table.rename(columns={column_name("gwot", "top1"): "top1"}).dropna(subset=["loss", "top1"])
    return table.assign(seed=table["start"] + " " + table["seed"].astype(str))[RUNS]


def plot_convergence(trials, runs, style):
    """Loss against epsilon and against matching; where a sensitivity map was run, that of the first alignment too.

    Parameters
    ----------
    trials : data frame: human, model, layer, paradigm, epsilon, loss, status, best (bool), top1
    runs : data frame: human, model, layer, start, epsilon, seed, loss, gwot_top1; None where no sensitivity map was run
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of all trials and runs, without their seconds: same seed, same bytes)
    """
    runs = pd.DataFrame(columns=RUNS) if runs is None else sensitivity_runs(runs)
    trials = trials[np.isfinite(trials["loss"])]
    if trials.empty:
        raise InputError("No trial of any alignment has a loss.")
    colours = paradigm_colours(trials["paradigm"])
    marks = paradigm_markers(colours)
    shown_map = _first_map(runs)
    with styled(style):
        figure, axes = panel_grid(2 if shown_map is None else 4, style, 8 * style["font_size"], least=8)
        left = axes[0]
        excess = 100 * excess_loss(trials)
        _trials(left, trials["relative_epsilon"], excess, trials, colours, marks)
        logarithmic(left.xaxis)
        left.set_xlabel(r"$\epsilon$ relative to the spread of the dissimilarities")
        left.set_ylabel("loss above the lowest (%)")
        _matching(axes[1], trials, runs, colours, marks)
        if shown_map is not None:
            _maps(figure, axes[2:], shown_map)
        paradigm_legend(figure, trials["paradigm"], shapes=True)
    kinds = [trials.drop(columns="seconds", errors="ignore").assign(kind="trial")]
    if not runs.empty:
        kinds.append(runs.assign(kind="sensitivity"))
    return figure, pd.concat(kinds, ignore_index=True)


def _trials(axis, x, y, trials, colours, marks):
    """One point per trial in the colour and shape of its paradigm; those that were kept are filled, and on top."""
    for kept, rows in trials.groupby(trials["best"].astype(bool)):
        for paradigm, own in rows.groupby("paradigm", sort=False):
            axis.plot(
                x[own.index], y[own.index], marks[paradigm], ms=3.4, mew=0.6, zorder=3 if kept else 2,
                mec=colours[paradigm], mfc=colours[paradigm] if kept else "none",
            )  # fmt: skip


def _matching(axis, trials, runs, colours, marks):
    if not runs.empty:
        paradigms = trials.drop_duplicates("model").set_index("model")["paradigm"]
        for (_, model, _), own in runs.groupby(["human", "model", "layer"], sort=False):
            axis.plot(
                own["loss"],
                100 * own["top1"],
                marks[paradigms[model]],
                ms=2.4,
                mfc="none",
                mew=0.5,
                mec=colours[paradigms[model]],
                alpha=0.7,
            )
    _trials(axis, trials["loss"], 100 * trials["top1"], trials, colours, marks)
    logarithmic(axis.xaxis)
    axis.set_xlabel("Gromov-Wasserstein loss")
    axis.set_ylabel("object matching (%)")
    axis.set_ylim(bottom=-2)


def _first_map(runs):
    """(title, loss and top-1 by seed and epsilon) of the alignment whose top-1 depends most on epsilon and seed."""
    if runs.empty:
        return None
    spread = runs.groupby(["human", "model", "layer"], sort=False)["top1"].agg(np.ptp)
    key = spread.idxmax()
    own = runs[(runs[["human", "model", "layer"]] == list(key)).all(axis=1)]
    tables = {f: own.pivot(index="seed", columns="epsilon", values=f) for f in ("loss", "top1")}
    return f"{shown(key[1])} with {shown(key[0])}", tables


def _maps(figure, axes, shown_map):
    title, tables = shown_map
    styles = {"loss": ("loss", 1, "viridis"), "top1": ("top-1 (%)", 100, "magma_r")}
    for axis, (field, table) in zip(axes, tables.items(), strict=True):
        label, factor, cmap = styles[field]
        drawn = axis.imshow(factor * table, aspect="auto", cmap=cmap, origin="lower")
        axis.set_xticks(range(table.shape[1]), [f"{e:.2g}" for e in table.columns])
        axis.set_yticks(range(table.shape[0]), table.index)
        axis.set_xlabel(r"$\epsilon$")
        axis.set_ylabel("seed")
        axis.set_title(title, loc="left", color=INK)
        axis.tick_params(length=0, color=FAINT)
        figure.colorbar(drawn, ax=axis, label=label, pad=0.02, aspect=14)
