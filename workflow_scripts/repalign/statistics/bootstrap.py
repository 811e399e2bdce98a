"""Bootstrap intervals that resample what is independent: objects, triplets, or whole models.

Every interval is a percentile bootstrap. A resample is a vector of weights (how often each unit was drawn), so one
matrix product serves all resamples at once and nothing is copied.
"""

import numpy as np

from repalign.errors import InputError


def resample_weights(rng, n_boot, n):
    """(n_boot, n) counts: how often each of n units is drawn in each resample of size n."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)


def percentile_interval(samples, confidence):
    """(low, high) over the resamples in which the statistic exists; NaN where it exists in fewer than half."""
    if not 0 < confidence < 1:
        raise InputError(f"The confidence must lie between 0 and 1, not {confidence}; write 0.95 for 95%.")
    defined = samples[np.isfinite(samples)]
    if 2 * len(defined) < len(samples):
        return float("nan"), float("nan")
    tail = 50 * (1 - confidence)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)


def mean_interval(values, *, n_boot=1000, confidence=0.95, seed=0):
    """Interval of a mean over objects, such as a matching rate from per-object hits.

    Parameters
    ----------
    values : (n,) array
        One number per object (booleans for hits).
    n_boot : int
        Number of resamples.
    confidence : float
        Coverage aimed at, in (0, 1).
    seed : int or numpy.random.Generator

    Returns
    -------
    (low, high) : floats, in the units of `values`.
    """
    values = np.asarray(values, dtype=np.float64)
    weights = resample_weights(np.random.default_rng(seed), n_boot, len(values))
    return percentile_interval(weights @ values / len(values), confidence)
