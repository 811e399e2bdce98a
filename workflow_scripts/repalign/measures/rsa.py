"""Representational similarity analysis: correlation of two dissimilarity matrices."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.rdm import upper_triangle
from repalign.statistics.intervals import NO_INTERVAL, fisher_interval
from repalign.statistics.shared_objects import pair_variance

# With fewer objects there is no interval.
FEWEST_OBJECTS = 5


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1, ties sharing their mean; pandas has them without the second that scipy.stats takes to load."""
    return pd.Series(values).rank().to_numpy()


def _kendall(a: NDArray, b: NDArray) -> float:
    from scipy.stats import kendalltau  # slow to load, and seldom asked for

    return kendalltau(a, b).statistic


METHODS: dict[str, Callable[[NDArray, NDArray], float]] = {
    "pearson": lambda a, b: np.corrcoef(a, b)[0, 1],
    "spearman": lambda a, b: np.corrcoef(ranks(a), ranks(b))[0, 1],
    "kendall": _kendall,
}


def compare(rdm_a: NDArray, rdm_b: NDArray, method: str = "spearman") -> float:
    """Correlation of the upper triangles of two RDMs.

    Parameters
    ----------
    rdm_a, rdm_b : (n, n) arrays, n >= 3, symmetric, the same objects in the same order
    method : 'spearman' (mid-ranks for ties), 'pearson' or 'kendall' (tau-b)

    Returns
    -------
    float in [-1, 1]

    Raises
    ------
    InputError
        Unknown method, shapes that differ, or an RDM without variation.

    References
    ----------
    Kriegeskorte, Mur & Bandettini (2008), Frontiers in Systems Neuroscience 2:4.
    """
    if method not in METHODS:
        raise InputError(f"Unknown RSA method '{method}'; choose one of {', '.join(METHODS)}.")
    if np.shape(rdm_a) != np.shape(rdm_b) or len(rdm_a) < 3:
        raise InputError(
            f"RSA needs two RDMs of the same 3 or more objects, not {np.shape(rdm_a)} and {np.shape(rdm_b)}."
        )
    a, b = upper_triangle(rdm_a), upper_triangle(rdm_b)
    if a.min() == a.max() or b.min() == b.max():
        raise InputError("RSA is undefined where all dissimilarities of a matrix are equal.")
    return float(METHODS[method](a, b))


def average_rdm(rdms: Sequence[NDArray], method: str = "spearman") -> NDArray[np.float64]:
    """Mean of several RDMs of the same objects, of their ranks for `spearman` and standardised for `pearson`.

    This is the average that correlates best with all of them (Nili et al. 2014), for
    `repalign.statistics.ceilings.group_ceiling`.
    """
    return np.mean([_pair_values(rdm, method) for rdm in rdms], axis=0)


def rsa_interval(
    rdm_a: NDArray, rdm_b: NDArray, method: str = "spearman", *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of an RSA correlation over objects.

    Pairs are dependent where they share an object (`repalign.statistics.shared_objects.pair_variance`). The interval is
    symmetric in Fisher's z, with Student's t for n - 1 degrees of freedom.

    Parameters
    ----------
    rdm_a, rdm_b : (n, n) arrays
        Symmetric dissimilarities of the same objects.
    method : str
        `spearman` or `pearson`.
    confidence : float

    Returns
    -------
    (low, high) : floats; NaN for fewer than 5 objects
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"There is no interval for the RSA method '{method}'; choose spearman or pearson.")
    n = len(rdm_a)
    if n < FEWEST_OBJECTS:
        return NO_INTERVAL
    value = compare(rdm_a, rdm_b, method)
    influence = np.zeros((n, n))
    influence[np.triu_indices(n, k=1)] = _influences(upper_triangle(rdm_a), upper_triangle(rdm_b), method)
    error = np.sqrt(pair_variance(influence + influence.T))
    return fisher_interval(value, error, confidence, n - 1)


def _influences(a: NDArray, b: NDArray, method: str) -> NDArray[np.float64]:
    """How much each pair moves the correlation (times the number of pairs); their mean is 0."""
    if method == "pearson":
        a, b = (_standardised(values) for values in (a, b))
        return a * b - (a * b).mean() * (a**2 + b**2) / 2
    # A pair moves the ranks of all others too: those above it on one side, weighted by their ranks on the other.
    first, second = (ranks(values) / len(values) - 0.5 for values in (a, b))
    influence = 12 * (first * second + _mean_above(first, second) + _mean_above(second, first))
    return influence - influence.mean()


def _mean_above(values: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """For each of n entries, the sum of the weights of the entries with at least its value, divided by n."""
    _, level = np.unique(-values, return_inverse=True)
    return np.cumsum(np.bincount(level, weights))[level] / len(values)


def _standardised(values: NDArray) -> NDArray[np.float64]:
    values = values - values.mean()
    return values / max(values.std(), np.finfo(float).tiny)


def _pair_values(rdm: NDArray, method: str) -> NDArray:
    """Symmetric matrix of the standardised dissimilarities, or of their ranks for Spearman, with a zero diagonal."""
    values = upper_triangle(np.asarray(rdm, dtype=np.float64))
    matrix = np.zeros(np.shape(rdm))
    matrix[np.triu_indices(len(rdm), k=1)] = _standardised(ranks(values) if method == "spearman" else values)
    return matrix + matrix.T
