"""Entropic Gromov-Wasserstein in torch: factored costs, warm-started Sinkhorn, batched over starts."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch

from repalign.gwot.solver.deferred import deferred_correction
from repalign.gwot.solver.iteration import Iteration
from repalign.gwot.solver.kernel import Kernel, make_side
from repalign.gwot.solver.sinkhorn import Sinkhorn, exp_, stabilised, usable
from repalign.gwot.solver.solution import make_solution
from repalign.gwot.solver.state import State, Step

COARSE_RANK = 240  # leading eigenvectors that stand for a large dense core while a search is loose
COARSE_TOLERANCE = 0.03  # change of the log plan at which a run starts to correct for the other eigenvectors
MARGINAL_SHARE = 0.01  # marginal error allowed per change of the log plan, and at most
BALANCE_PATIENCE = 300  # sweeps without progress after which a final plan is as balanced as it gets


class NativeSolver:
    """Entropic Gromov-Wasserstein by projected gradient, T <- Sinkhorn(p, q, G(T), epsilon).

    Parameters
    ----------
    problem : Problem
    device, dtype : str
        float32 by default; float64 is the reference.
    max_iterations, max_inner : int
        Most outer steps, and most Sinkhorn sweeps in each.
    rank : int, optional
        Replace dense cores by this many leading eigenvectors; the loss of a plan is still the exact one.
    tolerance : float
        Stop when one step changes the log plan by less than this, root mean square.

    Notes
    -----
    `docs/solver.md` derives the iteration and measures every acceleration. Sinkhorn starts from the last potentials
    and is solved to a marginal error of a hundredth of the plan's last change. Its sweeps are mixed by Anderson
    acceleration; the outer steps, once they are small, are those of a quasi-Newton method that never raises the
    objective. Large dense cores are replaced by their leading eigenvectors, and the error of that is corrected at the
    end (`finish`).
    """

    def __init__(
        self,
        problem,
        *,
        device="cpu",
        dtype="float32",
        max_iterations=300,
        max_inner=1000,
        tolerance=1e-4,
        rank=None,
    ):
        self.problem, self.rank = problem, rank
        self.max_iterations, self.max_inner, self.tolerance = max_iterations, max_inner, tolerance
        self.device, self.dtype = device, dtype
        self.options = {"device": device, "dtype": getattr(torch, dtype)}
        self.kernel = Kernel(
            *(make_side(system, rank, **self.options) for system in (problem.source, problem.target))
        )
        self.p, self.q = self.kernel.left.weights, self.kernel.right.weights
        self.log_p, self.log_q = self.p.log(), self.q.log()
        self.precision = 50 * torch.finfo(self.options["dtype"]).eps  # of a marginal error, in L1

    @property
    def batch(self):
        """Starts worth solving together: a few while they share the cache, many on a GPU."""
        entries = self.problem.shape[0] * self.problem.shape[1]
        room = 2**19 if self.device == "cpu" else 2**31
        return int(np.clip(room // entries, 1, 32))

    # States

    def state(self, plans, epsilon):
        """State of initial plans (B, n1, n2) at one epsilon or one each."""
        plans = torch.as_tensor(np.asarray(plans), **self.options)
        batch = len(plans)
        epsilon = self._epsilon(epsilon).expand(batch).clone()
        f, g = self.log_p.expand(batch, -1), self.log_q.expand(batch, -1)
        return State(self.kernel.moment(plans), f, g, epsilon)

    def at(self, state, epsilon):
        """The same potentials, in units of cost, at other epsilons (B,)."""
        epsilon = self._epsilon(epsilon)
        ratio = (state.epsilon / epsilon).to(state.f.dtype)[:, None]
        f, g = self.log_p + ratio * (state.f - self.log_p), self.log_q + ratio * (state.g - self.log_q)
        return State(state.moment, f, g, epsilon)

    def join(self, states):
        """One batch of several."""
        fields = ("moment", "f", "g", "epsilon")
        return State(*(torch.cat([getattr(state, field) for state in states]) for field in fields))

    def plans(self, state):
        """Plans (B, n1, n2) of a state."""
        return exp_(self.log_kernel(state))

    def log_kernel(self, state, out=None):
        """Log plans (B, n1, n2) of a state."""
        return self.kernel.log_kernel(state.moment, state.epsilon, state.f, state.g, state.rest, out)

    def balance(self, state):
        """Bring the marginals of a state's plans to the precision of the dtype."""
        target = torch.full((len(state),), self.precision, **self.options)
        scaled = self.sinkhorn(state, self.plans(state), target, patience=BALANCE_PATIENCE)
        return replace(state, f=scaled.f, g=scaled.g)

    def solutions(self, state, progress):
        """A `Solution` for each start of a batch, with balanced marginals."""
        state = self.balance(state)
        return [
            make_solution(
                self.problem,
                self.plans(state[index : index + 1])[0].cpu().numpy(),
                epsilon=state.epsilon[index].item(),
                converged=progress.converged[index].item(),
                iterations=progress.iterations[index].item(),
                inner_iterations=progress.inner_iterations[index].item(),
            )
            for index in range(len(state))
        ]

    # Runs

    def solve(self, plan, epsilon):
        """Run from one initial plan (n1, n2) at one epsilon; returns a `Solution`."""
        return self.solutions(*self.run_from(plan[None], epsilon))[0]

    def run_from(self, plans, epsilon):
        """Iterate initial plans (B, n1, n2) to convergence at one epsilon or one each; `(State, Progress)`."""
        coarse = self.coarse()
        if coarse is self:
            return self.run(self.state(plans, epsilon))
        start = coarse.state(plans, epsilon)
        return self.finish(*coarse.run(start, tolerance=max(COARSE_TOLERANCE, self.tolerance)))

    def run(self, state, *, tolerance=None, max_iterations=None):
        """Iterate a batch of starts to convergence, each at its own epsilon; returns `(State, Progress)`."""
        tolerance = self.tolerance if tolerance is None else tolerance
        return Iteration(self, state, tolerance, max_iterations or self.max_iterations).run()

    def finish(self, state, progress=None):
        """Take a state of `coarse()` to convergence; `progress` of the run that led there is counted too."""
        coarse = self.coarse()
        if coarse is not self:
            state, progress = deferred_correction(self, coarse, state, progress)
            if bool(progress.converged.all()):
                return state, progress
        state, ending = self.run(state)
        return state, ending if progress is None else ending.after(progress)

    def coarse(self):
        """A cheaper solver of nearly the same problem for loose stages of a search; itself where costs are factored."""
        return self._coarse or self

    @cached_property
    def _coarse(self):
        systems = self.problem.source, self.problem.target
        small = min(self.problem.shape) < 6 * COARSE_RANK
        if small or self.rank is not None or any(system.factor is not None for system in systems):
            return None
        return type(self)(
            self.problem,
            device=self.device,
            dtype=self.dtype,
            max_iterations=self.max_iterations,
            max_inner=self.max_inner,
            rank=COARSE_RANK,
        )

    # One step

    def step(self, state, marginal_tolerance, out=None):
        """One projected-gradient step: a `Step`. Overwrites the kernel `out` where given."""
        scaled = self.sinkhorn(state, exp_(self.log_kernel(state, out)), marginal_tolerance)
        moment, dual = self.kernel.moments(scaled.kernel, scaled.u, scaled.v)
        image = replace(state, moment=moment, f=scaled.f, g=scaled.g)
        change = self.log_change(moment - state.moment, state.epsilon)
        return Step(image, dual, change, self._objective(state.moment, image, dual), scaled.sweeps)

    def _objective(self, used, image, dual):
        """F(T) / epsilon (B,) of the plans of a step, up to a constant, in float64.

        With log T = 4 / epsilon (a b' + score of the used moment) + f + g the entropy needs no sum over the plan, and
        the linear terms cancel.
        """
        potentials = image.f.double() @ self.p.double() + image.g.double() @ self.q.double()
        products = (((4 * used - 2 * image.moment) * dual).flatten(1)).sum(1, dtype=torch.float64)
        return potentials + products / image.epsilon

    def sinkhorn(self, state, kernel, tolerance, **limits):
        """Scale the kernels of a state to the marginals: a `ScaledKernel`."""
        f, g, row_sums = state.f, state.g, kernel.sum(2)
        if not usable(row_sums):
            kernel, f, g = stabilised(self.log_kernel(state, kernel), f, g, self.log_p, self.log_q)
            row_sums = kernel.sum(2)
        scaling = Sinkhorn(kernel, f, g, row_sums, self.p, self.q, self.precision)
        return scaling.solve(tolerance, max_sweeps=self.max_inner, **limits)

    def marginal_tolerance(self, change):
        """Marginal errors (B,) that plans may have which changed by so much in the last step."""
        return (MARGINAL_SHARE * change).clamp(self.precision, MARGINAL_SHARE)

    def empty_kernel(self, batch):
        """Memory for the kernels of a batch."""
        return torch.empty(batch, *self.problem.shape, **self.options)

    def log_change(self, change, epsilon):
        """Root mean square changes (B,) of the log plan that changes of the moment (B, r1, r2) make."""
        left, right = self.kernel.left.root, self.kernel.right.root
        change = left @ change if left.dim() == 2 else left[:, None] * change
        change = change @ right.T if right.dim() == 2 else change * right
        return (4 / epsilon).to(change.dtype) * torch.linalg.vector_norm(change, dim=(1, 2))

    def _epsilon(self, epsilon):
        return torch.as_tensor(epsilon, device=self.device, dtype=torch.float64)
