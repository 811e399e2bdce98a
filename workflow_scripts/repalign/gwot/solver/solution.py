"""What a solver hands back, and when a plan counts as failed."""

from dataclasses import dataclass

import numpy as np

from repalign.gwot.marginals import onto_marginals

MARGINAL_LIMIT = 0.01  # a plan with more than 1% of its mass out of place is no plan


@dataclass(frozen=True)
class Solution:
    """One run of a solver from one start.

    Attributes
    ----------
    plan : (n1, n2) array
        The transport plan; total mass 1.
    loss : float
        Unregularised loss; NaN where the run failed.
    epsilon : float
        Entropic regularisation at which the plan was found.
    converged : bool
    marginal_error : float
        Largest L1 distance of a marginal to p or q.
    iterations, inner_iterations : int
        Projected-gradient steps, and Sinkhorn iterations in all of them.
    failure : str
        Why the plan is unusable; empty for a usable one.
    """

    plan: np.ndarray
    loss: float
    epsilon: float
    converged: bool
    marginal_error: float
    iterations: int
    inner_iterations: int
    failure: str = ""


def failure_of(problem, plan):
    """Why a plan is unusable (zero, NaN, wrong mass, wrong marginals), or an empty string."""
    mass = float(np.sum(plan, dtype=np.float64))
    if not np.isfinite(mass):
        return "NaN or infinity in the plan"
    if mass == 0:
        return "all-zero plan"
    if abs(mass - 1) > MARGINAL_LIMIT:
        return f"total mass {mass:.3g} instead of 1"
    if plan.min() < 0:
        return "negative entries in the plan"
    if (error := problem.marginal_error(plan)) > MARGINAL_LIMIT:
        return f"marginals off by {error:.2g} in L1"
    return ""


def make_solution(problem, plan, *, epsilon, converged, iterations, inner_iterations):
    """Make a `Solution` of a plan: a usable one is brought onto its marginals, a failed one has a reason, no loss."""
    failure = failure_of(problem, plan)
    if not failure:
        plan = onto_marginals(plan, problem.p, problem.q)
    return Solution(
        plan=plan,
        loss=float("nan") if failure else problem.loss(plan),
        epsilon=float(epsilon),
        converged=bool(converged and not failure),
        marginal_error=problem.marginal_error(plan),
        iterations=int(iterations),
        inner_iterations=int(inner_iterations),
        failure=failure,
    )
