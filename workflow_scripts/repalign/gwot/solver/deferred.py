"""Deferred correction: follow a cheap stand-in of a problem to the fixed point of the problem itself."""

from dataclasses import replace
from itertools import count

import torch

from repalign.gwot.solver.state import Progress

AHEAD = 0.2  # of the change at a correction: how far the stand-in is followed before the next
CORRECTIONS = 12  # at most; each should bring at least a factor of two


def corrected(solver, coarse, state, progress=None):
    """Go on from a state of a coarse solver to a fixed point of the exact one.

    What the coarse cores leave out of C0 T D0 is found at one plan and held while the coarse solver goes on; where
    that ends it is found anew. Each correction is a step of the exact iteration, and convergence is judged by it.

    Parameters
    ----------
    solver, coarse : NativeSolver
    state : State
        Of the coarse solver.
    progress : Progress, optional
        Of the run that led there, to go on counting.

    Returns
    -------
    (State of the exact solver, Progress)
        Not converged where corrections stopped bringing the plan closer.
    """
    change = torch.full_like(state.f[:, 0], torch.inf)
    for number in count(1):
        f, g, inner, u, v, kernel = coarse.sinkhorn(state, coarse.plans(state), solver.deserved(change))
        exact, seen = solver.kernel.contract(kernel, u, v), coarse.kernel.contract(kernel, u, v)
        known = coarse.kernel.score(state.moment)
        known = known if state.rest is None else known + state.rest
        before, change = change, solver.log_change(exact - known, state.epsilon)
        once, ended = torch.ones_like(change, dtype=torch.long), change <= solver.tolerance
        step = Progress(change, ended, once, inner * once)
        progress = step if progress is None else step.after(progress)
        if number == CORRECTIONS or bool((ended | (change > before / 2)).all()):
            return replace(state, moment=exact, f=f, g=g, rest=None), progress
        rest = exact - coarse.kernel.score(seen)
        state = replace(state, moment=seen, f=f, g=g, rest=rest)
        near = max(solver.tolerance / 2, AHEAD * change.max().item())
        state, more = coarse.run(state, tolerance=near)
        progress = more.after(progress)
