"""Entropic Gromov-Wasserstein in torch: factored costs, warm-started absorbed Sinkhorn, batched over starts."""

from dataclasses import replace
from functools import cached_property
from math import exp

import numpy as np
import torch

from repalign.gwot.solver.anderson import Anderson
from repalign.gwot.solver.deferred import corrected
from repalign.gwot.solver.kernel import Kernel, Side
from repalign.gwot.solver.products import WholeKernel, sparse_kernel
from repalign.gwot.solver.solution import make_solution
from repalign.gwot.solver.state import Progress, State

ABSORB = 30.0  # log of the largest scaling kept outside the kernel; float32 reaches 88
COARSE_RANK = 240  # leading eigenvectors that stand for a dense core while a search is loose
NEAR = 0.03  # change at which a run begins to correct for what they leave out
SETTLED = 20  # sweeps after which the entries of a kernel that matter are taken for the whole
THINNED = 500  # objects from which that takes less time than it saves
MIXED = 10  # sweeps that Anderson acceleration of Sinkhorn looks back on
REACH = 5.0  # log of how far a mixed scaling may lie from the plain one
LOWEST = -75.0  # log of the smallest entry of a kernel
# Where a plan is nearly a permutation marginal errors end up creeping: while the plan still changes, so many sweeps
# without a tenth less, below so many times the floor, are the last; more at the end.
STALLED, STALE, PATIENT = 8, 60, 300
INNER = 0.01  # marginal error allowed per root mean square change of the log plan, and at most


