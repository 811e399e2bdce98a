"""Improve a found plan by basin hopping."""

from dataclasses import replace

import numpy as np

from repalign.gwot.marginals import onto_marginals
from repalign.gwot.search.ladder import LOOSE, descend


def hop_basins(solver, state, hops, *, heat=3.0, noise=0.5, seed=0):
    """Raise epsilon, disturb the plan, anneal again; keep the result if its loss is lower.

    Parameters
    ----------
    solver : NativeSolver
    state : State
        One start, at the epsilon to return to.
    hops : int
    heat : float
        Each hop starts at this multiple of epsilon.
    noise : float
        Standard deviation of the disturbance of the moment, relative to its root mean square.

    Returns
    -------
    `(State, (hops + 1,) array)`: the best state and the best loss after each hop.
    """
    rng = np.random.default_rng(seed)
    target = float(state.epsilon[0])
    best = solver.balance(state)
    losses = [_loss(solver, best)]
    for _ in range(hops):
        size = noise * float(best.moment.square().mean().sqrt())
        shake = best.moment.new_tensor(size * rng.standard_normal(tuple(best.moment.shape)))
        trial = replace(best, moment=best.moment + shake)
        trial, _ = solver.run(solver.at(trial, [heat * target]), **LOOSE)
        trial = solver.balance(descend(solver, trial, target)[0])
        loss = _loss(solver, trial)
        if loss < losses[-1]:
            best = trial
        losses.append(min(loss, losses[-1]))
    return best, np.array(losses)


def _loss(solver, state):
    """Loss of the plan of a state of one start, as a `Solution` has it."""
    problem = solver.problem
    return problem.loss(onto_marginals(solver.plans(state)[0].cpu().numpy(), problem.p, problem.q))
