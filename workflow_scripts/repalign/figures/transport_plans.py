"""Two transport plans sorted by category, one that finds the objects, one that does not, with their block means."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm

from repalign.errors import InputError
from repalign.figures.category_axes import label_categories
from repalign.figures.category_order import category_edges, category_order
from repalign.figures.pooling import pooled_maxima
from repalign.figures.style import MM, styled
from repalign.labels import shown
from repalign.measures.registry import CATEGORY_MATCHING, MATCHING, headline_rows

CELLS = 360  # a plan is drawn on at most this many cells a side


def choose_pair(scores):
    """The (human, model, layer) with the highest and the lowest top-1 matching rate, people's own left out."""
    top = headline_rows(scores[scores["status"] == "ok"], [MATCHING])
    top = top[top["paradigm"] != "human"] if (top["paradigm"] != "human").any() else top
    if top.empty:
        raise InputError("There is no transport plan to draw.")
    keys = ["reference", "model", "layer"]
    best = top.loc[top["value"].idxmax()]
    # Both plans are against one human, or they could not be compared by eye.
    poorest = top[top["reference"] == best["reference"]]
    return tuple(best[keys]), tuple(poorest.loc[poorest["value"].idxmin(), keys])


def choose_plans(scores, models, pair=None):
    """The (human, model, layer) to draw: a pair named as [human, model, model], or the one that `choose_pair` finds."""
    if pair is None:
        return choose_pair(scores)
    human, *names = pair
    return [(human, name, models[name]["readout"]) for name in names]


def plan_entry(key, arrays, metadata, scores, concepts):
    """What `plot_transport_plans` draws of one alignment.

    Parameters
    ----------
    key : (human, model, layer)
    arrays, metadata : of its `plan.safetensors`
    scores : tidy table with its matching rates
    concepts : data frame of objects with their `category`
    """
    human, model, layer = key
    own = scores[(scores["reference"] == human) & (scores["model"] == model) & (scores["layer"] == layer)]
    rates = headline_rows(own, [MATCHING, CATEGORY_MATCHING]).set_index("metric")["value"]
    category = concepts.loc[metadata["objects"], "category"].to_numpy()
    entry = {"human": human, "model": model, "plan": arrays["plan"], "category": category}
    return entry | {"top1": rates[MATCHING.metric], "category_rate": rates[CATEGORY_MATCHING.metric]}


def plot_transport_plans(plans, style):
    """Draw plans side by side, each above the mean of its blocks.

    Parameters
    ----------
    plans : list of dict with `plan` (n, n), `category` (n), `human`, `model`, `top1` (rate) and `category_rate`
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of the mass between every two categories)
    """
    blocks = [_block_masses(entry) for entry in plans]
    with styled(style):
        side, size = style["width_mm"] / len(plans), style["font_size"]
        # Where there is no room beside narrow panels, the bars lie below them and the names stand on the left alone.
        narrow = side < 9 * size
        room = 1.1 if narrow else 0.85
        bars = {"location": "bottom", "shrink": 0.8} if narrow else {"shrink": 0.5, "aspect": 30, "pad": 0.01}
        figure, axes = plt.subplots(
            2,
            len(plans),
            figsize=(style["width_mm"] * MM, (2.9 if narrow else 1.92) * side * MM),
            layout="constrained",
            squeeze=False,
        )
        sorted_plans = [_sorted(entry) for entry in plans]
        images = [pooled_maxima(mass, CELLS) for mass, _ in sorted_plans]
        peak = max(image.max() for image in images)
        for axis, entry, image, (_, category) in zip(axes[0], plans, images, sorted_plans, strict=True):
            drawn = axis.imshow(
                image,
                cmap="magma_r",
                norm=PowerNorm(0.4, 0, peak),
                interpolation="nearest",
                extent=(0, 1, 1, 0),
            )
            first = axis is axes[0, 0] or not narrow
            label_categories(axis, *category_edges(category), size, rows=first, room=room)
            axis.set_ylabel(f"{shown(entry['human'])} (objects by category)" if first else "")
            axis.set_xlabel(f"{shown(entry['model'])} (objects by category)")
            axis.set_title(
                f"{shown(entry['model'])}: objects {entry['top1']:.1%}, categories {entry['category_rate']:.1%}",
                loc="left",
            )
        bar = figure.colorbar(drawn, ax=list(axes[0]), **bars)
        bar.set_label("share of an object's mass")
        bar.set_ticks([0, 0.01, 0.1, 0.25, 0.5, 1], labels=["0", "1%", "10%", "25%", "50%", "100%"])
        (bar.ax.set_xlim if narrow else bar.ax.set_ylim)(0, peak)
        top = max(table["mass_share"].max() for table in blocks)
        for axis, entry, table in zip(axes[1], plans, blocks, strict=True):
            wide = table.pivot(index="human_category", columns="model_category", values="mass_share")
            names = [
                table["human_category"].unique()[i] for i in category_order(table["human_category"].unique())
            ]
            wide = wide.loc[names, names]
            drawn = axis.imshow(
                wide,
                cmap="magma_r",
                norm=PowerNorm(0.5, 0, top),
                interpolation="nearest",
                extent=(0, 1, 1, 0),
            )
            edges = np.linspace(0, 1, len(names) + 1)
            first = axis is axes[1, 0] or not narrow
            label_categories(axis, edges, np.array(names), size, rows=first, lines=0, room=room)
            axis.set_ylabel(f"{shown(entry['human'])} (categories)" if first else "")
            axis.set_xlabel(f"{shown(entry['model'])} (categories)")
        bar = figure.colorbar(drawn, ax=list(axes[1]), **bars)
        bar.set_label("share of a category's mass")
        bar.formatter = lambda value, _: f"{value:.0%}"
        bar.update_ticks()
    return figure, pd.concat(blocks, ignore_index=True)


def _sorted(entry):
    """Shares of each object's mass and the categories, both sorted."""
    order = category_order(entry["category"])
    plan = np.asarray(entry["plan"])[np.ix_(order, order)]
    return plan * len(plan), np.asarray(entry["category"], dtype=str)[order]


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
