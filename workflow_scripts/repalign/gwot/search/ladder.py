"""Follow a solution from a large epsilon down to a small one."""

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
        Solved or not at its own epsilons; the first step already lowers them.
    target : float
    ratio : float
        Largest step down; as many equal steps are taken as that needs.
    loose : dict
        Limits of `solver.run` on the way.
    close :
        Limits of `solver.run` at the target; the solver's own by default.

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
