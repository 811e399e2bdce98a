"""How often a plan, or any score, finds the right object or category; and how often chance would."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Partners:
    """The k largest entries of each row, where ties at the k-th place are broken at random.

    Attributes
    ----------
    chosen : (n, n) bools
        Entries that are among the k largest however ties are broken.
    tied : (n, n) bools
        Entries at the k-th place where there are more of them than places.
    places : (n,) int array
        Places that the tied entries of a row share; 0 where it has none.
    """

    chosen: np.ndarray
    tied: np.ndarray
    places: np.ndarray

    @classmethod
    def from_plan(cls, plan, k, direction="rows"):
        """Partners under a square plan; k between 1 and n."""
        plan = np.ascontiguousarray(oriented(plan, direction))
        n = len(plan)
        bound = np.partition(plan, n - k, axis=1)[:, n - k, None]
        chosen = plan >= bound
        open_rows = chosen.sum(axis=1) > k
        tied = np.zeros_like(chosen)
        tied[open_rows] = plan[open_rows] == bound[open_rows]
        chosen[open_rows] = plan[open_rows] > bound[open_rows]
        return cls(chosen, tied, np.where(open_rows, k - chosen.sum(axis=1), 0))

    def drawn(self, rng):
        """(n, k) indices of the partners, ties broken at random."""
        k = int(self.chosen[0].sum() + self.places[0])
        if not self.places.any():
            return np.nonzero(self.chosen)[1].reshape(-1, k)
        order = self.chosen + self.tied * rng.random(self.tied.shape, dtype=np.float32) / 2
        return np.argpartition(-order, k - 1, axis=1)[:, :k]

    def object_hits(self):
        """(n, n) array: the probability that object j is among the partners of row i."""
        share = self.places / np.maximum(self.tied.sum(axis=1), 1)
        return self.chosen + self.tied * share[:, None].astype(np.float32)

    def category_hits(self, members, own=False):
        """(n, n) array: the probability that a partner of row i shares a category with object j.

        With `own` its diagonal alone, which takes less time. `members` is an (n, c) table of bools; objects without a
        category share none.
        """
        members = members.astype(np.float32)
        found = self.chosen.astype(np.float32) @ members
        hits = (((found * members).sum(axis=1) if own else found @ members.T) > 0).astype(np.float32)
        if (rows := np.flatnonzero(self.places)).size:
            tied = self.tied[rows].astype(np.float32)
            together = (members @ members.T > 0).astype(np.float32)
            sharing = (tied * together[rows]).sum(axis=1) if own else tied @ together
            n, places = tied.sum(axis=1), self.places[rows]
            missed = _missed(n, sharing, places) if own else _missed(n[:, None], sharing, places[:, None])
            hits[rows] = np.maximum(hits[rows], 1 - missed)
        return hits


def _missed(n, marked, draws):
    """Probability that `draws` of n objects, drawn without replacement, include none of the marked ones."""
    n, marked, draws = (np.asarray(x, dtype=np.float64) for x in (n, marked, draws))
    others = n - marked
    with np.errstate(invalid="ignore"):
        log_missed = (
            gammaln(others + 1) - gammaln(others - draws + 1) - gammaln(n + 1) + gammaln(n - draws + 1)
        )
    return np.where(others >= draws, np.where(marked == 0, 1.0, np.exp(log_missed)), 0.0)


def category_hits(plan, categories, k=1, direction="rows"):
    """(n,) array: do the k largest entries hold an object that shares a category with the true one?

    Where entries are tied, the probability of that. `categories` is an (n, c) membership table of 0 and 1; objects in
    no category never hit (see `matching_rate`).
    """
    members = checked_members(categories, len(plan))
    return Partners.from_plan(plan, k, direction).category_hits(members, own=True).astype(np.float64)


def matching_rate(plan, k=1, categories=None, direction="rows"):
    """Share of objects matched by a plan, a fraction in [0, 1].

    Parameters
    ----------
    plan : (n, n) array
        Transport plan, or any score that is large for likely pairs. Object i of both systems is the same.
    k : int
        The k largest entries count; ties count by the probability that they would be among them in random order.
    categories : (n, c) array, optional
        Membership table; without it the true object must be found, with it any object of the same category (of one
        of its categories). Objects in no category are left out of the rate.
    direction : str
        `rows`, `columns`, or `both` for the mean of the two.

    Raises
    ------
    InputError
        The plan is not square, k is out of range, or the table does not fit.

    Notes
    -----
    GWTune (Sasaki et al. 2023) counts a category hit where both objects have exactly the same set of categories. That
    is the same for objects in one category each; but there objects in no category match one another, and objects in
    several match only those in the same several.
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
    counted = checked_members(categories, n).any(axis=1)
    return float(category_hits(plan, categories, k, direction)[counted].mean())


def matching_chance(n, k=1, categories=None):
    """Exact expectation of `matching_rate` for a plan in random order.

    k / n for objects. For categories the k choices are drawn without replacement from n objects of which m_i share a
    category with object i (itself included), so object i hits with 1 - C(n - m_i, k) / C(n, k). The k partners that a
    plan chooses are often neighbours of one category: `repalign.gwot.chance` takes that into account.
    """
    if not 1 <= k <= n:
        raise InputError(f"Top-k matching needs k between 1 and {n}, not {k}.")
    if categories is None:
        return k / n
    members = checked_members(categories, n)
    counted = members.any(axis=1)
    together = ((members[counted].astype(np.float32) @ members.T.astype(np.float32)) > 0).sum(axis=1)
    return float((1 - _missed(n, together, k)).mean())


def category_rates(plan, categories, k=1, direction="rows"):
    """(c,) arrays: rate of object hits and of category hits among the members of each category."""
    members = checked_members(categories, len(plan))
    with np.errstate(invalid="ignore"):
        return tuple(
            hits @ members / members.sum(axis=0)
            for hits in (object_hits(plan, k, direction), category_hits(plan, members, k, direction))
        )


def checked_members(categories, n):
    """A membership table as bools, with one row for each of n objects, and some object in some category."""
    members = np.asarray(categories).astype(bool)
    if members.ndim != 2 or len(members) != n:
        raise InputError(
            f"The category table has shape {members.shape}; it needs one row for each of {n} objects."
        )
    if not members.any():
        raise InputError("No object is in any category; check the category table.")
    return members
