"""Bring a plan onto its marginals, in float64 whatever the precision of the plan."""

import numpy as np

from repalign.gwot.loss import BLOCK, blocks

SCALED = 1e-8  # L1 error at which scaling ends: a float32 plan cannot do better
SWEEPS, NEWTON_STEPS, CG_STEPS = 4, 4, 40  # at most
ROUNDED = 1e-6  # L1 error that scaling may leave; of a larger one the mass is moved
CLIPPED = 1e-32  # entries that solvers clip to about this size are ties, which scaling must not put in order


def onto_marginals(plan, p, q):
    """The plan with marginals p, q that is found by scaling rows and columns, and by moving what that leaves.

    A few Sinkhorn sweeps and Newton steps scale the plan. Where they leave too large an error, rows and columns with
    too much mass are scaled down and the free mass is spread over those with too little [1]. A smaller error stays:
    even spreading would drown the small entries of the plan, whose order says which partners come second and third.

    Parameters
    ----------
    plan : (n1, n2) array without negative entries
    p, q : (n1,), (n2,) arrays of the same sum

    Returns
    -------
    (n1, n2) array of the same dtype; its marginals are off by little more than 1e-6 at most (L1)

    References
    ----------
    [1] Altschuler, Weed & Rigollet (2017), Near-linear time approximation algorithms for optimal transport via Sinkhorn
        iteration, NeurIPS (algorithm 2).
    """
    parts = _Parts(plan)
    v, error = np.ones(len(q)), np.inf
    for step in range(SWEEPS + NEWTON_STEPS + 1):
        u = _ratio(p, parts.rows(v))  # rows are exact, so only columns err
        columns = v * parts.columns(u)
        before, error = error, np.abs(columns - q).sum()
        if error <= SCALED or step == SWEEPS + NEWTON_STEPS or (step > SWEEPS and error > before / 2):
            break
        v = v * (_ratio(q, columns) if step < SWEEPS else _newton_factor(parts, p, q, u, v, columns))
    if error <= ROUNDED:
        return parts.scaled(u, v)
    v = v * np.minimum(1, _ratio(q, columns))
    missing = p - u * parts.rows(v), np.maximum(q - columns, 0)
    return parts.scaled(u, v, missing)


class _Parts:
    """A plan in blocks of float64, converted once where it is small."""

    def __init__(self, plan):
        self.plan = plan
        self.whole = list(blocks(plan)) if plan.size <= BLOCK else None

    def __iter__(self):
        return iter(self.whole or blocks(self.plan))

    def rows(self, v):
        return np.concatenate([part @ v for _, part in self])

    def columns(self, u):
        return sum(u[rows] @ part for rows, part in self)

    def scaled(self, u, v, missing=None):
        """The plan times u and v, with the rank-one plan of the missing marginals added."""
        out = np.empty_like(self.plan)
        for rows, part in self:
            block = u[rows, None] * part * v
            block[part < CLIPPED] = 0
            if missing is not None:
                block += np.outer(missing[0][rows], missing[1] / missing[1].sum())
            out[rows] = block
        return out


def _newton_factor(parts, p, q, u, v, columns):
    """Scaling of the columns by one Newton step: conjugate gradients on the Schur complement of the row scalings."""
    residual, y = q - columns, np.zeros(len(q))
    inverse = _ratio(np.ones_like(q), columns)
    direction, first = inverse * residual, np.abs(residual).sum()
    size = residual @ direction
    for _ in range(CG_STEPS):
        image = columns * direction - v * parts.columns(u**2 / p * parts.rows(v * direction))
        curvature = direction @ image
        if curvature <= 0:
            break
        y += size / curvature * direction
        residual = residual - size / curvature * image
        if np.abs(residual).sum() < max(1e-4 * first, 0.1 * SCALED):
            break
        previous, size = size, residual @ (inverse * residual)
        direction = inverse * residual + size / previous * direction
    return np.exp(np.clip(y, -1, 1))


def _ratio(wanted, found):
    """How much to scale; nothing can be scaled where nothing is."""
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)
