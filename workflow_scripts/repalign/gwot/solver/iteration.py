"""The outer iteration: projected-gradient steps of a batch of starts, accelerated near their fixed points."""

from dataclasses import replace

import torch

from repalign.gwot.solver.anderson import Anderson
from repalign.gwot.solver.state import Progress

ANDERSON_BELOW = 0.1  # change of the log plan in one step below which a start is near its fixed point


class Iteration:
    """Iterate every start of a batch at its own epsilon until it converges or has taken `limit` steps.

    Parameters
    ----------
    solver : NativeSolver
    state : State
    tolerance : float
        Root mean square change of the log plan in one step at which a start has converged.
    limit : int
    """

    def __init__(self, solver, state, tolerance, limit):
        self.solver, self.tolerance, self.limit = solver, tolerance, limit
        self.state = replace(state, moment=state.moment.clone(), f=state.f.clone(), g=state.g.clone())
        self.change = state.f.new_full((len(state),), torch.inf)
        self.marginal_tolerance = self.change.clone()
        self.steps = torch.zeros_like(self.change, dtype=torch.long)
        self.sweeps = torch.zeros_like(self.steps)
        self.active = torch.arange(len(state), device=state.f.device)
        self.anderson = Anderson(start=ANDERSON_BELOW, escape=True)
        self.kernel = solver.empty_kernel(len(state))

    def run(self):
        """Returns `(State, Progress)`."""
        while len(self.active):
            self._step()
        converged = self.change <= self.tolerance
        return self.state, Progress(self.change, converged, self.steps, self.sweeps)

    def _step(self):
        active, solver = self.active, self.solver
        current = self.state if len(active) == len(self.state) else self.state[active]
        image, sweeps = solver.step(current, self._tighten(active), out=self._kernel_memory())
        moved = image.moment - current.moment
        residual = solver.log_plan_coordinates(moved, current.epsilon)
        change = solver.step_size(moved, residual, current.epsilon)
        point = solver.log_plan_coordinates(current.moment, current.epsilon)
        self._store(image.with_flat(self.anderson.mix(point, residual, image.flat())))
        self.change[active] = change
        self.steps[active] += 1
        self.sweeps[active] += sweeps
        self._retire((change > self.tolerance) & (self.steps[active] < self.limit))

    def _tighten(self, active):
        """Marginal errors that the next inner solutions may have.

        They never grow again: at small epsilon a run could alternate between loose and tight marginals for ever.
        """
        allowed = self.solver.marginal_tolerance(self.change[active])
        self.marginal_tolerance[active] = torch.minimum(self.marginal_tolerance[active], allowed)
        return self.marginal_tolerance[active]

    def _kernel_memory(self):
        if len(self.kernel) != len(self.active):
            self.kernel = self.solver.empty_kernel(len(self.active))
        return self.kernel

    def _store(self, state):
        for name in ("moment", "f", "g"):
            getattr(self.state, name)[self.active] = getattr(state, name)

    def _retire(self, going):
        if not bool(going.all()):
            self.anderson.keep(going)
            self.active = self.active[going]
