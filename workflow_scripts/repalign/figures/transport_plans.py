"""Two transport plans sorted by category: one that finds the objects, one that does not."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm

from repalign.errors import InputError
from repalign.figures.style import INK, MM, styled

CELLS = 360  # a plan is drawn on at most this many cells a side


def choose_pair(scores):
    """The (human, model, layer) with the highest and the lowest top-1 matching rate, people's own left out."""
    top = scores[(scores["metric"] == "gwot_top1") & (scores["status"] == "ok")]
    top = top[top["paradigm"] != "human"] if (top["paradigm"] != "human").any() else top
    if top.empty:
        raise InputError("There is no transport plan to draw.")
    keys = ["human", "model", "layer"]
    best = top.loc[top["value"].idxmax()]
    # Both plans are against one human, or they could not be compared by eye.
    poorest = top[top["human"] == best["human"]]
    return tuple(best[keys]), tuple(poorest.loc[poorest["value"].idxmin(), keys])


def plot_transport_plans(plans, style):
    """Draw plans side by side.

    Parameters
    ----------
    plans : list of dict with `plan` (n, n), `category` (n), `human`, `model`, `top1` (rate) and `category_rate`
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of the mass between every two categories)
    """
    with styled(style):
        side = style["width_mm"] / len(plans)
        figure, axes = plt.subplots(
            1,
            len(plans),
            figsize=(style["width_mm"] * MM, side * 0.98 * MM),
            layout="constrained",
            squeeze=False,
        )
        shown = [_prepare(entry) for entry in plans]
        peak = max(image.max() for image, *_ in shown)
        for axis, entry, (image, edges, names) in zip(axes[0], plans, shown, strict=True):
            drawn = axis.imshow(
                image,
                cmap="magma_r",
                norm=PowerNorm(0.4, 0, peak),
                interpolation="nearest",
                extent=(0, 1, 1, 0),
            )
            _label(axis, edges, names, style["font_size"])
            axis.set_ylabel(f"{entry['human'].replace('_', ' ')} (objects by category)")
            axis.set_xlabel(f"{entry['model'].replace('_', ' ')} (objects by category)")
            axis.set_title(
                f"{entry['model'].replace('_', ' ')}: top-1 {entry['top1']:.1%}, category {entry['category_rate']:.1%}"
            )
        bar = figure.colorbar(drawn, ax=axes, shrink=0.5, aspect=30, pad=0.01)
        bar.set_label("share of an object's mass")
        bar.set_ticks([0, 0.01, 0.1, 0.25, 0.5, 1], labels=["0", "1%", "10%", "25%", "50%", "100%"])
        bar.ax.set_ylim(0, peak)
    return figure, pd.concat([_block_masses(entry) for entry in plans], ignore_index=True)


def _sorted(entry):
    order = np.argsort(np.asarray(entry["category"], dtype=str), kind="stable")
    plan = np.asarray(entry["plan"])[np.ix_(order, order)]
    return plan * len(plan), np.asarray(entry["category"], dtype=str)[order]


def _prepare(entry):
    """The image, the category edges in [0, 1] and the category names; cells are pooled by their maximum."""
    mass, category = _sorted(entry)
    n = len(mass)
    cells = min(n, CELLS)
    starts = np.arange(cells) * n // cells
    image = np.maximum.reduceat(np.maximum.reduceat(mass, starts, axis=0), starts, axis=1)
    first = np.flatnonzero(np.r_[True, category[1:] != category[:-1]])
    return image, np.r_[first, n] / n, category[first]


def _label(axis, edges, names, font_size):
    for edge in edges[1:-1]:
        axis.axhline(edge, color=INK, lw=0.2, alpha=0.4)
        axis.axvline(edge, color=INK, lw=0.2, alpha=0.4)
    centres = (edges[:-1] + edges[1:]) / 2
    height = axis.get_position().height * axis.figure.get_figheight() * 72
    # A label needs its own height; smaller categories stay unnamed where the next label would touch it.
    gap, last, kept = 0.85 * font_size / height, -1.0, []
    for index, centre in enumerate(centres):
        if centre - last >= gap:
            kept.append(index)
            last = centre
    axis.set_yticks(centres[kept], names[kept], fontsize=font_size * 0.8)
    axis.set_xticks(centres[kept], names[kept], fontsize=font_size * 0.8, rotation=90)
    axis.tick_params(length=0, pad=1)


def _block_masses(entry):
    """Mass between categories, as a share of the row category's mass."""
    mass, category = _sorted(entry)
    names, code = np.unique(category, return_inverse=True)
    onehot = np.eye(len(names))[code]
    blocks = onehot.T @ mass @ onehot / onehot.sum(axis=0)[:, None]
    rows, columns = np.indices(blocks.shape).reshape(2, -1)
    return pd.DataFrame(
        {
            "human": entry["human"],
            "model": entry["model"],
            "human_category": names[rows],
            "model_category": names[columns],
            "mass_share": blocks.ravel(),
        }
    )
