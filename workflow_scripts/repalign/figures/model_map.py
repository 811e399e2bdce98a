"""Models among each other: how alike their dissimilarity matrices are."""

import numpy as np

from repalign.figures.labelling import label_points
from repalign.figures.style import (
    INK,
    panel_grid,
    paradigm_colours,
    paradigm_legend,
    paradigm_markers,
    styled,
)
from repalign.labels import paradigm_order, shown
from repalign.maps import classical_scaling


def plot_model_map(similarity, paradigms, style):
    """The matrix of correlations, sorted by paradigm, and a map on which near means alike.

    Parameters
    ----------
    similarity : data frame of `repalign.maps.similarity_of_systems`
    paradigms : dict of system to paradigm, humans included
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame: first, second, rsa, and the place of `first`)
    """
    present = set(similarity["first"])
    order = [
        n for p in paradigm_order(paradigms.values()) for n in paradigms if paradigms[n] == p and n in present
    ]
    matrix = similarity.pivot(index="first", columns="second", values="rsa").loc[order, order].to_numpy()
    distance = np.sqrt(np.maximum(2 - 2 * matrix, 0))
    place = (
        classical_scaling(distance, 2)
        if len(order) > 2
        else np.c_[np.arange(len(order)), np.zeros(len(order))]
    )
    colours = paradigm_colours([paradigms[name] for name in order])
    marks = paradigm_markers(colours)
    with styled(style):
        size = style["font_size"]
        height = max(min(0.5 * style["width_mm"], 13 * size), 0.48 * size * len(order))
        figure, axes = panel_grid(2, style, height, least=10.0)
        left, right = axes
        drawn = left.imshow(matrix, cmap="viridis", vmin=min(0, matrix.min()), vmax=1)
        left.set_yticks(range(len(order)), [shown(name) for name in order])
        left.set_xticks([])
        left.tick_params(length=0)
        for tick, name in zip(left.get_yticklabels(), order, strict=True):
            tick.set_color(colours[paradigms[name]])
        figure.colorbar(drawn, ax=left, label="Spearman correlation", shrink=0.6, aspect=20, pad=0.02)
        right.axhline(0, color=INK, lw=0.2, zorder=0)
        right.axvline(0, color=INK, lw=0.2, zorder=0)
        for name, (x, y) in zip(order, place, strict=True):
            right.plot(
                x, y, marks[paradigms[name]], ms=4.2, color=colours[paradigms[name]], mec="white", mew=0.4
            )
        right.set_aspect("equal", adjustable="datalim")
        right.margins(0.2)
        right.set_xticks([])
        right.set_yticks([])
        right.spines[:].set_visible(False)
        paradigm_legend(figure, [paradigms[name] for name in order], shapes=True)
        figure.draw_without_rendering()
        label_points(right, *place.T, order, [colours[paradigms[name]] for name in order])
    places = dict(zip(order, place, strict=True))
    data = similarity.assign(
        x=[places[name][0] for name in similarity["first"]],
        y=[places[name][1] for name in similarity["first"]],
    )
    return figure, data
