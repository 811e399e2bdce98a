"""Initial plans."""

import numpy as np

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


def start_plan(problem, kind, seed):
    """The initial plan of a kind: `random` or `uniform`."""
    if kind == "random":
        return random_plan(problem.p, problem.q, seed)
    if kind == "uniform":
        return uniform_plan(problem.p, problem.q)
    raise InputError(f"Unknown start '{kind}'; choose random or uniform.")
