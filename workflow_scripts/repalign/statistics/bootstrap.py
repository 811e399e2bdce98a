"""The bootstrap: one way of drawing for every kind of unit, and percentile intervals of what comes out.

A resample is a vector of weights that says how often each unit was drawn. One matrix product then serves all
resamples at once, and nothing is copied.

| what is drawn                     | draws              | statistic of a resample           |
|-----------------------------------|--------------------|-----------------------------------|
| objects, one value each           | `resample_weights` | `mean_interval`                   |
| objects, one value a pair         | `resample_weights` | `pair_sums`, `distinct_tuples`    |
| objects, one value a triplet      | `resample_weights` | `triplet_sums`                    |
| clusters of points (models)       | `cluster_weights`  | weighted by the caller            |
| blocks of adjacent points         | `block_weights`    | weighted by the caller            |
| cells of a contingency table      | `resampled_tables` | computed from the table           |
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from repalign.errors import InputError

Seed = int | np.random.Generator


def resample_weights(rng: np.random.Generator, n_boot: int, n: int) -> NDArray[np.float64]:
    """(n_boot, n) counts: how often each of n units is drawn in each resample of size n."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)


def cluster_weights(rng: np.random.Generator, n_boot: int, cluster: NDArray[np.intp]) -> NDArray[np.float64]:
    """(n_boot, n) counts of n points whose clusters, numbered from 0, are drawn as wholes."""
    return resample_weights(rng, n_boot, cluster.max() + 1)[:, cluster]


def block_weights(rng: np.random.Generator, n_boot: int, n: int) -> NDArray[np.float64]:
    """(n_boot, n) counts of the circular block bootstrap [1] of n points in order, in blocks of ceil(sqrt(n)).

    References
    ----------
    [1] Politis & Romano (1992), in Exploring the limits of bootstrap, 263-270.
    """
    length = int(np.ceil(np.sqrt(n)))
    n_blocks = int(np.ceil(n / length))
    starts = rng.integers(n, size=(n_boot, n_blocks, 1))
    drawn = ((starts + np.arange(length)) % n).reshape(n_boot, -1)[:, :n]
    weights = np.zeros((n_boot, n))
    np.add.at(weights, (np.arange(n_boot)[:, None], drawn), 1)
    return weights


def resampled_tables(rng: np.random.Generator, n_boot: int, table: NDArray) -> NDArray[np.float64]:
    """(n_boot, r, c) shares of a contingency table of counts whose objects are drawn with replacement."""
    n = int(table.sum())
    draws = rng.multinomial(n, table.ravel() / n, size=n_boot)
    return draws.reshape(n_boot, *table.shape) / n


def pair_sums(matrix: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Sum over ordered pairs of w_i w_j m_ij in each resample: (n, n) matrix, (n_boot, n) weights to (n_boot,).

    The diagonal of the matrix must be 0, so that two draws of one object are no pair: their dissimilarity of 0 (or
    similarity of 1) would raise every agreement [1].

    References
    ----------
    [1] Schuett, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12, e82566.
    """
    return np.einsum("bi,bi->b", weights @ matrix, weights, dtype=np.float64)


def distinct_tuples(weights: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Ordered pairs, triples and quadruples of draws of different objects in each resample, (n_boot,) each."""
    squares = weights * weights
    s1, s2 = weights.sum(axis=1), squares.sum(axis=1)
    s3, s4 = (squares * weights).sum(axis=1), (squares * squares).sum(axis=1)
    quadruples = s1**4 - 6 * s1**2 * s2 + 3 * s2**2 + 8 * s1 * s3 - 6 * s4
    return s1**2 - s2, s1**3 - 3 * s1 * s2 + 2 * s3, quadruples


def triplet_sums(triplets: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Sum over triplets of w_i w_j w_k in each resample.

    Parameters
    ----------
    triplets : (m, 3) integer array
        Three different objects each.
    weights : (n_boot, n_objects) array
        Small whole numbers: they are multiplied in single precision.

    Returns
    -------
    (n_boot,) float64 array
    """
    n_boot, n_objects = weights.shape
    total = np.zeros(n_boot)
    if not len(triplets):
        return total
    by_object = np.ascontiguousarray(weights.T, dtype=np.float32)
    i, j, k = np.sort(triplets, axis=1).T.astype(np.int64)
    # One row per pair (i, j), one column per k: a sparse product replaces two of the three gathers.
    counts = sparse.csr_array(
        (np.ones(len(i), dtype=np.float32), (i * n_objects + j, k)), shape=(n_objects**2, n_objects)
    )
    for first in np.unique(i):
        rows = counts[first * n_objects : (first + 1) * n_objects]
        used = np.flatnonzero(np.diff(rows.indptr))
        partial = rows[used] @ by_object
        partial *= by_object[used]
        total += partial.sum(axis=0, dtype=np.float64) * by_object[first]
    return total


def percentile_interval(samples: NDArray, confidence: float) -> tuple[float, float]:
    """(low, high) over the resamples in which the statistic exists; NaN where it exists in fewer than half."""
    if not 0 < confidence < 1:
        raise InputError(f"The confidence must lie between 0 and 1, not {confidence}; write 0.95 for 95%.")
    defined = samples[np.isfinite(samples)]
    if 2 * len(defined) < len(samples):
        return float("nan"), float("nan")
    tail = 50 * (1 - confidence)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)


def mean_interval(
    values: ArrayLike, *, n_boot: int = 1000, confidence: float = 0.95, seed: Seed = 0
) -> tuple[float, float]:
    """Interval of a mean over objects, such as a matching rate from per-object hits.

    Parameters
    ----------
    values : (n,) array
        One number per object (booleans for hits).
    n_boot : int
        Number of resamples.
    confidence : float
        Nominal coverage, between 0 and 1.
    seed : int or numpy.random.Generator

    Returns
    -------
    (low, high) : floats, in the units of `values`.
    """
    values = np.asarray(values, dtype=np.float64)
    weights = resample_weights(np.random.default_rng(seed), n_boot, len(values))
    return percentile_interval(weights @ values / len(values), confidence)
