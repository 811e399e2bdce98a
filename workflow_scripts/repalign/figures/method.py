"""The method in one picture: dissimilarities, alignment without labels, matching."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import ConnectionPatch

from repalign.figures.style import INK, MM, OUTCOMES, styled

OBJECTS = ("dog", "cat", "horse", "apple", "pear", "bread", "car", "bus", "bike")
CATEGORIES = ("animal",) * 3 + ("food",) * 3 + ("vehicle",) * 3
TINTS = {"animal": "#56B4E9", "food": "#E69F00", "vehicle": "#999933"}
PEOPLE = np.array(
    [
        [0.1, 0.8],
        [0.22, 0.94],
        [0.36, 0.74],
        [0.72, 0.9],
        [0.86, 0.8],
        [0.7, 0.66],
        [0.3, 0.2],
        [0.48, 0.12],
        [0.62, 0.3],
    ]
)
TURN = 2.1  # radians: the model's space has its own axes
SPREAD = 0.16


def illustration(seed=267):
    """The two spaces and the plan of the schematic: places (9, 2), places (9, 2), plan (9, 9)."""
    rng = np.random.default_rng(seed)
    blurred = PEOPLE + rng.normal(scale=0.12, size=PEOPLE.shape)
    distance = np.linalg.norm(PEOPLE[:, None] - blurred[None], axis=2)
    plan = np.exp(-((distance / SPREAD) ** 2))
    for _ in range(200):
        plan /= plan.sum(axis=1, keepdims=True)
        plan /= plan.sum(axis=0, keepdims=True)
    centred = blurred - blurred.mean(axis=0)
    turn = np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])
    return PEOPLE, centred @ turn.T + 0.5, plan / len(plan)


def plot_method(style):
    """Draw the schematic; it shows an illustration of nine objects, not results.

    Returns
    -------
    (figure, data frame of the nine objects: places in both spaces and the partner of largest mass)
    """
    people, model, plan = illustration()
    partner = plan.argmax(axis=1)
    with styled(style):
        wide = style["width_mm"] / style["font_size"] >= 20
        height = max(0.36 * style["width_mm"], 9 * style["font_size"]) if wide else 1.15 * style["width_mm"]
        size = (style["width_mm"] * MM, height * MM)
        figure = plt.figure(figsize=size, layout="constrained")
        if wide:
            grid = figure.subplot_mosaic(
                [["people", "c", "plan", "match"], ["model", "d", "plan", "match"]],
                width_ratios=[1, 0.85, 1.75, 1.55],
            )
        else:
            grid = figure.subplot_mosaic(
                [["people", "c"], ["model", "d"], ["plan", "match"]], height_ratios=[1, 1, 1.3]
            )
        _space(grid["people"], people, "a   people", style["font_size"])
        _space(grid["model"], model, "model", style["font_size"])
        _matrix(grid["c"], np.linalg.norm(people[:, None] - people[None], axis=2), r"dissimilarity $C$")
        _matrix(grid["d"], np.linalg.norm(model[:, None] - model[None], axis=2), r"dissimilarity $D$")
        _plan(grid["plan"], plan, style["font_size"])
        _matches(grid["match"], partner, style["font_size"])
        for left, right in (("people", "c"), ("model", "d")):
            figure.add_artist(
                ConnectionPatch(
                    (1.0, 0.5), (-0.06, 0.5), "axes fraction", "axes fraction", axesA=grid[left], axesB=grid[right],
                    arrowstyle="-|>", color=INK, lw=0.7, mutation_scale=5,
                )
            )  # fmt: skip
    names = np.array(OBJECTS)
    return figure, pd.DataFrame(
        {
            **{"object": names, "category": CATEGORIES, "people_x": people[:, 0], "people_y": people[:, 1]},
            **{"model_x": model[:, 0], "model_y": model[:, 1], "partner": names[partner]},
            "mass_share": plan.max(axis=1) * len(plan),
        }
    )


def _space(axis, places, title, size):
    for (x, y), name, category in zip(places, OBJECTS, CATEGORIES, strict=True):
        axis.plot(x, y, "o", ms=4, color=TINTS[category], mec=INK, mew=0.3)
        axis.annotate(name, (x, y), (0, 3.2), textcoords="offset points", ha="center", fontsize=0.8 * size)
    axis.set_title(title, loc="left")
    axis.margins(0.2, 0.34)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(True)


def _matrix(axis, matrix, title):
    axis.imshow(matrix, cmap="viridis", interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, loc="left")


def _plan(axis, plan, size):
    axis.imshow(plan, cmap="magma_r", interpolation="nearest")
    axis.set_xticks(range(9), OBJECTS, rotation=90, fontsize=0.85 * size)
    axis.set_yticks(range(9), OBJECTS, fontsize=0.85 * size)
    axis.tick_params(length=0)
    for edge in (2.5, 5.5):
        axis.axhline(edge, color=INK, lw=0.3)
        axis.axvline(edge, color=INK, lw=0.3)
    axis.set_title("b   transport plan $T$", loc="left")
    axis.set_ylabel("people")
    axis.set_xlabel(
        "model\n\n" + r"$\min_T \; \sum_{ijkl} (C_{ij} - D_{kl})^2\, T_{ik} T_{jl} \;-\; \epsilon\, H(T)$"
    )


def _matches(axis, partner, size):
    """Every object of people joined to its partner: matched, in the right category, or neither."""
    for row, chosen in enumerate(partner):
        exact, alike = row == chosen, CATEGORIES[row] == CATEGORIES[chosen]
        look = (
            {"color": OUTCOMES["object"], "lw": 1.2}
            if exact
            else {
                "color": OUTCOMES["category" if alike else "neither"],
                "lw": 1.2,
                "ls": "--" if alike else ":",
            }
        )
        axis.plot([0.3, 0.7], [row, chosen], **look)
    for row, (name, category) in enumerate(zip(OBJECTS, CATEGORIES, strict=True)):
        for x, side in ((0.27, "right"), (0.73, "left")):
            axis.plot(
                0.3 if side == "right" else 0.7, row, "o", ms=3.5, color=TINTS[category], mec=INK, mew=0.3
            )
            axis.text(x, row, name, ha=side, va="center", fontsize=0.85 * size)
    hits = np.mean([i == j for i, j in enumerate(partner)])
    alike = np.mean([CATEGORIES[i] == CATEGORIES[j] for i, j in enumerate(partner)])
    axis.set_title("c   matching", loc="left")
    axis.text(
        0.5,
        9.1,
        f"objects {hits:.0%} (fine)\ncategories {alike:.0%} (coarse)",
        ha="center",
        va="top",
        fontsize=size,
    )
    axis.set(xlim=(0, 1), ylim=(10.6, -0.6), xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