class NativeSolver:
    """Projected-gradient entropic GW, T <- Sinkhorn(p, q, G(T), epsilon), fast.

    Parameters
    ----------
    problem : Problem
    device, dtype : str
        float32 by default; float64 is the reference.
    max_iterations, max_inner : int
        Outer steps; Sinkhorn sweeps in each.
    rank : int, optional
        Replace dense cores by this many leading eigenvectors; the loss of a plan is still the exact one.
    tolerance : float
        Stop when one step changes the log plan by less than this, root mean square.

    Notes
    -----
    Sinkhorn starts from the last potentials, with them absorbed into the kernel, and is solved only as far as the
    outer change deserves: its marginal error stays below a hundredth of the plan's last change. Its sweeps are mixed
    by Anderson acceleration in the log domain, which takes a tenth of them where epsilon is small; scalings that grow
    past exp(30) are absorbed again. The outer iteration is mixed too, close to its fixed point. Large dense cores are
    followed by their leading eigenvectors, which cost a tenth, and corrected for the rest now and then (`finish`).
    """

    def __init__(
        self,
        problem,
        *,
        device="cpu",
        dtype="float32",
        max_iterations=2000,
        max_inner=1000,
        tolerance=1e-4,
        rank=None,
    ):
        self.problem, self.rank = problem, rank
        self.max_iterations, self.max_inner, self.tolerance = max_iterations, max_inner, tolerance
        self.options_by_name = {"device": device, "dtype": dtype}
        self.options = {"device": device, "dtype": getattr(torch, dtype)}
        self.kernel = Kernel(
            *(Side.of(system, rank, **self.options) for system in (problem.source, problem.target))
        )
        self.p, self.q = self.kernel.left.weights, self.kernel.right.weights
        self.log_p, self.log_q = self.p.log(), self.q.log()
        self.floor = 50 * torch.finfo(self.options["dtype"]).eps

    def state(self, plans, epsilon):
        """State of initial plans (B, n1, n2) at one epsilon or one each."""
        plans = torch.as_tensor(np.asarray(plans), **self.options)
        batch = len(plans)
        epsilon = self._epsilon(epsilon).expand(batch).clone()
        f, g = self.log_p.expand(batch, -1), self.log_q.expand(batch, -1)
        return State(self.kernel.moment(plans), f, g, epsilon)

    def plans(self, state):
        """Plans (B, n1, n2) of a state."""
        return _exp(self.log_kernel(state))

    def log_kernel(self, state, out=None):
        """Log plans (B, n1, n2) of a state."""
        return self.kernel.log_kernel(state.moment, state.epsilon, state.f, state.g, state.rest, out)

    def solve(self, plan, epsilon):
        """Run from one initial plan (n1, n2) at one epsilon; returns a `Solution`."""
        return self.solutions(*self.run_from(plan[None], epsilon))[0]

    def run_from(self, plans, epsilon):
        """Iterate initial plans (B, n1, n2) to convergence at one epsilon or one each; `(State, Progress)`."""
        coarse = self.coarse()
        if coarse is self:
            return self.run(self.state(plans, epsilon))
        return self.finish(*coarse.run(coarse.state(plans, epsilon), tolerance=max(NEAR, self.tolerance)))

    def finish(self, state, progress=None):
        """Take a state of `coarse()` on to convergence, counting the run that led there; as `run`."""
        coarse = self.coarse()
        if coarse is not self:
            state, progress = corrected(self, coarse, state, progress)
            if bool(progress.converged.all()):
                return state, progress
        state, ending = self.run(state)
        return state, ending if progress is None else ending.after(progress)

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

    @property
    def batch(self):
        """Starts worth solving together: a few while they share the cache, many on a GPU."""
        n = self.problem.shape[0] * self.problem.shape[1]
        room = 2**31 if self.options["device"] != "cpu" else 2**19
        return int(np.clip(room // n, 1, 32))

    def coarse(self):
        """A cheaper solver of nearly the same problem for loose stages of a search; itself where costs are factored."""
        return self._coarse or self

    @cached_property
    def _coarse(self):
        systems = self.problem.source, self.problem.target
        small = min(self.problem.shape) < 6 * COARSE_RANK
        if small or self.rank is not None or any(system.factor is not None for system in systems):
            return None
        limits = {"max_iterations": self.max_iterations, "max_inner": self.max_inner}
        return NativeSolver(self.problem, **self.options_by_name, **limits, rank=COARSE_RANK)

    def at(self, state, epsilon):
        """The same potentials, in units of cost, at other epsilons (B,)."""
        epsilon = self._epsilon(epsilon)
        ratio = (state.epsilon / epsilon).to(state.f.dtype)[:, None]
        f, g = self.log_p + ratio * (state.f - self.log_p), self.log_q + ratio * (state.g - self.log_q)
        return State(state.moment, f, g, epsilon)

    def _epsilon(self, epsilon):
        return torch.as_tensor(epsilon, device=self.options["device"], dtype=torch.float64)

    def join(self, states):
        """One batch of several."""
        fields = ("moment", "f", "g", "epsilon")
        return State(*(torch.cat([getattr(state, field) for state in states]) for field in fields))

    def run(self, state, *, tolerance=None, max_iterations=None):
        """Iterate a batch of starts to convergence, each at its own epsilon; returns `(State, Progress)`."""
        tolerance = self.tolerance if tolerance is None else tolerance
        limit = max_iterations or self.max_iterations
        batch, device = len(state), state.f.device
        change = torch.full((batch,), torch.inf, **self.options)
        target = torch.full_like(change, INNER)
        iterations = torch.zeros(batch, dtype=torch.long, device=device)
        inner_iterations = torch.zeros_like(iterations)
        state = replace(state, moment=state.moment.clone(), f=state.f.clone(), g=state.g.clone())
        active = torch.arange(batch, device=device)
        mixer, out = Anderson(start=0.1, escape=True), self._buffer(batch)
        while len(active):
            if out is not None and len(out) != len(active):
                out = self._buffer(len(active))
            current = state if len(active) == batch else state[active]
            # Never looser again: at small epsilon a run would swing between loose marginals and tight ones for ever.
            target[active] = torch.minimum(target[active], self.deserved(change[active]))
            *image, inner = self._step(current, out, target[active])
            residual = self._score_change(image[0] - current.moment, current.epsilon)
            point = self._score_change(current.moment, current.epsilon)
            step = self._step_size(image[0] - current.moment, residual, current.epsilon)
            change[active] = step
            mixed = mixer.mix(point, residual, torch.cat([part.flatten(1) for part in image], 1))
            for whole, part in zip(
                (state.moment, state.f, state.g), mixed.split([x[0].numel() for x in image], 1), strict=True
            ):
                whole[active] = part.view_as(whole[active])
            iterations[active] += 1
            inner_iterations[active] += inner
            going = (step > tolerance) & (iterations[active] < limit)
            if not bool(going.all()):
                mixer.keep(going)
                active = active[going]
        return state, Progress(change, change <= tolerance, iterations, inner_iterations)

    def log_change(self, change, epsilon):
        """Root mean square change (B,) of the log plan that a change of C0 T D0 (B, n1, n2) makes."""
        change = self.p.sqrt()[:, None] * change * self.q.sqrt()
        return (4 / epsilon).to(change.dtype) * torch.linalg.vector_norm(change, dim=(1, 2))

    def deserved(self, change):
        """Marginal errors (B,) as small as the last changes of the plans deserve."""
        return (INNER * change).clamp(self.floor, INNER)

    def balance(self, state):
        """Bring the marginals of a state's plans to the precision of the dtype."""
        target = torch.full((len(state),), self.floor, **self.options)
        f, g = self.sinkhorn(state, self.plans(state), target, patience=PATIENT)[:2]
        return replace(state, f=f, g=g)

    def _buffer(self, batch):
        return torch.empty(batch, *self.problem.shape, **self.options)

    def _step(self, state, out, target):
        kernel = _exp(self.log_kernel(state, out))
        f, g, inner, u, v, kernel = self.sinkhorn(state, kernel, target)
        return self.kernel.contract(kernel, u, v), f, g, inner

    def sinkhorn(self, state, kernel, target, patience=STALE):
        """Scale kernels to the marginals; rows end exact, columns within `target` in L1."""
        f, g = state.f, state.g
        rows = kernel.sum(2)
        if not _sound(rows):
            kernel, f, g = self._stabilised(state, kernel)
            rows = kernel.sum(2)
        sweeps, mixer, root = 0, Anderson(MIXED), self.q.sqrt()
        u, log_v = self.p / rows, torch.zeros_like(g)
        best, stale = torch.full_like(state.f[:, 0], torch.inf), 0
        products, thinning = WholeKernel(kernel), SETTLED if self._thins(state) else torch.inf
        while True:
            v = log_v.exp()
            columns = products.columns(u)
            error = (columns * v - self.q).abs().sum(1)
            sweeps += 1
            done = error <= target
            better = ~done & (error < 0.9 * best)
            best = torch.where(better, error, best)
            stale = 0 if bool((better | (error > STALLED * self.floor)).any()) else stale + 1
            if stale > patience or bool(done.all()) or sweeps > self.max_inner:
                if products.whole:
                    break
                products, thinning = WholeKernel(kernel), torch.inf  # which has the last word
                u = self.p / products.rows(v)
                continue
            if sweeps == thinning:
                products = sparse_kernel(kernel, u, v, self.p, columns * v) or products
            image = (self.q / columns).log()
            mixed = mixer.mix(log_v * root, (image - log_v) * root, image)
            log_v = torch.where(done[:, None], log_v, image + (mixed - image).clamp_(-REACH, REACH))
            u = self.p / products.rows(log_v.exp())
            if not _within(u, log_v):
                kernel.mul_(u[..., None]).mul_(log_v.exp()[:, None]).clamp_(min=exp(LOWEST))
                f, g = f + u.log(), g + log_v
                u, log_v = torch.ones_like(u), torch.zeros_like(log_v)
                mixer = Anderson(MIXED)  # what it knew is in other coordinates
                products, thinning = WholeKernel(kernel), max(thinning, sweeps + SETTLED)
        return f + u.log(), g + log_v, sweeps, u, v, kernel

    def _thins(self, state):
        """Whether products with the entries that matter alone are worth their making."""
        return len(state) == 1 and state.f.device.type == "cpu" and min(self.problem.shape) >= THINNED

    def _stabilised(self, state, kernel, sweeps=3):
        """Kernel, f, g after a few Sinkhorn sweeps in the log domain, where scalings cannot over- or underflow."""
        log_kernel = self.log_kernel(state, kernel)
        f, g = state.f.clone(), state.g.clone()
        scaled = torch.empty_like(log_kernel)
        for _ in range(sweeps):
            for axis, log_weights, potential in ((1, self.log_q, g), (2, self.log_p, f)):
                # torch.logsumexp takes six times as long.
                top = log_kernel.amax(axis, keepdim=True)
                total = _exp(torch.sub(log_kernel, top, out=scaled)).sum(axis)
                shift = log_weights - total.log() - top.squeeze(axis)
                log_kernel += shift.unsqueeze(axis)
                potential += shift
        return _exp(log_kernel), f, g

    def _score_change(self, change, epsilon):
        """Change of the log plan that a change of the moment causes, in coordinates of root mean square norm.

        Of a large dense core only the part along its leading eigenvectors: mixing looks back on all of it.
        """
        left, right = self.kernel.left.root, self.kernel.right.root
        if self._coarse:
            left, right = self._coarse.kernel.left.axes, self._coarse.kernel.right.axes
        change = left @ change if left.dim() == 2 else left[:, None] * change
        change = change @ right.T if right.dim() == 2 else change * right
        return (4 / epsilon).to(change.dtype)[:, None] * change.flatten(1)

    def _step_size(self, change, residual, epsilon):
        """Root mean square change of the log plan: the norm of all its coordinates."""
        return self.log_change(change, epsilon) if self._coarse else torch.linalg.vector_norm(residual, dim=1)


def _exp(log_kernel):
    """In-place exp without denormal numbers, which cost ten times as much in every product that follows."""
    return log_kernel.clamp_(min=LOWEST).exp_()


def _sound(rows):
    return bool((torch.isfinite(rows) & (rows > 1e-30)).all())


def _within(u, log_v):
    low, high = u.aminmax()
    return bool((high < exp(ABSORB)) & (low > exp(-ABSORB)) & (log_v.abs().amax() < ABSORB))
