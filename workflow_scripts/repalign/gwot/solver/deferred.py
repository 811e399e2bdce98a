"""Deferred correction: solve a cheap approximation, and correct it until its solution is that of the exact problem."""

from dataclasses import replace
from itertools import count

import torch

from repalign.gwot.solver.state import Progress

NEXT_TOLERANCE = 0.2  # of the last correction's change: how far the approximation is solved before the next
MOST_CORRECTIONS = 12  # each should at least halve the change


def deferred_correction(solver, coarse, state, progress=None):
    """Go on from a state of a coarse solver to a fixed point of the exact one.

    The part of C0 T D0 that the coarse cores leave out is computed at one plan and held fixed while the coarse solver
    converges; then it is computed anew. Each correction is a step of the exact iteration, so its change tells whether
    the exact problem has converged.

    Parameters
    ----------
    solver, coarse : NativeSolver
    state : State
        Of the coarse solver.
    progress : Progress, optional
        Of the run that led there; its iterations are counted too.

    Returns
    -------
    (State of the exact solver, Progress)
        Not converged where a correction did not halve the change of the one before.
    """
    change = torch.full_like(state.f[:, 0], torch.inf)
    for number in count(1):
        scaled = coarse.sinkhorn(state, coarse.plans(state), solver.marginal_tolerance(change))
        plan = scaled.kernel, scaled.u, scaled.v
        (exact, _), (approximate, _) = solver.kernel.moments(*plan), coarse.kernel.moments(*plan)
        used = coarse.kernel.score(state.moment)
        used = used if state.rest is None else used + state.rest
        before, change = change, solver.log_change(exact - used, state.epsilon)
        progress = _one_step(change, solver.tolerance, scaled.sweeps, progress)
        if number == MOST_CORRECTIONS or bool((progress.converged | (change > before / 2)).all()):
            return replace(state, moment=exact, f=scaled.f, g=scaled.g, rest=None), progress
        rest = exact - coarse.kernel.score(approximate)
        state = replace(state, moment=approximate, f=scaled.f, g=scaled.g, rest=rest)
        state, more = coarse.run(
            state, tolerance=max(solver.tolerance / 2, NEXT_TOLERANCE * change.max().item())
        )
        progress = more.after(progress)


def _one_step(change, tolerance, sweeps, before):
    """Progress after one exact step that changed the log plan by so much."""
    once = torch.ones_like(change, dtype=torch.long)
    step = Progress(change, change <= tolerance, once, sweeps * once)
    return step if before is None else step.after(before)
