"""Representational similarity analysis: correlation of two dissimilarity matrices."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.rdm import upper_triangle


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
