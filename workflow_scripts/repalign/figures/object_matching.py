"""Which categories and which objects are matched, by model."""

from textwrap import shorten

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from repalign.analysis.object_matching import category_summary
from repalign.errors import InputError
from repalign.figures.style import INK, MM, OUTCOMES, styled
from repalign.labels import paradigm_order, shown, spaced

NAMED = 12  # objects that the last panel names at either end


def plot_object_matching(matches, paradigms, human, style):
    """Matching rates in every category, and how many models find each object.

    Parameters
    ----------
    matches : data frame of `repalign.analysis.object_matching.object_matches` with the columns human and model
    paradigms : dict of model to paradigm
    human : str, the human representation to show
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame: kind `category` or `object`, human, model, what was matched and how often)
    """
    matches = matches[(matches["human"] == human) & (matches["direction"] == "rows")]
    if matches.empty:
        raise InputError(f"There is no alignment with {human} to draw.")
    order = [m for p in paradigm_order(paradigms.values()) for m in paradigms if paradigms[m] == p]
    order = [m for m in order if m in set(matches["model"])]
    rates = category_summary(matches)
    objects = _objects(matches, [m for m in order if paradigms[m] not in ("human", "random")] or order)
    columns = rates.groupby("category")["category_matched"].mean().sort_values(ascending=False).index
    with styled(style):
        size = style["font_size"]
        heights = [0.5 * size * len(order) + 2, 0.5 * size * len(order) + 2, 3.4 * size]
        height = sum(heights) + 9 * size
        narrow = style["width_mm"] < 18 * size
        across = (0.52 if narrow else 0.75) * style["width_mm"] * MM * 72  # of the panels, in points
        figure, axes = plt.subplots(
            3, 1, figsize=(style["width_mm"] * MM, height * MM), layout="constrained",
            gridspec_kw={"height_ratios": heights},
        )  # fmt: skip
        labels = {"matched": "objects", "category_matched": "categories"}
        for axis, (field, label) in zip(axes, labels.items(), strict=False):
            wide = rates.pivot(index="model", columns="category", values=field).loc[order, columns]
            drawn = axis.imshow(100 * wide, aspect="auto", cmap="magma_r", vmin=0, vmax=100)
            axis.set_yticks(range(len(order)), [shown(name) for name in order])
            bottom = field == "category_matched"
            axis.set_xticks(
                range(len(columns)),
                columns if bottom else [],
                rotation=90,
                fontsize=min(0.8 * size, across / len(columns)),
            )
            axis.tick_params(length=0)
            axis.set_title(label, loc="left")
        figure.colorbar(drawn, ax=list(axes[:2]), label="matched (%)", pad=0.01, aspect=20, shrink=0.9)
        # A letter is about half as wide as the font is high.
        _draw_objects(axes[2], objects, size, 0 if narrow else int(across / (0.85 * 0.52 * size)))
    tidy = rates.rename(columns={"category": "name"}).assign(kind="category")
    return figure, pd.concat([tidy, objects.assign(kind="object", human=human)], ignore_index=True)[
        ["kind", "human", "model", "name", "matched", "category_matched", "n"]
    ]


def _objects(matches, models):
    """Share of the models that match each object, and its category; the most often matched first."""
    own = matches[matches["model"].isin(models)]
    grouped = own.groupby("object", sort=False)
    table = grouped.agg(
        matched=("matched", "mean"),
        category_matched=("category_matched", "mean"),
        n=("model", "size"),
        rank=("rank", "mean"),
    )
    table = table.reset_index().sort_values(["matched", "rank"], ascending=[False, True], kind="stable")
    return (
        table.drop(columns="rank")
        .rename(columns={"object": "name"})
        .assign(model="all")
        .reset_index(drop=True)
    )


def _draw_objects(axis, objects, size, letters):
    x = np.arange(1, len(objects) + 1)
    axis.fill_between(x, 100 * objects["matched"], step="mid", color=OUTCOMES["object"], lw=0)
    axis.set_xlim(0.5, len(objects) + 0.5)
    top = 100 * max(objects["matched"].max(), 0.1)
    axis.set_ylim(0, 1.5 * top)  # room for the names
    axis.set_yticks([tick for tick in (0, 10, 25, 50, 75, 100) if tick <= top])
    axis.set_xlabel("objects, from the most to the least often matched")
    axis.set_ylabel("matched by (% of models)")
    if not letters:
        return
    names = [spaced(name) for name in objects["name"]]
    ends = {"first": names[:NAMED], "last": names[: -NAMED - 1 : -1]}
    words = [shorten(f"{end}: {', '.join(own)}", letters, placeholder=" …") for end, own in ends.items()]
    axis.text(
        0.98, 0.95, "\n".join(words), ha="right", va="top",
        transform=axis.transAxes, fontsize=0.85 * size, color=INK,
    )  # fmt: skip
