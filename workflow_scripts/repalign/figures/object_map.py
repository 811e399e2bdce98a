"""Objects on the map of people, and where a model's transport plan puts them."""

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from repalign.analysis.object_matching import outcomes
from repalign.figures.style import FAINT, INK, OUTCOMES, panel_grid, styled
from repalign.gwot.projection import barycentric_projection
from repalign.inputs.things import OTHERS
from repalign.labels import shown

STYLES = {
    "neither": (0.3, 1.6),
    "category": (0.4, 2.2),
    "object": (0.6, 3.0),
}  # width of the line, size of the point
LEGEND = {
    "object": "the object itself",
    "category": "another of its category",
    "neither": "neither (line: from the object to where the model puts it)",
}
NAMED = 14  # categories named on the map


def object_map_entry(key, arrays, metadata, place):
    """What `plot_object_map` draws of one alignment.

    Parameters
    ----------
    key : (human, model, layer)
    arrays, metadata : of its `plan.safetensors`
    place : data frame of objects with `x`, `y` (where people have them) and `category`
    """
    human, model, _ = key
    own = place.loc[metadata["objects"]]
    at, category = own[["x", "y"]].to_numpy(), own["category"].to_numpy()
    entry = {
        "human": human,
        "model": model,
        "object": own.index.to_numpy(),
        "place": at,
        "category": category,
    }
    return entry | {
        "projected": barycentric_projection(np.asarray(arrays["plan"]).T, at),
        "outcome": outcomes(arrays["plan"], own["category"]),
    }


def plot_object_map(entries, style):
    """One panel per model: a line from where people have an object to where the plan puts the model's.

    Parameters
    ----------
    entries : list of dict: `human`, `model`, `place` and `projected` ((n, 2) arrays: where people have the object, and
        where the plan puts the model's), `category` (n), `outcome` ((n,): object, category or neither, by the largest
        mass), `object` (n)
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame with one row per model and object)
    """
    with styled(style):
        size = style["font_size"]
        columns = min(len(entries), max(1, int(style["width_mm"] / (9 * size))))
        side = style["width_mm"] / columns
        figure, axes = panel_grid(len(entries), style, side * 1.02, least=9)
        for axis, entry in zip(axes, entries, strict=True):
            place, projected, outcome = entry["place"], entry["projected"], np.asarray(entry["outcome"])
            axis.scatter(*place.T, s=1.4, c=FAINT, lw=0, zorder=0)
            # Thousands of lines would hide each other.
            alpha = float(np.clip(150 / len(place), 0.12, 0.7))
            for rank, (kind, (width, point)) in enumerate(STYLES.items(), start=1):
                chosen, colour = outcome == kind, OUTCOMES[kind]
                lines = np.stack([place[chosen], projected[chosen]], axis=1)
                strong = 0.8 if kind == "object" else alpha
                axis.add_collection(
                    LineCollection(lines, colors=colour, linewidths=width, alpha=strong, zorder=rank)
                )
                axis.scatter(*projected[chosen].T, s=point, c=colour, lw=0, zorder=rank + 3)
            _name_categories(axis, place, entry["category"], size)
            axis.set(xticks=[], yticks=[], aspect="equal")
            axis.spines[:].set_visible(False)
            axis.set_title(f"{shown(entry['model'])}: {(outcome == 'object').mean():.1%} matched", loc="left")
        handles = [
            Line2D([], [], color=OUTCOMES[kind], marker="o", ms=2.6, label=label)
            for kind, label in LEGEND.items()
        ]
        handles.append(Line2D([], [], color=FAINT, marker="o", ms=2.6, ls="none", label="object of people"))
        figure.legend(
            handles=handles, loc="outside lower center", ncols=1 if style["width_mm"] < 17 * size else 2
        )
    return figure, pd.concat([_rows(entry) for entry in entries], ignore_index=True)


def _rows(entry):
    return pd.DataFrame(
        {
            **{"human": entry["human"], "model": entry["model"], "object": entry["object"]},
            **{"category": entry["category"], "x": entry["place"][:, 0], "y": entry["place"][:, 1]},
            **{"projected_x": entry["projected"][:, 0], "projected_y": entry["projected"][:, 1]},
            "outcome": entry["outcome"],
        }
    )


def _name_categories(axis, place, category, size):
    """The largest categories, named at their median where no other name stands."""
    category = np.asarray(category, dtype=str)
    names, counts = np.unique(category[category != OTHERS], return_counts=True)
    taken = []
    for name in names[np.argsort(-counts, kind="stable")]:
        at = np.median(place[category == name], axis=0)
        if len(taken) < NAMED and all(abs(at[1] - y) > 0.035 or abs(at[0] - x) > 0.16 for x, y in taken):
            taken.append(at)
            text = axis.text(*at, name, ha="center", va="center", fontsize=0.85 * size, color=INK, zorder=9)
            text.set_bbox({"facecolor": "white", "alpha": 0.65, "lw": 0, "pad": 0.6})
