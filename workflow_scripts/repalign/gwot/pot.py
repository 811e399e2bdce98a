"""Entropic Gromov-Wasserstein on POT in torch: the reference solver."""

import warnings

import numpy as np
import torch
from ot.bregman import sinkhorn
from ot.gromov import gwggrad, init_matrix

from repalign.gwot.solution import judged


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
            for array in (problem.source, problem.target, problem.p, problem.q)
        )
        self.costs = init_matrix(c, d, self.p, self.q, loss_fun="square_loss")

    def solve(self, plan, epsilon, *, tolerance=None):
        """Run from one initial plan (n1, n2) at one epsilon; returns a `Solution`."""
        tolerance = self.tolerance if tolerance is None else tolerance
        plan = torch.as_tensor(np.asarray(plan), **self.options)
        converged, inner = False, 0
        for iteration in range(1, self.max_iterations + 1):
            previous = plan
            gradient = gwggrad(*self.costs, plan)
            with warnings.catch_warnings():
                # POT warns of underflow and of missing convergence; `judged` finds both in the plan itself.
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
        return judged(
            self.problem,
            plan.cpu().numpy(),
            epsilon=epsilon,
            converged=converged,
            iterations=iteration,
            inner_iterations=inner,
        )
