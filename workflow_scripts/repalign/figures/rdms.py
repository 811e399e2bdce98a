"""Dissimilarity matrices sorted by category: people beside one model of every paradigm."""

import numpy as np
import pandas as pd

from repalign.figures.category_axes import label_categories
from repalign.figures.category_order import category_edges
from repalign.figures.style import panel_columns, panel_grid, styled
from repalign.labels import shown

LEAST = 6.0


def plot_rdms(matrices, category, scores, style):
    """Draw matrices of ranks side by side, in one order and one scale.

    Parameters
    ----------
    matrices : dict of name to (cells, cells) array
        Mean rank of the pairs in each cell, 0 (most alike) to 1; the first is the human's.
    category : (n,) array
        Category of each object in the order of the matrices, before they were pooled.
    scores : dict of name to its correlation with the human, None for the human
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of all cells: system, row, column, rank)
    """
    edges, names = category_edges(category)
    with styled(style):
        columns = panel_columns(len(matrices), style, LEAST)
        # Room for category names, colour bar and titles beside and above square panels.
        side = (style["width_mm"] - 6 * style["font_size"]) / columns
        figure, axes = panel_grid(len(matrices), style, side + 1.4 * style["font_size"], least=LEAST)
        for axis, (name, matrix) in zip(axes, matrices.items(), strict=True):
            drawn = axis.imshow(
                matrix, cmap="viridis", vmin=0, vmax=1, extent=(0, 1, 1, 0), interpolation="nearest"
            )
            first = axis is axes[0]
            label_categories(axis, edges, names, style["font_size"], columns=False, rows=first, lines=0.15)
            if not first:
                axis.set_yticks([])
            rho = "" if scores.get(name) is None else f"\n$\\rho$ = {scores[name]:.2f}"
            axis.set_title(f"{shown(name)}{rho}", loc="left")
        bar = figure.colorbar(drawn, ax=axes, shrink=0.6, aspect=25, pad=0.01)
        bar.set_label("dissimilarity (rank)")
        bar.set_ticks([0, 0.5, 1], labels=["least", "", "most"])
    frames = []
    for name, matrix in matrices.items():
        rows, columns = np.indices(matrix.shape).reshape(2, -1)
        frames.append(
            pd.DataFrame({"system": name, "row": rows, "column": columns, "rank": matrix.ravel().round(4)})
        )
    return figure, pd.concat(frames, ignore_index=True)
