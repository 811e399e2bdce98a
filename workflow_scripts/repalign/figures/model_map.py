"""Similarity of all systems with each other: correlated dissimilarities, and matching by alignment."""

import matplotlib.pyplot as plt
import numpy as np

from repalign.analysis.maps import RATES, classical_scaling, matching_of_systems
from repalign.figures.labelling import label_points
from repalign.figures.style import (
    INK,
    MM,
    panel_columns,
    panel_grid,
    paradigm_colours,
    paradigm_legend,
    paradigm_markers,
    styled,
)
from repalign.labels import paradigm_order, shown


def plot_model_map(similarity, paradigms, style, alignments=None):
    """The matrix of correlations, sorted by paradigm, that of matching rates, and a map on which near means alike.

    Parameters
    ----------
    similarity : data frame of `repalign.analysis.maps.similarity_of_systems`
    paradigms : dict of system to paradigm, humans included
    style : dict, see `repalign.figures.style.styled`
    alignments : data frame, `aggregate/gwot_map.parquet`; None where the pairs of systems are not aligned

    Returns
    -------
    (figure, data frame: first, second, rsa, the rates of `repalign.analysis.maps.matching_of_systems`, and the place
    of `first`)
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
    rates = None if alignments is None else matching_of_systems(alignments)
    with styled(style):
        size = style["font_size"]
        height = max(min(0.5 * style["width_mm"], 13 * size), 0.48 * size * len(order))
        figure, axes = _panels(style, height, aligned=rates is not None)
        left, right = axes[0], axes[-1]
        names = [(shown(name), colours[paradigms[name]]) for name in order]
        low = min(0, matrix.min())
        _matrix(figure, left, matrix, names, "Spearman correlation", cmap="viridis", vmin=low, vmax=1)
        if rates is not None:
            _matrix(figure, axes[1], _both_rates(rates, order), names, "matched (%)", cmap="magma_r", vmin=0)
            axes[1].set_title("objects above, categories below", loc="left")
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
    data = similarity if rates is None else similarity.merge(rates, on=["first", "second"], how="left")
    data = data.assign(
        x=[places[name][0] for name in data["first"]],
        y=[places[name][1] for name in data["first"]],
    )
    return figure, data


def _panels(style, height, aligned):
    """A matrix beside the map; or two matrices and below them, as wide as both, the map."""
    if not aligned:
        return panel_grid(2, style, height, least=8.0)
    beside = panel_columns(2, style, least=8.0) == 2
    mosaic = [["left", "middle"], ["map", "map"]] if beside else [["left"], ["middle"], ["map"]]
    size = style["width_mm"] * MM, len(mosaic) * 0.85 * height * MM
    figure, axes = plt.subplot_mosaic(mosaic, figsize=size, layout="constrained")
    return figure, [axes[name] for name in ("left", "middle", "map")]


def _matrix(figure, axis, matrix, names, label, **look):
    """A matrix with the names of its rows in their colours, and its own colour bar."""
    drawn = axis.imshow(matrix, **look)
    axis.set_yticks(range(len(names)), [name for name, _ in names])
    axis.set_xticks([])
    axis.tick_params(length=0)
    for tick, (_, colour) in zip(axis.get_yticklabels(), names, strict=True):
        tick.set_color(colour)
    figure.colorbar(drawn, ax=axis, label=label, shrink=0.6, aspect=20, pad=0.02)


def _both_rates(rates, order):
    """Percentages: objects found above the diagonal, categories below, both directions of a pair averaged."""
    tables = {}
    for rate in RATES:
        one_way = rates.pivot(index="first", columns="second", values=rate).reindex(
            index=order, columns=order
        )
        tables[rate] = 50 * (one_way.to_numpy() + one_way.to_numpy().T)
    objects, categories = tables.values()
    both = np.triu(objects, 1) + np.tril(categories, -1)
    np.fill_diagonal(both, np.nan)
    return both
