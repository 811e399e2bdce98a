"""Full-batch solvers: the loss over millions of triplets depends on the transform only through n x n similarities."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from repalign.errors import InputError
from repalign.naive_transform.descent import Minimum, minimise
from repalign.naive_transform.objectives import NORMS, GlobalObjective, Locality, NaiveObjective
from repalign.naive_transform.triplets import TripletCrossEntropy

# Output dimensions that the naive transform starts with; the test of optimality says whether more are needed.
FIRST_RANK = 128

# An eigenvalue below minus this share of the regularisation counts as negative in that test.
OPTIMALITY_TOLERANCE = 0.1

# The finite bias is this many times longer than what it has to outweigh (see `_finite_bias`).
BIAS_MARGIN = 1e3


@dataclass(frozen=True)
class AffineFit:
    """z = weights x + bias for standardised x, and how its fit ended.

    Attributes
    ----------
    weights : (d, d) array
    bias : (d,) array
    loss : float
        Objective of these weights and this bias.
    gradient_norm, relative_gradient_norm : float
        Length of its gradient, and relative to that at the start.
    iterations : int
    converged : bool
    """

    weights: NDArray
    bias: NDArray
    loss: float
    gradient_norm: float
    relative_gradient_norm: float
    iterations: int
    converged: bool


def solve_naive(
    x: NDArray,
    triplets: NDArray,
    regularisation: float,
    norm: str = "frobenius_squared",
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 500,
    device: str = "cpu",
) -> AffineFit:
    """The naive transform: cross-entropy + regularisation * ||W||_F^2 (or ||W||_F), bias free.

    Parameters
    ----------
    x : (n, d) array
        Standardised embedding.
    triplets : (m, 3) integer array
    regularisation : float
    norm : str
        `frobenius_squared` or `frobenius`.
    tolerance : float
        Stop when the gradient is this much shorter than at the start.
    max_iterations : int
    device : str

    Returns
    -------
    AffineFit

    Notes
    -----
    Two facts make this solvable. (1) The bias b enters a softmax over the pairs of a triplet only through W'b, a
    linear term v'x per object. As b is not regularised, a long b with a tiny row of W along it gives any v at no
    cost. The infimum over (W, b) is therefore the minimum over (W, v) with v free; a finite b reaches it up to a small
    excess, which `_finite_bias` makes about 1e-6. (2) In A = W'W the problem is convex (for the squared norm), with
    ||W||_F^2 = tr A. So a local minimum over W with few rows is the global one if and only if the gradient with
    respect to A has no negative eigenvalue. Otherwise the eigenvectors of its negative eigenvalues are the directions
    that W lacks.
    """
    if norm not in NORMS:
        raise InputError(f"Unknown norm '{norm}'; choose one of {', '.join(NORMS)}.")
    n, d = x.shape
    rows, axes, mean, variances = _principal_axes(x, device)
    objective = NaiveObjective(rows, TripletCrossEntropy(triplets, n, device), regularisation, norm)
    scale = _coordinate_scale(variances, regularisation)
    start = _first_naive_guess(min(d, FIRST_RANK), d, device)
    found = minimise(objective, start, [scale, scale], tolerance, max_iterations)
    while found.iterations < max_iterations:
        weights, linear = found.parameters
        missing = _missing_directions(objective, weights, linear)
        if not len(missing):
            break
        start = [torch.cat([weights, 1e-2 * missing]), linear]
        found = minimise(objective, start, [scale, scale], tolerance, max_iterations, before=found)
    weights, bias = _finite_bias(*(array.cpu().numpy() for array in (*found.parameters, rows)))
    # The objective of what is returned: a finite bias costs a little more than v alone.
    returned = [torch.from_numpy(array).to(device) for array in (weights, weights.T @ bias)]
    loss, _ = objective(*returned)
    return _affine_fit(replace(found, loss=loss), weights, bias, axes, mean, tolerance)


def solve_global(
    x: NDArray,
    triplets: NDArray,
    regularisation: float,
    alpha: float = 0.0,
    temperature: float = 1.0,
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 500,
    device: str = "cpu",
) -> AffineFit:
    """The global transform, regularised towards a scaled identity, and with `alpha` > 0 the gLocal one [1].

    Minimises (1 - alpha) cross-entropy + alpha locality + regularisation * ||W - mean(diag W) I||_F^2, where the
    locality term is the cross-entropy between the softmax over other objects of the cosine similarities before the
    transform and of those after it, both divided by `temperature`.

    Parameters are those of `solve_naive`; the locality term is over the objects of `x`.

    References
    ----------
    [1] Muttenthaler, Linhardt, Dippel, Vandermeulen, Hermann, Lampinen & Kornblith (2023), Improving neural network
        representations using human similarity judgments, NeurIPS.
    """
    n, d = x.shape
    rows, axes, mean, variances = _principal_axes(x, device)
    locality = None
    if alpha > 0:
        locality = Locality(rows + torch.from_numpy(axes @ mean).to(device), temperature)
    cross_entropy = TripletCrossEntropy(triplets, n, device)
    objective = GlobalObjective(rows, cross_entropy, regularisation, alpha, locality)
    ones = torch.ones(1, dtype=torch.float64, device=device)
    start = [
        torch.eye(d, dtype=torch.float64, device=device) / np.sqrt(d),
        torch.full((d,), 1e-2 / np.sqrt(d), dtype=torch.float64, device=device),
    ]
    scales = [_coordinate_scale(variances, regularisation), ones]
    found = minimise(objective, start, scales, tolerance, max_iterations)
    weights, bias = (tensor.cpu().numpy() for tensor in found.parameters)
    return _affine_fit(found, weights, bias, axes, mean, tolerance)


def _principal_axes(x: NDArray, device: str) -> tuple[torch.Tensor, NDArray, NDArray, torch.Tensor]:
    """Centred x in the coordinates of its principal axes, those axes (d, d), the feature means and the variances."""
    mean = x.mean(axis=0)
    axes = np.linalg.eigh((x - mean).T @ (x - mean))[1].T[::-1].copy()
    rows = torch.from_numpy((x - mean) @ axes.T).to(device)
    return rows, axes, mean, (rows**2).mean(dim=0)


def _coordinate_scale(variances: torch.Tensor, regularisation: float) -> torch.Tensor:
    """Units of the principal axes in which the objective curves about equally in all of them."""
    return 1 / torch.sqrt(0.05 * variances + regularisation + 1e-6 * variances.max())


def _first_naive_guess(rank: int, d: int, device: str) -> list[torch.Tensor]:
    """W with similarities of unit size along the first principal axes and a little along all others, and v = 0."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.eye(rank, d, dtype=torch.float64) / np.sqrt(d)
    weights += 0.1 / d * torch.randn(rank, d, dtype=torch.float64, generator=generator)
    return [weights.to(device), torch.zeros(d, dtype=torch.float64).to(device)]


