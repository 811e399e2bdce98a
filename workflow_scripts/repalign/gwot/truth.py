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
    ahead, level = _before_truth(plan, direction)
    return ahead + (level - 1) / 2


def object_hits(plan, k=1, direction="rows"):
    """(n,) array: is the true object among the k largest entries? Where it is tied, the probability of that.

    With all entries of a row equal it is k / n: ties are broken at random.
    """
    ahead, level = _before_truth(plan, direction)
    return np.clip((k - ahead) / level, 0, 1)


def _before_truth(plan, direction):
    """How many entries of its row beat the true object, and how many equal it, itself included: (n,) arrays."""
    plan = oriented(plan, direction)
    truth = np.diag(plan)[:, None]
    return (plan > truth).sum(axis=1), (plan == truth).sum(axis=1)


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
