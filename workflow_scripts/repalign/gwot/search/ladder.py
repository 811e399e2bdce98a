"""Annealing: follow solutions from a large epsilon down to a small one."""

import numpy as np

RATIO = 0.6  # from one epsilon to the next
LOOSE = {"tolerance": 0.3, "max_iterations": 20}
CLOSE = {"tolerance": 0.03, "max_iterations": 60}


def descend(solver, state, target, *, ratio=RATIO, loose=LOOSE, **close):
    """Anneal a batch geometrically, each member from its own epsilon, to one target.

    Parameters
    ----------
    solver : NativeSolver or PotSolver
    state : State
        At its own epsilons, solved or not; the first step already lowers them.
    target : float
    ratio : float
        Smallest ratio of successive epsilons; the steps are equal on a log scale.
    loose : dict
        Tolerance and iteration limit of `solver.run` above the target.
    close :
        The same at the target; the solver's own by default.

    Returns
    -------
    `(State, Progress)` at the target.
    """
    current = np.asarray(state.epsilon.cpu(), dtype=np.float64)
    steps = max(1, int(np.ceil(np.log(current.max() / target) / -np.log(ratio) - 1e-9)))
    for step in range(1, steps + 1):
        state = solver.at(state, target * (current / target) ** (1 - step / steps))
        state, progress = solver.run(state, **(close if step == steps else loose))
    return state, progress
