"""Carry one system into the space of the other through a plan."""

import numpy as np

from repalign.errors import InputError
from repalign.gwot.matching import matching_rate


def barycentric_projection(plan, target):
    """Each source object at the plan's mean of its target objects.

    Parameters
    ----------
    plan : (n1, n2) array
    target : (n2, d) array

    Returns
    -------
    (n1, d) array
    """
    plan = np.asarray(plan, dtype=np.float64)
    return plan @ target / plan.sum(axis=1, keepdims=True)


def procrustes(source, target, plan, centre=True):
    """The source, rotated (or reflected) to lie closest to the target under a plan; both centred first, or not.

    Minimises sum_ij T_ij |Q x_i - y_j|^2 over orthogonal Q, from the singular vectors of X' T Y; the narrower
    embedding is padded with zeros.

    Returns
    -------
    (n1, d), (n2, d) arrays: rotated source and target, d being the larger number of features.

    References
    ----------
    Schoenemann (1966), Psychometrika 31, 1-10.
    """
    plan = np.asarray(plan, dtype=np.float64)
    width = max(source.shape[1], target.shape[1])
    x, y = (np.pad(a, ((0, 0), (0, width - a.shape[1]))) for a in (source, target))
    if centre:
        x = x - plan.sum(axis=1) @ x / plan.sum()
        y = y - plan.sum(axis=0) @ y / plan.sum()
    left, _, right = np.linalg.svd(x.T @ plan @ y)
    return x @ left @ right, y


def nearest_matching_rate(
    source, target, plan, k=1, categories=None, direction="rows", definition="euclidean"
):
    """Matching rate by the k nearest objects after Procrustes rotation through a plan.

    Parameters
    ----------
    source, target : (n, d1), (n, d2) arrays
    plan : (n, n) array
    k, categories, direction : as in `repalign.gwot.matching.matching_rate`
    definition : str
        `euclidean`: both embeddings are centred, distances are Euclidean, and rows are the source. `gwtune`: as in
        GWTune [1], nothing is centred, distances are cosine, and rows are the target (its objects look for those of
        the rotated source).

    Raises
    ------
    InputError
        Another definition; or see `matching_rate`.

    References
    ----------
    [1] Sasaki, Takeda, Abe & Oizumi (2023), bioRxiv 2023.09.15.558038: `k_nearest` with metric cosine, its default.
    """
    if definition == "gwtune":
        x, y = (_unit(array) for array in procrustes(source, target, plan, centre=False))
        return matching_rate(y @ x.T, k, categories, direction)
    if definition != "euclidean":
        raise InputError(f"Unknown nearest matching '{definition}'; choose euclidean or gwtune.")
    x, y = procrustes(source, target, plan)
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * x @ y.T
    return matching_rate(-squares, k, categories, direction)


def _unit(array):
    return array / np.linalg.norm(array, axis=1, keepdims=True)
