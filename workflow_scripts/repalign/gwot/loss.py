"""The loss of a plan, in float64 whatever the precision of the plan."""

import numpy as np

BLOCK = 2**24  # entries of a plan that are converted to float64 at a time
RELIABLE = 1e-8  # share of the variances of C and D below which their difference has lost too many digits
PAIRED = 4096  # entries that are then compared pair by pair, at least; or four per object
UNBALANCED = 1e-7  # L1 error of a marginal whose square can matter


def square_loss(source, target, plan):
    """Sum over i, j, k, l of (C_ik - D_jl)^2 T_ij T_kl, for any plan without negative entries.

    C and D are centred under the plan's own marginals, which makes all cross terms vanish (E is the mean over pairs of
    entries of the plan):

        L = (mean C - mean D)^2 + 2 E (a_i - b_j)^2 + E C0_ik^2 + E D0_jl^2 - 2 <C0 T D0, T>

    The sum has an error of about 1e-15 of the variances of C and D. Where that could matter, the largest entries of
    the plan are compared pair by pair instead: a sum of squares loses no digits.

    Parameters
    ----------
    source, target : the systems of a `Problem`
    plan : (n1, n2) array

    Returns
    -------
    float, never negative; exact to 1e-6, or to about 1e-15 of the variances of C and D where that is more
    """
    plan = np.asarray(plan)
    rows, columns = marginals(plan)
    mass = float(rows.sum())
    if mass == 0:
        return 0.0
    rows, columns = rows / mass, columns / mass
    mean, a, shift, square = _recentred(source, rows)
    other_mean, b, other_shift, other_square = _recentred(target, columns)
    linear, twice = (
        np.concatenate([part @ np.stack([b, other_shift], 1) for _, part in blocks(plan)])
        * np.stack([a, shift], 1)
    ).sum(axis=0) / mass
    core = _core_overlap(source, target, plan) / mass**2
    core += (rows @ shift) * (columns @ other_shift) - 2 * twice
    variance = 2 * (rows @ a**2 + columns @ b**2) + square + other_square
    value = (mean - other_mean) ** 2 + variance - 4 * linear - 2 * core
    if value < RELIABLE * variance:
        value = _pairwise(source, target, plan, mass, value)
    return float(mass**2 * value)


def marginals(plan):
    """Row and column sums in float64."""
    return np.sum(plan, axis=1, dtype=np.float64), np.sum(plan, axis=0, dtype=np.float64)


def blocks(plan):
    """Blocks of rows of a plan as float64, so that no copy of a large one is ever whole."""
    step = max(1, BLOCK // plan.shape[1])
    for first in range(0, len(plan), step):
        rows = slice(first, first + step)
        yield rows, plan[rows].astype(np.float64, copy=False)


def _recentred(system, weights):
    """A system split anew for other weights: mean, linear part, shift, and weighted mean square of the new core.

    The shift is the core times the weights. The new core is core_ik - shift_i - shift_k + weights @ shift.
    """
    change = weights - system.weights
    shift = system.apply(change[:, None])[:, 0]  # the core times the system's own weights is 0
    offset, twice = float(weights @ system.linear), float(weights @ shift)
    square = system.core_square + 2 * float(change @ system.core_square_rows)
    if np.abs(change).sum() > UNBALANCED:
        square += _square_form(system, change)
    square += twice**2 - 2 * float(weights @ shift**2)
    linear = system.linear + shift - offset - twice
    return system.mean + 2 * offset + twice, linear, shift, square


def _square_form(system, vector):
    """Sum over i, k of v_i core_ik^2 v_k."""
    if system.factor is not None:
        gram = system.factor.T @ (vector[:, None] * system.factor)
        return float((gram * gram).sum())
    return sum(float(vector[rows] @ (part * part @ vector)) for rows, part in blocks(system.dense))


def _core_overlap(source, target, plan):
    """<C0 T D0, T> of the systems' own cores."""
    left, right = source.factor, target.factor
    if left is None and right is None:
        plan = plan.astype(np.float64, copy=False)
        return float(np.vdot(source.dense @ plan, plan @ target.dense))
    if left is None:
        moment = np.concatenate([part @ right for _, part in blocks(plan)])
        return float(-np.vdot(source.dense @ moment, moment))
    if right is None:
        moment = sum(left[rows].T @ part for rows, part in blocks(plan))
        return float(-np.vdot(moment @ target.dense, moment))
    moment = sum(left[rows].T @ (part @ right) for rows, part in blocks(plan))
    return float(np.vdot(moment, moment))


def _pairwise(source, target, plan, mass, value):
    """The loss of the largest entries of a plan with one another, or its approximate value if entries are left out."""
    count = min(plan.size, max(PAIRED, 4 * max(plan.shape)))
    flat = plan.ravel()
    chosen = np.sort(np.argpartition(flat, plan.size - count)[plan.size - count :])
    chosen = chosen[flat[chosen] > 0]
    weights = flat[chosen].astype(np.float64) / mass
    i, j = np.unravel_index(chosen, plan.shape)
    total, step = 0.0, max(1, 2**22 // max(len(chosen), *plan.shape))
    for first in range(0, len(chosen), step):
        part = slice(first, first + step)
        difference = source.rows(i[part])[:, i] - target.rows(j[part])[:, j]
        total += float(weights[part] @ (difference * difference @ weights))
    complete = count == plan.size or 1 - weights.sum() < 1e-14
    return total if complete else max(total, value)
