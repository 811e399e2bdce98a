"""Entropic Gromov-Wasserstein on POT in torch: the reference solver."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from ot.bregman import sinkhorn
from ot.gromov import gwggrad, init_matrix

from repalign.gwot.solver.solution import make_solution


class PotSolver:
    """Projected-gradient entropic GW as GWTune runs it, on POT's own functions.

    T <- Sinkhorn(p, q, G(T), epsilon) with G = 2 c1 + 2 c2 - 4 C T D, until ||T - T_previous|| falls below
    `tolerance`, checked every 10th step.

    Parameters
    ----------
    problem : Problem
    device : str
    dtype : str
        float64 is the reference.
    max_iterations, max_inner : int
        Outer steps, and Sinkhorn iterations in each.
    tolerance : float
        Of the outer loop (Frobenius norm) and of Sinkhorn's marginals.

    References
    ----------
    Peyre, Cuturi & Solomon (2016), ICML; Flamary et al. (2021), JMLR 22(78); Sasaki et al. (2023), bioRxiv
    2023.09.15.558038 (GWTune).
    """

    def __init__(
        self, problem, *, device="cpu", dtype="float64", max_iterations=200, max_inner=1000, tolerance=1e-9
    ):
        self.problem = problem
        self.max_iterations, self.max_inner, self.tolerance = max_iterations, max_inner, tolerance
        self.options = {"device": device, "dtype": getattr(torch, dtype)}
        c, d, self.p, self.q = (
            torch.as_tensor(array, **self.options)
            for array in (problem.source.matrix, problem.target.matrix, problem.p, problem.q)
        )
        self.costs = init_matrix(c, d, self.p, self.q, loss_fun="square_loss")

    batch = 1

    def state(self, plans, epsilon):
        """State of initial plans (B, n1, n2) at one epsilon or one each."""
        plans = torch.as_tensor(np.asarray(plans), **self.options)
        return PotState(plans, torch.as_tensor(epsilon, **self.options).expand(len(plans)).clone())

    def at(self, state, epsilon):
        """The same plans at other epsilons (B,)."""
        return PotState(state.plans, torch.as_tensor(epsilon, **self.options))

    def join(self, states):
        """One batch of several."""
        return PotState(torch.cat([s.plans for s in states]), torch.cat([s.epsilon for s in states]))

    def coarse(self):
        """Itself: POT has no cheaper solver."""
        return self

    def finish(self, state):
        """Iterate to convergence."""
        return self.run(state)

    def balance(self, state):
        """The state itself: POT's plans are reported as they are."""
        return state

    def run(self, state, *, tolerance=None, max_iterations=None):
        """Iterate each plan of a batch; returns `(state, list of progress)`."""
        limits = (tolerance or self.tolerance, max_iterations or self.max_iterations)
        runs = [
            self._run(plan, value, *limits) for plan, value in zip(state.plans, state.epsilon, strict=True)
        ]
        return PotState(torch.stack([plan for plan, _ in runs]), state.epsilon), [
            ending for _, ending in runs
        ]

    def solutions(self, state, progress):
        """A `Solution` for each plan of a batch."""
        return [
            make_solution(self.problem, plan.cpu().numpy(), epsilon=value.item(), **ending)
            for plan, value, ending in zip(state.plans, state.epsilon, progress, strict=True)
        ]

    def solve(self, plan, epsilon):
        """Run from one initial plan (n1, n2) at one epsilon; returns a `Solution`."""
        return self.solutions(*self.run_from(plan[None], epsilon))[0]

    def run_from(self, plans, epsilon):
        """Iterate initial plans (B, n1, n2) at one epsilon or one each; returns `(state, list of progress)`."""
        return self.run(self.state(plans, epsilon))

    def _run(self, plan, epsilon, tolerance, max_iterations):
        converged, inner = False, 0
        for iteration in range(1, max_iterations + 1):
            previous = plan
            gradient = gwggrad(*self.costs, plan)
            with warnings.catch_warnings():
                # POT warns of underflow and of missing convergence; `make_solution` detects both in the plan.
                warnings.simplefilter("ignore")
                plan, log = sinkhorn(
                    self.p,
                    self.q,
                    gradient,
                    epsilon,
                    numItermax=self.max_inner,
                    stopThr=self.tolerance,
                    log=True,
                    warn=False,
                )
            inner += int(log["niter"]) + 1
            if not torch.isfinite(plan).all() or plan.sum() == 0:
                break
            if iteration % 10 == 0 and float(torch.linalg.norm(plan - previous)) < tolerance:
                converged = True
                break
        return plan, {"converged": converged, "iterations": iteration, "inner_iterations": inner}


@dataclass(frozen=True)
class PotState:
    """Plans (B, n1, n2) and the epsilon of each."""

    plans: torch.Tensor
    epsilon: torch.Tensor

    def __getitem__(self, index):
        return PotState(self.plans[index], self.epsilon[index])
