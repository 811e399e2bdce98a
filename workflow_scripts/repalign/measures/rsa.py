"""Representational similarity analysis: correlation of two dissimilarity matrices."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.rdm import upper_triangle
from repalign.statistics.bootstrap import (
    distinct_tuples,
    pair_sums,
    percentile_interval,
    resample_weights,
)


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


def rsa_interval(
    rdm_a: NDArray,
    rdm_b: NDArray,
    method: str = "spearman",
    *,
    n_boot: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of an RSA correlation over objects.

    Objects are drawn with replacement. Two draws of the same object are no pair (see
    `repalign.statistics.bootstrap.pair_sums`). Ranks are those of the full sample.

    Parameters
    ----------
    rdm_a, rdm_b : (n, n) arrays
        Symmetric dissimilarities of the same objects.
    method : str
        `spearman` or `pearson`.
    n_boot, confidence, seed
        As in `mean_interval`.

    Returns
    -------
    (low, high) : floats
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"There is no interval for the RSA method '{method}'; choose spearman or pearson.")
    a, b = (_pair_values(rdm, method) for rdm in (rdm_a, rdm_b))
    weights = resample_weights(np.random.default_rng(seed), n_boot, len(a))
    pairs = distinct_tuples(weights)[0]

    def mean(matrix: NDArray) -> NDArray:
        return pair_sums(matrix, weights) / pairs

    mean_a, mean_b = mean(a), mean(b)
    covariance = mean(a * b) - mean_a * mean_b
    variances = (mean(a * a) - mean_a**2) * (mean(b * b) - mean_b**2)
    return percentile_interval(_ratio(covariance, variances), confidence)


def _pair_values(rdm: NDArray, method: str) -> NDArray:
    """Symmetric matrix of the standardised dissimilarities, or of their ranks for Spearman, with a zero diagonal."""
    rdm = np.asarray(rdm, dtype=np.float64)
    values = upper_triangle(rdm)
    if method == "spearman":
        values = ranks(values)
    values = values - values.mean()
    matrix = np.zeros_like(rdm)
    matrix[np.triu_indices(len(rdm), k=1)] = values / max(values.std(), np.finfo(float).tiny)
    return matrix + matrix.T


def _ratio(covariance: NDArray, variances: NDArray) -> NDArray:
    """Correlation from a covariance and the product of two variances; NaN where this product is 0."""
    vary = variances > 1e-20
    return np.where(vary, covariance / np.sqrt(np.where(vary, variances, 1)), np.nan)
