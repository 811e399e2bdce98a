"""The delete-d jackknife: intervals of measures that must be computed anew in every sample.

A bootstrap draws objects several times. That is no sample to find neighbours or clusters in: copies are each other's
nearest neighbours. Subsets without replacement are, and their spread gives the variance of the whole [1, 2].

References
----------
[1] Shao & Wu (1989), A general theory for jackknife variance estimation, Annals of Statistics 17, 1176-1197.
[2] Politis, Romano & Wolf (1999), Subsampling, Springer.
"""

import numpy as np
from numpy.typing import NDArray

from repalign.statistics.intervals import NO_INTERVAL, quantile

# Share of the objects in each subset. Smaller subsets are sparser than the whole; from larger ones, intervals are too
# wide, since the jackknife multiplies what neighbours and graphs vary by without a change of objects.
SHARE = 0.6
N_SUBSETS = 40


def subsets(n: int, n_subsets: int = N_SUBSETS, *, share: float = SHARE, seed: int = 0) -> NDArray[np.intp]:
    """(n_subsets, m) indices of random subsets of n objects, in ascending order, where m = share * n."""
    rng = np.random.default_rng(seed)
    m = max(1, min(n - 1, round(share * n)))
    return np.sort(np.stack([rng.permutation(n)[:m] for _ in range(n_subsets)]), axis=1)


def subsampling_interval(
    value: float,
    samples: NDArray,
    n: int,
    m: int,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float, float]:
    """Interval of a measure of n objects from its values in random subsets of m of them.

    Parameters
    ----------
    value : float
        Of all n objects.
    samples : (n_subsets,) array
        NaN where the measure does not exist.
    n, m : int
    confidence : float
    bounds : (float, float)
        Of the measure; the interval is cut at them.

    Returns
    -------
    (low, high) : floats; NaN where fewer than half of the subsets, or fewer than three, have a value
    """
    defined = samples[np.isfinite(samples)]
    if 2 * len(defined) < len(samples) or len(defined) < 3 or not np.isfinite(value):
        return NO_INTERVAL
    error = np.sqrt(m / (n - m)) * defined.std(ddof=1)
    half = quantile(confidence, len(defined) - 1) * error
    return float(max(value - half, bounds[0])), float(min(value + half, bounds[1]))
