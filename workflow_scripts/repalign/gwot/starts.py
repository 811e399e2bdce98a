"""Initial plans."""

import numpy as np
import torch

from repalign.errors import InputError


def random_plan(p, q, seed, sweeps=100):
    """Random plan as in GWTune: entries U(0, 1), then rows and columns scaled in turn to p and q.

    Parameters
    ----------
    p, q : (n1,), (n2,) arrays
    seed : int or sequence of int
    sweeps : int
        Most row-and-column scalings; stops when the row sums are right to 1e-12.

    Returns
    -------
    (n1, n2) float64 array
    """
    plan = np.random.default_rng(seed).random((len(p), len(q)))
    u = np.ones(len(p))
    for _ in range(sweeps):
        v = q / (u @ plan)
        previous, u = u, p / (plan @ v)
        if np.abs(u / previous - 1).max() < 1e-12:
            break
    return u[:, None] * plan * v


def uniform_plan(p, q):
    """The plan that couples every pair in proportion, p q'."""
    return np.outer(p, q)


def profile_plan(problem, points=512, smoothing=0.1, sweeps=50):
    """Couple objects with similar distance profiles: entropic OT on Memoli's third lower bound.

    The profile of an object is the distribution of its dissimilarities to all others, at `points` quantiles.

    Parameters
    ----------
    problem : Problem
    points : int
    smoothing : float
        Epsilon in units of the mean cost.
    sweeps : int
        Sinkhorn sweeps; the marginals of a start need not be exact.

    Returns
    -------
    (n1, n2) float64 array

    References
    ----------
    Memoli (2011), Foundations of Computational Mathematics 11, 417-487.
    """
    profiles = [_profiles(system, points) for system in (problem.source, problem.target)]
    squares = [(profile**2).mean(axis=1) for profile in profiles]
    cost = squares[0][:, None] + squares[1] - 2 * profiles[0] @ profiles[1].T / points
    return entropic_plan(cost, problem.p, problem.q, smoothing * cost.mean(), sweeps)


def _profiles(system, points, block=1024):
    levels = (np.arange(points) + 0.5) / points
    out = np.empty((len(system), points))
    for first in range(0, len(system), block):
        rows = np.sort(system.rows(slice(first, first + block)), axis=1)
        position = levels * rows.shape[1] - 0.5
        below = np.clip(np.floor(position).astype(int), 0, rows.shape[1] - 2)
        part = np.clip(position - below, 0, 1)
        out[first : first + block] = rows[:, below] * (1 - part) + rows[:, below + 1] * part
    return out


def entropic_plan(cost, p, q, epsilon, sweeps=50):
    """Entropic optimal transport of a cost (n1, n2) by Sinkhorn in the log domain; rows end exact."""
    kernel = torch.as_tensor(-cost / epsilon)
    log_p, log_q = torch.as_tensor(np.log(p)), torch.as_tensor(np.log(q))
    f = torch.zeros_like(log_p)
    for _ in range(sweeps):
        g = log_q - torch.logsumexp(kernel + f[:, None], 0)
        f = log_p - torch.logsumexp(kernel + g, 1)
    return (kernel + f[:, None] + g).exp().numpy()


STARTS = {
    "random": lambda problem, seed: random_plan(problem.p, problem.q, seed),
    "uniform": lambda problem, seed: uniform_plan(problem.p, problem.q),
    "profile": lambda problem, seed: profile_plan(problem),
}


def start_plan(problem, kind, seed):
    """The initial plan of a kind: one of `STARTS`."""
    if kind not in STARTS:
        raise InputError(f"Unknown start '{kind}'; choose one of {', '.join(STARTS)}.")
    return STARTS[kind](problem, seed)
