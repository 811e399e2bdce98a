"""Variances of means over pairs or triplets of objects, which are dependent where they share an object.

Each pair or triplet contributes its deviation from the mean, or its influence on the statistic. The variance of the
mean is the sum of the products of all deviations that share an object [1]. A bootstrap over objects would count the
noise that every pair has of its own three times, and that of every triplet seven times.

References
----------
[1] Aronow, Samii & Assenova (2015), Cluster-robust variance estimation for dyadic data, Political Analysis 23, 564-577.
"""

import numpy as np
from numpy.typing import NDArray


def pair_variance(deviations: NDArray) -> float:
    """Variance of a mean over pairs of objects.

    Parameters
    ----------
    deviations : (n, n) array
        Symmetric, with a diagonal of 0; their sum is 0.

    Returns
    -------
    float, never negative: the square of each deviation is counted twice, once for each of its two objects. This
    compensates for the small number of objects, and matters little where there are many.
    """
    n = len(deviations)
    return float((deviations.sum(axis=1) ** 2).sum() / (n * (n - 1) / 2) ** 2)


def triplet_variance(deviations: NDArray, triplets: NDArray, n_objects: int) -> float:
    """Variance of a mean over triplets of objects.

    Parameters
    ----------
    deviations : (m,) array
        Their sum is 0.
    triplets : (m, 3) integer array
        Three different objects each; triplets may repeat.
    n_objects : int

    Returns
    -------
    float, at least the variance that independent triplets would have. A product of two triplets that share two objects
    is counted twice, which compensates for a small number of objects, like the squares of pairs above.
    """
    first, second, third = np.sort(triplets, axis=1).astype(np.int64).T
    by_object = (np.bincount(triplets.ravel(), np.repeat(deviations, 3)) ** 2).sum()
    # What a triplet shares with itself, or with a repetition, is counted for each of its three objects.
    _, number = np.unique((first * n_objects + second) * n_objects + third, return_inverse=True)
    own = (np.bincount(number.ravel(), deviations) ** 2).sum()
    m, correction = len(deviations), n_objects / max(n_objects - 3, 1)
    return float(correction * max(by_object - 2 * own, own) / m**2)