def _missing_directions(
    objective: NaiveObjective, weights: torch.Tensor, linear: torch.Tensor
) -> torch.Tensor:
    """(k, d) unit rows along which W must grow for the minimum to be global; none where it is, or W is square."""
    curvature, shrinkage = objective.curvature(weights, linear)
    values, vectors = torch.linalg.eigh(curvature)
    missing = int((values < -OPTIMALITY_TOLERANCE * shrinkage).sum())
    rank, d = weights.shape
    return vectors[:, : min(missing, d - rank, max(rank, 1))].T


def _finite_bias(weights: NDArray, linear: NDArray, x: NDArray) -> tuple[NDArray, NDArray]:
    """Square W and finite b with the similarities of (weights, linear), up to about 1 / BIAS_MARGIN^2.

    W is the symmetric root of W'W. The bias points along its weakest direction and is long, so that the row
    linear / |b| that must be added to W there is short.
    """
    d = weights.shape[1]
    _, sizes, directions = np.linalg.svd(weights, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(d - len(sizes))])
    sizes[-1] = 0
    square = (directions.T * sizes) @ directions
    weakest = directions[-1]
    length = BIAS_MARGIN * max(np.abs(x @ linear).max(), 1e-6)
    return square + np.outer(weakest, linear) / length, length * weakest


def _affine_fit(
    found: Minimum, weights: NDArray, bias: NDArray, axes: NDArray, mean: NDArray, tolerance: float
) -> AffineFit:
    """The fit in the coordinates of x, from W and b in those of its principal axes."""
    weights = axes.T @ weights @ axes
    return AffineFit(
        weights=weights,
        bias=axes.T @ bias - weights @ mean,
        loss=found.loss,
        gradient_norm=found.gradient_norm,
        relative_gradient_norm=found.relative_gradient_norm,
        iterations=found.iterations,
        converged=bool(found.relative_gradient_norm <= tolerance),
    )
