"""The resamples of a seed, for slow references of bootstrap intervals."""

import numpy as np


def draws(seed, n_boot, n):
    """The resamples that a function with this seed uses, as counts per unit."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_boot)


def percentiles(samples, confidence=0.95):
    return tuple(np.percentile(samples, [50 - 50 * confidence, 50 + 50 * confidence]))
