"""Correlations over layers, whose intervals resample whole models, or blocks of layers where models are few."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.statistics.bootstrap import block_weights, cluster_weights, percentile_interval

# Fewer clusters than this are too few to draw from.
FEWEST_CLUSTERS = 3


@dataclass(frozen=True)
class Correlation:
    """A correlation with its bootstrap interval; `n` points from `n_clusters` independent clusters."""

    value: float
    low: float
    high: float
    n: int
    n_clusters: int


def correlation(
    x: ArrayLike,
    y: ArrayLike,
    clusters: ArrayLike,
    method: str = "pearson",
    *,
    given: ArrayLike | None = None,
    n_boot: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Correlation:
    """Correlation over layers, with an interval that respects that layers of one model are not independent.

    Whole clusters (models) are drawn with replacement. Fewer than 3 of them are too few to draw from: blocks of
    adjacent points are then drawn within each (see `repalign.statistics.bootstrap.block_weights`), so the points of a
    cluster must come in their order of depth. Spearman ranks anew in each resample.

    Parameters
    ----------
    x, y : (n,) arrays
        Pairs with a NaN are left out.
    clusters : (n,) array of labels
        The model of each point, or its family of models.
    method : str
        `pearson` or `spearman`.
    given : (n,) array, optional
        Give the partial correlation, from which the linear effect of this variable is removed.
    n_boot, confidence, seed
        As in `mean_interval`.

    Returns
    -------
    Correlation
        NaN where fewer than 3 points remain (4 for a partial correlation) or one side does not vary.
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"Unknown correlation '{method}'; choose pearson or spearman.")
    x, y, clusters = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), np.asarray(clusters)
    if not x.shape == y.shape == clusters.shape or x.ndim != 1:
        raise InputError(
            f"x, y and clusters must have the same length, but have {x.shape}, {y.shape} and {clusters.shape}."
        )
    columns = [x, y] if given is None else [x, y, np.asarray(given, dtype=np.float64)]
    keep = np.isfinite(columns).all(axis=0)
    columns, clusters = [column[keep] for column in columns], clusters[keep]
    x = columns[0]
    names, cluster = np.unique(clusters, return_inverse=True)
    if len(x) <= len(columns):
        return Correlation(float("nan"), float("nan"), float("nan"), len(x), len(names))
    rng = np.random.default_rng(seed)
    if len(names) < FEWEST_CLUSTERS:
        weights = np.empty((n_boot, len(x)))
        for number in range(len(names)):
            own = cluster == number
            weights[:, own] = block_weights(rng, n_boot, int(own.sum()))
    else:
        weights = cluster_weights(rng, n_boot, cluster)
    value = float(_partial_correlation(columns, np.ones((1, len(x))), method)[0])
    low, high = percentile_interval(_partial_correlation(columns, weights, method), confidence)
    return Correlation(value, low, high, len(x), len(names))


def _partial_correlation(columns: list[NDArray], weights: NDArray, method: str) -> NDArray:
    """Correlation of the first two columns in each resample, given the third where there is one."""
    if len(columns) == 2:
        return _weighted_correlation(columns[0], columns[1], weights, method)
    x, y, given = columns
    xy, xz, yz = (_weighted_correlation(a, b, weights, method) for a, b in ((x, y), (x, given), (y, given)))
    left = (1 - xz**2) * (1 - yz**2)
    return np.where(left > 1e-12, (xy - xz * yz) / np.sqrt(np.where(left > 1e-12, left, 1)), np.nan)


def _weighted_correlation(x: NDArray, y: NDArray, weights: NDArray, method: str) -> NDArray:
    """Correlation in each resample; (n_boot, n) counts to (n_boot,)."""
    if method == "spearman":
        x, y = _weighted_ranks(x, weights), _weighted_ranks(y, weights)
    else:
        x, y = np.broadcast_to(x, weights.shape), np.broadcast_to(y, weights.shape)
    total = weights.sum(axis=1, keepdims=True)

    def standardised(values: NDArray) -> NDArray:
        values = values - (weights * values).sum(axis=1, keepdims=True) / total
        scale = np.sqrt((weights * values**2).sum(axis=1, keepdims=True))
        constant = scale <= 1e-12 * np.abs(values).max(axis=1, keepdims=True)
        return np.where(constant, np.nan, values / np.where(constant, 1, scale))

    return (weights * standardised(x) * standardised(y)).sum(axis=1)


def _weighted_ranks(values: NDArray, weights: NDArray) -> NDArray:
    """Mid-ranks in each resample: a point drawn w times takes w ranks."""
    below = (values[:, None] < values[None, :]).astype(np.float64)
    equal = (values[:, None] == values[None, :]).astype(np.float64)
    return weights @ (below + equal / 2) + 0.5
