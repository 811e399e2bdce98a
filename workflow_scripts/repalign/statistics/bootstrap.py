"""The bootstrap over objects, with percentile intervals.

A resample is a vector of weights that says how often each object was drawn. One matrix product then serves all
resamples at once, and nothing is copied. It fits means over objects, and over pairs that do not depend on what else was
drawn. Where dependence through shared objects matters, see `repalign.statistics.shared_objects`; where neighbours or
clusters are found anew, `repalign.statistics.subsampling`; for rates, `repalign.statistics.intervals`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError

Seed = int | np.random.Generator


def resample_weights(rng: np.random.Generator, n_boot: int, n: int) -> NDArray[np.float64]:
    """(n_boot, n) counts: how often each of n units is drawn in each resample of size n."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)


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
    """Interval of a mean over objects; for hits and other values in [0, 1] there is `share_interval`.

    Parameters
    ----------
    values : (n,) array
        One number per object.
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
