"""Correlations over layers, whose intervals take the families of models as what is independent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.statistics.intervals import NO_INTERVAL, fisher_interval

# With fewer independent clusters there is no interval.
FEWEST_CLUSTERS = 5


@dataclass(frozen=True)
class Correlation:
    """A correlation with its interval; `n` points from `n_clusters` independent clusters."""

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
    confidence: float = 0.95,
) -> Correlation:
    """Correlation over layers, with an interval that respects that layers of one model are not independent.

    The standard error is that of the delete-one-cluster jackknife on Fisher's z, the interval from Student's t with
    n_clusters - 1 degrees of freedom [1]. Below five clusters there is none: layers of one model follow each other,
    and nothing tells how far. Spearman ranks anew without each cluster.

    Parameters
    ----------
    x, y : (n,) arrays
        Pairs with a NaN are left out.
    clusters : (n,) array of labels
        The model of each point, or its family of models.
    method : str
        `pearson` or `spearman`.
    given : (n,) array, optional
        Give the partial correlation, from which the linear effect of this variable is removed. Two measures that share
        nothing but a trend over depth correlate: give the depth too.
    confidence : float

    Returns
    -------
    Correlation
        NaN where fewer than 3 points remain (4 for a partial correlation) or one side does not vary.

    References
    ----------
    [1] Cameron & Miller (2015), A practitioner's guide to cluster-robust inference, Journal of Human Resources 50,
        317-372.
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
    n = len(clusters)
    names, cluster = np.unique(clusters, return_inverse=True)
    if n <= len(columns):
        return Correlation(float("nan"), *NO_INTERVAL, n, len(names))
    value = float(_partial_correlation(columns, np.ones((1, n)), method)[0])
    low, high = NO_INTERVAL
    if len(names) >= FEWEST_CLUSTERS:
        without = (cluster != np.arange(len(names))[:, None]).astype(np.float64)
        parts = _partial_correlation(columns, without, method)
        z = np.arctanh(np.clip(parts, -1 + 1e-12, 1 - 1e-12))
        error = np.sqrt((len(names) - 1) * z.var()) * (1 - value**2)
        low, high = fisher_interval(value, error, confidence, len(names) - 1)
    return Correlation(value, low, high, n, len(names))


def _partial_correlation(columns: list[NDArray], weights: NDArray, method: str) -> NDArray:
    """Correlation of the first two columns under each row of weights, given the third where there is one."""
    if len(columns) == 2:
        return _weighted_correlation(columns[0], columns[1], weights, method)
    x, y, given = columns
    xy, xz, yz = (_weighted_correlation(a, b, weights, method) for a, b in ((x, y), (x, given), (y, given)))
    left = (1 - xz**2) * (1 - yz**2)
    return np.where(left > 1e-12, (xy - xz * yz) / np.sqrt(np.where(left > 1e-12, left, 1)), np.nan)


def _weighted_correlation(x: NDArray, y: NDArray, weights: NDArray, method: str) -> NDArray:
    """Correlation under each row of weights, (B, n) to (B,)."""
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
    """Mid-ranks under each row of weights: a point of weight w takes w ranks."""
    below = (values[:, None] < values[None, :]).astype(np.float64)
    equal = (values[:, None] == values[None, :]).astype(np.float64)
    return weights @ (below + equal / 2) + 0.5
