"""Where a plan puts the true counterpart of every object; alignments know no more of matching than this."""

import numpy as np

from repalign.errors import InputError


def ranks_of_truth(plan, direction="rows"):
    """How many entries of its row (or column) beat the true object, ties counted in half.

    Parameters
    ----------
    plan : (n, n) array
        Object i of the source is object i of the target.
    direction : str
        `rows` (each source object looks for its target) or `columns`.

    Returns
    -------
    (n,) float array; below k means a top-k hit.
    """
    plan = oriented(plan, direction)
    truth = np.diag(plan)[:, None]
    # A constant row is no hit at top 1: its true object shares the first place with all others.
    return (plan > truth).sum(axis=1) + ((plan == truth).sum(axis=1) - 1) / 2


def object_hits(plan, k=1, direction="rows"):
    """(n,) bools: is the true object among the k largest entries?"""
    return ranks_of_truth(plan, direction) < k


def top1(plan):
    """The one rate that needs no category table, by its name."""
    return {"top1": float(object_hits(plan).mean())}


def oriented(plan, direction):
    """A square plan with the objects that look for their counterparts as rows; `direction` is `rows` or `columns`."""
    plan = np.asarray(plan)
    if plan.ndim != 2 or plan.shape[0] != plan.shape[1]:
        raise InputError(
            f"Matching rates need the same objects in both systems; the plan has shape {plan.shape}."
        )
    if direction not in ("rows", "columns"):
        raise InputError(f"Unknown matching direction '{direction}'; choose rows, columns or both.")
    return plan if direction == "rows" else plan.T
