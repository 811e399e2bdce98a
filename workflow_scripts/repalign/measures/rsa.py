"""Representational similarity analysis: correlation of two dissimilarity matrices."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.measures.rdm import upper_triangle
from repalign.statistics.bootstrap import percentile_interval, resample_weights


def ranks(values):
    """Ranks from 1, ties sharing their mean; pandas has them without the second that scipy.stats takes to load."""
    return pd.Series(values).rank().to_numpy()


def _kendall(a, b):
    from scipy.stats import kendalltau  # slow to load, and seldom asked for

    return kendalltau(a, b).statistic


METHODS = {
    "pearson": lambda a, b: np.corrcoef(a, b)[0, 1],
    "spearman": lambda a, b: np.corrcoef(ranks(a), ranks(b))[0, 1],
    "kendall": _kendall,
}


def compare(rdm_a, rdm_b, method="spearman"):
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


def rsa_interval(rdm_a, rdm_b, method="spearman", *, n_boot=1000, confidence=0.95, seed=0):
    """Interval of a representational similarity over objects.

    Objects are drawn with replacement; a pair of two draws of one object is excluded, since its dissimilarity of 0
    would inflate the correlation [1]. Ranks are those of the full sample.

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

    References
    ----------
    [1] Schuett, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12, e82566.
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"There is no interval for the RSA method '{method}'; choose spearman or pearson.")
    a, b = (_pair_values(rdm, method) for rdm in (rdm_a, rdm_b))
    weights = resample_weights(np.random.default_rng(seed), n_boot, len(a))

    def total(matrix):
        # Sum over pairs i < j of w_i w_j m_ij, for every resample; the diagonal of m is 0.
        return np.einsum("bi,bi->b", weights @ matrix, weights) / 2

    pairs = (weights.sum(axis=1) ** 2 - np.einsum("bi,bi->b", weights, weights)) / 2
    mean_a, mean_b = total(a) / pairs, total(b) / pairs
    covariance = total(a * b) / pairs - mean_a * mean_b
    variances = (total(a * a) / pairs - mean_a**2) * (total(b * b) / pairs - mean_b**2)
    return percentile_interval(_ratio(covariance, variances), confidence)


def _pair_values(rdm, method):
    """Symmetric matrix of standardised dissimilarities or their ranks, with a zero diagonal."""
    rdm = np.asarray(rdm, dtype=np.float64)
    values = upper_triangle(rdm)
    if method == "spearman":
        values = ranks(values)
    values = values - values.mean()
    matrix = np.zeros_like(rdm)
    matrix[np.triu_indices(len(rdm), k=1)] = values / max(values.std(), np.finfo(float).tiny)
    return matrix + matrix.T


def _ratio(covariance, variances):
    """Correlation from a covariance and the product of two variances; NaN where one does not vary."""
    vary = variances > 1e-20
    return np.where(vary, covariance / np.sqrt(np.where(vary, variances, 1)), np.nan)
