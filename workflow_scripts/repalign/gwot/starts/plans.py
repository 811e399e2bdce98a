"""Initial plans computed directly from two systems."""

from itertools import product

import numpy as np
import torch


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


def spectral_plan(problem, scales=16, smoothing=0.1):
    """Couple objects with similar spectral signatures by entropic OT.

    The signature of an object is the sum of its squared eigenvector entries in each band of eigenvalues of the core;
    neither the signs of eigenvectors nor rotations within a band change it.

    References
    ----------
    Aubry, Schlickewei & Cremers (2011), ICCV workshops (wave kernel signature).
    """
    spectra = [spectrum(system) for system in (problem.source, problem.target)]
    top = max(values.max() for values, _ in spectra)
    centres = np.log(top) + np.linspace(-6, 0, scales)
    signatures = []
    for values, vectors in spectra:
        bands = np.exp(-0.5 * ((np.log(np.maximum(values, 1e-12 * top)) - centres[:, None]) / 0.4) ** 2)
        signature = (vectors**2) @ bands.T
        signatures.append(signature / signature.mean(axis=0))
    cost = ((signatures[0] ** 2).sum(1)[:, None] + (signatures[1] ** 2).sum(1)) - 2 * signatures[
        0
    ] @ signatures[1].T
    return entropic_plan(cost, problem.p, problem.q, smoothing * cost.mean())


def spectrum(system):
    """Eigenvalues (in size) and eigenvectors (n, r) of a core as an operator under the weights."""
    root = np.sqrt(system.weights)
    if system.factor is not None:
        vectors, values, _ = np.linalg.svd(root[:, None] * system.factor, full_matrices=False)
        return values**2, vectors / root[:, None]
    values, vectors = np.linalg.eigh(root[:, None] * system.dense * root)
    return np.abs(values), vectors / root[:, None]


def sliced_plan(problem, axes=3):
    """Couple objects at similar coordinates on the leading axes of both cores; the signs are those of lowest loss."""
    coordinates = []
    for system in (problem.source, problem.target):
        values, vectors = spectrum(system)
        leading = np.argsort(-values)[:axes]
        coordinates.append(vectors[:, leading] * np.sqrt(values[leading]))
    best, plan = np.inf, None
    for signs in product((1, -1), repeat=axes):
        x, y = coordinates[0] * signs, coordinates[1]
        cost = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
        candidate = entropic_plan(cost, problem.p, problem.q, 0.1 * cost.mean(), 10)
        if (loss := problem.loss(candidate)) < best:
            best, plan = loss, candidate
    return plan


def entropic_plan(cost, p, q, epsilon, sweeps=50):
    """Entropic optimal transport of a cost (n1, n2) by Sinkhorn in the log domain; rows end exact."""
    kernel = torch.as_tensor(-cost / epsilon)
    log_p, log_q = torch.as_tensor(np.log(p)), torch.as_tensor(np.log(q))
    f = torch.zeros_like(log_p)
    for _ in range(sweeps):
        g = log_q - torch.logsumexp(kernel + f[:, None], 0)
        f = log_p - torch.logsumexp(kernel + g, 1)
    return (kernel + f[:, None] + g).exp().numpy()
