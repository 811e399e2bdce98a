"""Initial plans from smaller problems: the alignment of clusters of objects, or of random subsets."""

import warnings
from dataclasses import replace

import numpy as np
import torch
from scipy.cluster.vq import kmeans2

from repalign.gwot.problem import Problem
from repalign.gwot.search.ladder import descend
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.starts.plans import entropic_plan, profile_plan, random_plan, spectrum
from repalign.gwot.system import Dissimilarities, centred

TOP = 0.4  # of the critical epsilon, where the annealing of a reduced problem begins
BOTTOM = 0.03  # of the critical epsilon, where it ends
RANK = 100  # leading axes in which plans of subsets are compared


def multiscale_plan(problem, seed=0, clusters=200, randoms=3):
    """Align clusters of objects, then spread each cluster's mass evenly over its objects.

    Both systems are cut into clusters (k-means on the leading axes of the core); the clusters' mean dissimilarities
    are aligned by annealing from the profile plan and a few random ones, and the plan of lowest loss is spread.

    Parameters
    ----------
    problem : Problem
    seed : int or sequence of int
    clusters : int
        In each system; at most a third of its objects.
    randoms : int
        Random starts beside the profile plan.

    Returns
    -------
    (n1, n2) float64 array

    References
    ----------
    Chowdhury, Miller & Needham (2021), ECML PKDD (quantised Gromov-Wasserstein).
    """
    rng = np.random.default_rng(seed)
    labels = [_cluster(system, clusters, rng) for system in (problem.source, problem.target)]
    small = Problem(*map(merged, (problem.source, problem.target), labels))
    starts = [random_plan(small.p, small.q, rng.integers(2**31)) for _ in range(randoms)]
    plan, _ = _annealed(small, np.stack([profile_plan(small), *starts]))
    shares = [
        system.weights / part.weights[label]
        for system, part, label in zip(
            (problem.source, problem.target), (small.source, small.target), labels, strict=True
        )
    ]
    return shares[0][:, None] * plan[np.ix_(*labels)] * shares[1]


def consensus_plan(problem, seed=0, subsets=4, size=400):
    """Align random subsets of both systems, and extend the most consistent alignments to all objects.

    The subsets of the two systems are drawn independently, so they hold different objects. Each alignment is
    summarised by the cross-covariance of the leading axes of both cores under its plan. The cross-covariance most
    similar to the others is averaged with those that point the same way, and the gradient at this average gives the
    plan.

    Parameters
    ----------
    problem : Problem
    seed : int or sequence of int
    subsets, size : int
        How many, and objects in each (at most all).

    Returns
    -------
    (n1, n2) float64 array
    """
    rng = np.random.default_rng(seed)
    systems = problem.source, problem.target
    axes = [_axes(system) for system in systems]
    moments = []
    for _ in range(subsets):
        chosen = [np.sort(rng.choice(len(s), min(size, len(s)), replace=False)) for s in systems]
        small = Problem(*map(subset, systems, chosen))
        starts = profile_plan(small), random_plan(small.p, small.q, rng.integers(2**31))
        plan, _ = _annealed(small, np.stack(starts))
        moments.append(axes[0][0][chosen[0]].T @ plan @ axes[1][0][chosen[1]])
    flat = np.stack([moment.ravel() for moment in moments])
    flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    likeness = flat @ flat.T
    leader = likeness.sum(axis=1).argmax()
    moment = np.mean([moments[k] for k in np.flatnonzero(likeness[leader] > 0.5)], axis=0)
    # The gradient depends on the plan through this moment only.
    score = axes[0][0] * axes[0][1] @ moment @ (axes[1][0] * axes[1][1]).T
    cost = -4 * (np.outer(problem.source.linear, problem.target.linear) + score)
    return entropic_plan(cost, problem.p, problem.q, TOP * problem.critical_epsilon)


def merged(system, labels):
    """The system of clusters: weights add up, dissimilarities are weighted means."""
    weights = np.bincount(labels, system.weights)
    share = np.zeros((len(system), len(weights)))
    share[np.arange(len(system)), labels] = system.weights / weights[labels]
    if system.factor is not None:
        return replace(
            system, weights=weights, linear=share.T @ system.linear, factor=share.T @ system.factor
        )
    return Dissimilarities(
        weights, system.mean, share.T @ system.linear, dense=share.T @ system.dense @ share
    )


def subset(system, chosen):
    """The system of some objects, their weights scaled to mass 1 and its constants split off anew."""
    weights = system.weights[chosen] / system.weights[chosen].sum()
    if system.factor is None:
        return centred(system.rows(chosen)[:, chosen], weights)
    factor, linear = system.factor[chosen], system.linear[chosen]
    centre, offset = weights @ factor, weights @ linear
    factor = factor - centre
    linear = linear - offset - factor @ centre
    return Dissimilarities(weights, float(system.mean + 2 * offset - centre @ centre), linear, factor=factor)


def _annealed(problem, plans):
    """The best of some starts of a small problem, and its loss."""
    solver = NativeSolver(problem, tolerance=3e-2, max_iterations=40)
    critical = problem.critical_epsilon
    state, progress = descend(solver, solver.state(plans, TOP * critical), BOTTOM * critical)
    solutions = [s for s in solver.solutions(state, progress) if not s.failure]
    best = min(solutions, key=lambda solution: solution.loss)
    return np.asarray(best.plan, dtype=np.float64), best.loss


def _cluster(system, clusters, rng):
    axes, _ = _axes(system)
    count = max(2, min(clusters, len(system) // 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about empty clusters, which are left out below
        _, labels = kmeans2(axes, count, minit="++", rng=rng)
    return np.unique(labels, return_inverse=True)[1]


def _axes(system):
    """Coordinates (n, r) on the leading axes of the core, and the sign of each axis' eigenvalue: core = X S X'."""
    if system.factor is not None:
        values, vectors = spectrum(system)
        return (vectors * np.sqrt(values))[:, :RANK], -np.ones(min(RANK, len(values)))
    root = np.sqrt(system.weights)
    values, vectors = torch.linalg.eigh(torch.as_tensor(root[:, None] * system.dense * root))
    values, vectors = values.numpy(), vectors.numpy()
    leading = np.argsort(-np.abs(values))[:RANK]
    axes = vectors[:, leading] * np.sqrt(np.abs(values[leading])) / root[:, None]
    return axes, np.sign(values[leading])
