"""Improve a found plan: basin hopping at finite epsilon, and an exact finish at epsilon 0."""

from dataclasses import replace

import numpy as np

from repalign.errors import InputError
from repalign.gwot.search.ladder import LOOSE, descend


def hop_basins(solver, state, hops, *, heat=3.0, noise=0.5, seed=0):
    """Reheat, disturb, anneal again; keep what lowers the loss.

    Parameters
    ----------
    solver : NativeSolver
    state : State
        One start, at the epsilon to come back to.
    hops : int
    heat : float
        Factor on epsilon to start each hop from.
    noise : float
        Disturbance of the moment, relative to its root mean square.

    Returns
    -------
    `(State, (hops + 1,) array)`: the best state and the best loss after each hop.
    """
    rng = np.random.default_rng(seed)
    target = float(state.epsilon[0])
    best = solver.balance(state)
    losses = [solver.problem.loss(solver.plans(best)[0].cpu().numpy())]
    for _ in range(hops):
        size = noise * float(best.moment.square().mean().sqrt())
        shake = best.moment.new_tensor(size * rng.standard_normal(tuple(best.moment.shape)))
        trial = replace(best, moment=best.moment + shake)
        trial, _ = solver.run(solver.at(trial, [heat * target]), **LOOSE)
        trial = solver.balance(descend(solver, trial, target)[0])
        loss = solver.problem.loss(solver.plans(trial)[0].cpu().numpy())
        if loss < losses[-1]:
            best = trial
        losses.append(min(loss, losses[-1]))
    return best, np.array(losses)


def assignment_finish(problem, plan, max_iterations=50):
    """Follow the unregularised loss from a plan to a permutation: conditional gradient with linear assignment.

    Each step solves the linear assignment of the gradient and moves as far towards it as lowers the loss most; the
    plan ends rounded to the nearest permutation if that is lower.

    Parameters
    ----------
    problem : Problem
        Same number of objects, uniform weights.
    plan : (n, n) array

    Returns
    -------
    `(plan, loss, iterations)`; the loss is never above the given plan's (its marginals being right).

    References
    ----------
    Vayer, Chapel, Flamary, Tavenard & Courty (2019), ICML (conditional gradient for Gromov-Wasserstein).
    """
    from scipy.optimize import linear_sum_assignment  # half a second that no other step needs

    n1, n2 = problem.shape
    if n1 != n2 or not np.allclose(np.concatenate([problem.p, problem.q]), 1 / n1):
        raise InputError("The exact finish needs as many objects in both systems, all of the same weight.")
    plan = np.asarray(plan, dtype=np.float64)
    loss = problem.loss(plan)
    iterations = 0
    while iterations < max_iterations:
        iterations += 1
        gradient = problem.gradient(plan)
        rows, columns = linear_sum_assignment(gradient)
        corner = np.zeros_like(plan)
        corner[rows, columns] = 1 / n1
        slope = float(np.vdot(gradient, corner - plan))
        if slope > -1e-10 * max(loss, 1e-300):
            break
        # Along the segment the loss is a parabola: its value at 0, its slope at 0 and its value at 1 fix it.
        end = problem.loss(corner)
        curvature = end - loss - slope
        step = 1.0 if curvature <= 0 else min(1.0, -slope / (2 * curvature))
        plan = plan + step * (corner - plan)
        loss = problem.loss(plan)
    rows, columns = linear_sum_assignment(-plan)
    corner = np.zeros_like(plan)
    corner[rows, columns] = 1 / n1
    if (end := problem.loss(corner)) <= loss:
        plan, loss = corner, end
    return plan, loss, iterations
