"""The outer iteration: projected-gradient steps of a batch of starts, accelerated near their fixed points."""

from dataclasses import replace

import torch

from repalign.gwot.solver.quasi_newton import QuasiNewton
from repalign.gwot.solver.state import Progress


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
        self.accelerator = QuasiNewton(self._log_change)
        self.kernel = solver.empty_kernel(len(state))

    def run(self):
        """Returns `(State, Progress)`."""
        while len(self.active):
            self._step()
        converged = self.change <= self.tolerance
        return self.state, Progress(self.change, converged, self.steps, self.sweeps)

    def _step(self):
        active = self.active
        current = self.state if len(active) == len(self.state) else self.state[active]
        step = self.solver.step(current, self._tighten(active), out=self._kernel_memory())
        image = step.image.moment
        proposed = self.accelerator.next(
            current.moment.flatten(1), image.flatten(1), step.dual.flatten(1), step.change, step.objective
        )
        self.change[active] = step.change
        self.steps[active] += 1
        self.sweeps[active] += step.sweeps
        converged = step.change <= self.tolerance
        ended = self.steps[active] >= self.limit
        moment = torch.where(ended[:, None], self.accelerator.best, proposed).view_as(image)
        self.state.moment[active] = torch.where(converged[:, None, None], image, moment)
        self.state.f[active], self.state.g[active] = step.image.f, step.image.g
        self._retire(~converged & ~ended)

    def _log_change(self, moments):
        shape = len(moments), *self.state.moment.shape[1:]
        return self.solver.log_change(moments.view(shape), self.state.epsilon[self.active])

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

    def _retire(self, going):
        if not bool(going.all()):
            self.accelerator.keep(going)
            self.active = self.active[going]
