"""Correlations over layers, with intervals that resample what is independent: whole models, or blocks of layers."""

from dataclasses import dataclass

import numpy as np

from repalign.errors import InputError
from repalign.statistics.bootstrap import percentile_interval, resample_weights

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


def correlation(x, y, clusters, method="pearson", *, given=None, n_boot=1000, confidence=0.95, seed=0):
    """Correlation over layers, with an interval that respects that layers of one model are not independent.

    Whole clusters (models) are drawn with replacement. Where there are fewer than 3 of them, which is too few to
    draw from, blocks of adjacent points are drawn within each instead (the circular block bootstrap [1], with blocks
    of ceil(sqrt(n)) points), so the points of a cluster must come in their order of depth. Spearman ranks anew in
    each resample.

    Parameters
    ----------
    x, y : (n,) arrays
        Pairs with a NaN are left out.
    clusters : (n,) array of labels
        The model of each point, or its family of models.
    method : str
        `pearson` or `spearman`.
    given : (n,) array, optional
        Take out what x and y have in common with it: the partial correlation.
    n_boot, confidence, seed
        As in `mean_interval`.

    Returns
    -------
    Correlation
        NaN where fewer than 3 points remain (4 for a partial correlation) or one side does not vary.

    References
    ----------
    [1] Politis & Romano (1992), in Exploring the limits of bootstrap, 263-270.
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"Unknown correlation '{method}'; choose pearson or spearman.")
    x, y, clusters = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), np.asarray(clusters)
    if not x.shape == y.shape == clusters.shape or x.ndim != 1:
        raise InputError(f"x, y and clusters need one length, not {x.shape}, {y.shape} and {clusters.shape}.")
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
            weights[:, own] = _block_weights(rng, n_boot, own.sum())
    else:
        weights = resample_weights(rng, n_boot, len(names))[:, cluster]
    value = float(_partial_correlation(columns, np.ones((1, len(x))), method)[0])
    low, high = percentile_interval(_partial_correlation(columns, weights, method), confidence)
    return Correlation(value, low, high, len(x), len(names))


def _block_weights(rng, n_boot, n):
    """Counts of a circular block bootstrap of n points in order."""
    length = int(np.ceil(np.sqrt(n)))
    n_blocks = int(np.ceil(n / length))
    starts = rng.integers(n, size=(n_boot, n_blocks, 1))
    drawn = ((starts + np.arange(length)) % n).reshape(n_boot, -1)[:, :n]
    weights = np.zeros((n_boot, n))
    np.add.at(weights, (np.arange(n_boot)[:, None], drawn), 1)
    return weights


def _partial_correlation(columns, weights, method):
    """Correlation of the first two columns in each resample, given the third where there is one."""
    if len(columns) == 2:
        return _weighted_correlation(*columns, weights, method)
    x, y, given = columns
    xy, xz, yz = (_weighted_correlation(*pair, weights, method) for pair in ((x, y), (x, given), (y, given)))
    left = (1 - xz**2) * (1 - yz**2)
    return np.where(left > 1e-12, (xy - xz * yz) / np.sqrt(np.where(left > 1e-12, left, 1)), np.nan)


def _weighted_correlation(x, y, weights, method):
    """Correlation of each resample; (n_boot, n) integer weights."""
    if method == "spearman":
        x, y = _weighted_ranks(x, weights), _weighted_ranks(y, weights)
    else:
        x, y = np.broadcast_to(x, weights.shape), np.broadcast_to(y, weights.shape)
    total = weights.sum(axis=1, keepdims=True)

    def standardised(values):
        values = values - (weights * values).sum(axis=1, keepdims=True) / total
        scale = np.sqrt((weights * values**2).sum(axis=1, keepdims=True))
        constant = scale <= 1e-12 * np.abs(values).max(axis=1, keepdims=True)
        return np.where(constant, np.nan, values / np.where(constant, 1, scale))

    return (weights * standardised(x) * standardised(y)).sum(axis=1)


def _weighted_ranks(values, weights):
    """Mid-ranks of each resample: a unit drawn w times fills w ranks."""
    below = (values[:, None] < values[None, :]).astype(np.float64)
    equal = (values[:, None] == values[None, :]).astype(np.float64)
    return weights @ (below + equal / 2) + 0.5
