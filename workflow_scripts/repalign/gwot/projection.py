"""Carry one system into the space of the other through a plan."""

import numpy as np

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


def procrustes(source, target, plan):
    """The source, centred and rotated (or reflected) to lie closest to the target under a plan.

    Minimises sum_ij T_ij |Q x_i - y_j|^2 over orthogonal Q, from the singular vectors of X' T Y; the narrower
    embedding is padded with zeros.

    Returns
    -------
    (n1, d), (n2, d) arrays: rotated source and centred target, d being the larger number of features.

    References
    ----------
    Schoenemann (1966), Psychometrika 31, 1-10.
    """
    plan = np.asarray(plan, dtype=np.float64)
    width = max(source.shape[1], target.shape[1])
    x, y = (np.pad(a, ((0, 0), (0, width - a.shape[1]))) for a in (source, target))
    x = x - plan.sum(axis=1) @ x / plan.sum()
    y = y - plan.sum(axis=0) @ y / plan.sum()
    left, _, right = np.linalg.svd(x.T @ plan @ y)
    return x @ left @ right, y


def nearest_matching_rate(source, target, plan, k=1, categories=None, direction="rows"):
    """Matching rate by the k nearest objects after Procrustes rotation through a plan, as GWTune's k-nearest."""
    x, y = procrustes(source, target, plan)
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * x @ y.T
    return matching_rate(-squares, k, categories, direction)
