"""Large matrices in few cells."""

import numpy as np


def pooled_means(matrix, order, cells=150):
    """A square matrix in a new order, its cells averaged to at most `cells` a side."""
    matrix = np.asarray(matrix, dtype=np.float64)[np.ix_(order, order)]
    starts = _starts(len(matrix), cells)
    sizes = np.diff(np.r_[starts, len(matrix)])
    return _pooled(np.add, matrix, starts) / np.outer(sizes, sizes)


def pooled_maxima(matrix, cells):
    """A square matrix on at most `cells` a side, each the largest of its cells: a single match stays visible."""
    return _pooled(np.maximum, matrix, _starts(len(matrix), cells))


def _starts(n, cells):
    cells = min(n, cells)
    return np.arange(cells) * n // cells


def _pooled(operation, matrix, starts):
    return operation.reduceat(operation.reduceat(matrix, starts, axis=0), starts, axis=1)
