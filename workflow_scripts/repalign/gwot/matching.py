"""How often a plan, or any score, finds the right object or category; and how often chance would."""

import numpy as np
from scipy.special import gammaln

from repalign.errors import InputError
from repalign.gwot.truth import object_hits, oriented


def largest(plan, k, direction="rows"):
    """Indices (n, k) of the k largest entries of each row (or column), largest first; ties by position."""
    plan = oriented(plan, direction)
    k = min(k, plan.shape[1])
    kth = np.partition(plan, plan.shape[1] - k, axis=1)[:, -k]
    if k > plan.shape[1] // 8:
        return np.argsort(-plan, axis=1, kind="stable")[:, :k]
    out = np.empty((len(plan), k), dtype=np.intp)
    for i, (row, bound) in enumerate(zip(plan, kth, strict=True)):
        candidates = np.flatnonzero(row >= bound)
        out[i] = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
    return out


def category_hits(plan, categories, k=1, direction="rows"):
    """(n,) bools: do the k largest entries hold an object that shares a category with the true one?

    `categories` is an (n, c) membership table of 0 and 1; objects in no category never hit (see `matching_rate`).
    """
    members = _members(categories, len(plan))
    chosen = largest(plan, k, direction)
    hits = np.zeros(len(chosen), dtype=bool)
    for column in chosen.T:
        hits |= (members & members[column]).any(axis=1)
    return hits


def matching_rate(plan, k=1, categories=None, direction="rows"):
    """Share of objects matched by a plan, a fraction in [0, 1].

    Parameters
    ----------
    plan : (n, n) array
        Transport plan, or any score that is large for likely pairs. Object i of both systems is the same.
    k : int
        The k largest entries count.
    categories : (n, c) array, optional
        Membership table; without it the true object must be found, with it any object of the same category (of one
        of its categories). Objects in no category are left out of the rate.
    direction : str
        `rows`, `columns`, or `both` for the mean of the two.

    Raises
    ------
    InputError
        The plan is not square, k is out of range, or the table does not fit.
    """
    if direction == "both":
        return (
            matching_rate(plan, k, categories, "rows") + matching_rate(plan, k, categories, "columns")
        ) / 2
    n = len(np.asarray(plan))
    if not 1 <= k <= n:
        raise InputError(f"Top-k matching needs k between 1 and {n}, not {k}.")
    if categories is None:
        return float(object_hits(plan, k, direction).mean())
    counted = _members(categories, n).any(axis=1)
    if not counted.any():
        raise InputError("No object is in any category; check the category table.")
    return float(category_hits(plan, categories, k, direction)[counted].mean())


def matching_chance(n, k=1, categories=None):
    """Exact expectation of `matching_rate` for a plan in random order.

    k / n for objects. For categories the k choices are drawn without replacement from n objects of which m_i share a
    category with object i (itself included), so object i hits with 1 - C(n - m_i, k) / C(n, k).
    """
    if not 1 <= k <= n:
        raise InputError(f"Top-k matching needs k between 1 and {n}, not {k}.")
    if categories is None:
        return k / n
    members = _members(categories, n)
    counted = members.any(axis=1)
    if not counted.any():
        raise InputError("No object is in any category; check the category table.")
    together = ((members[counted].astype(np.float32) @ members.T.astype(np.float32)) > 0).sum(axis=1)
    others = n - together
    with np.errstate(invalid="ignore"):
        log_miss = gammaln(others + 1) - gammaln(others - k + 1) - gammaln(n + 1) + gammaln(n - k + 1)
    miss = np.where(others >= k, np.exp(log_miss), 0.0)
    return float((1 - miss).mean())


def category_rates(plan, categories, k=1, direction="rows"):
    """(c,) arrays: rate of object hits and of category hits among the members of each category."""
    members = _members(categories, len(plan)).astype(float)
    sizes = members.sum(axis=0)
    with np.errstate(invalid="ignore"):
        objects = object_hits(plan, k, direction) @ members / sizes
        shared = category_hits(plan, categories, k, direction) @ members / sizes
    return objects, shared


def _members(categories, n):
    members = np.asarray(categories).astype(bool)
    if members.ndim != 2 or len(members) != n:
        raise InputError(
            f"The category table has shape {members.shape}; it needs one row for each of {n} objects."
        )
    return members
