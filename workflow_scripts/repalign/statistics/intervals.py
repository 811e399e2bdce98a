"""Intervals from a standard error: of rates, of correlations, and of values without bounds."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from repalign.errors import InputError

Interval = tuple[float, float]
NO_INTERVAL = (float("nan"), float("nan"))


def quantile(confidence: float, freedom: float = np.inf) -> float:
    """How many standard errors an interval reaches to each side, by Student's t or the normal distribution."""
    if not 0 < confidence < 1:
        raise InputError(f"The confidence must lie between 0 and 1, not {confidence}; write 0.95 for 95%.")
    p = (1 + confidence) / 2
    return float(ndtri(p) if np.isinf(freedom) else stdtrit(freedom, p))


def wilson_interval(
    rate: float, n: float, confidence: float = 0.95, freedom: float = np.inf
) -> tuple[float, float]:
    """Wilson's score interval of a rate [1]; it keeps a width where the rate is 0 or 1.

    Parameters
    ----------
    rate : float in [0, 1]
    n : float
        Number of independent trials; for dependent ones the effective number, rate (1 - rate) / variance.
    confidence, freedom : float
        As in `quantile`.

    References
    ----------
    [1] Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    z = quantile(confidence, freedom)
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # Rounding may leave the ends a little outside.
    return float(max(centre - half, 0.0)), float(min(centre + half, 1.0))


def share_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a mean of independent values in [0, 1], such as a matching rate from hits.

    Parameters
    ----------
    values : (n,) array
        Hits (0 or 1), or shares between them.
    confidence : float

    Returns
    -------
    (low, high) : floats; Wilson's interval, with a larger effective n where values vary less than hits do
    """
    values = np.asarray(values, dtype=np.float64)
    rate, variance = values.mean(), values.var() / len(values)
    n = rate * (1 - rate) / variance if variance > 0 else len(values)
    return wilson_interval(float(rate), float(n), confidence)


def fisher_interval(
    value: float, standard_error: float, confidence: float = 0.95, freedom: float = np.inf
) -> tuple[float, float]:
    """Interval of a correlation, symmetric on the scale of Fisher's z.

    Parameters
    ----------
    value : float in [-1, 1]
    standard_error : float
        Of the correlation itself.
    confidence, freedom : float
        As in `quantile`.
    """
    if not np.isfinite(value) or not np.isfinite(standard_error):
        return NO_INTERVAL
    if abs(value) > 1 - 1e-9:
        return float(value), float(value)
    z, half = np.arctanh(value), quantile(confidence, freedom) * standard_error / (1 - value**2)
    return float(np.tanh(z - half)), float(np.tanh(z + half))
