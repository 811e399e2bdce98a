"""Full-batch solvers: the loss over millions of triplets depends on the transform only through n x n similarities."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize

from repalign.errors import InputError
from repalign.naive_transform.triplets import TripletCrossEntropy

NORMS = ("frobenius_squared", "frobenius")

# The naive transform is solved with so many output dimensions first; the certificate says whether more are needed.
FIRST_RANK = 128

# Share of the regularisation by which the certificate may miss.
CERTIFICATE = 0.1

# The bias is finite but so many times larger than what it must outweigh (see `_finite_bias`).
BIAS_MARGIN = 1e3


@dataclass(frozen=True)
class Solution:
    """z = weights x + bias for standardised x; objective, gradient norm at the end relative to the start."""

    weights: np.ndarray
    bias: np.ndarray
    loss: float
    gradient_norm: float
    relative_gradient_norm: float
    iterations: int
    converged: bool


class _Descent:
    """L-BFGS on an objective of torch tensors, in coordinates that make its curvature alike in all directions."""

    def __init__(self, objective, scales, tolerance, max_iterations):
        self.objective, self.scales = objective, scales
        self.tolerance, self.max_iterations = tolerance, max_iterations
        self.iterations, self.first_norm = 0, None

    def run(self, start):
        """Minimise from a list of tensors; returns the tensors at the end."""
        shapes = [tensor.shape for tensor in start]
        ends = np.cumsum([tensor.numel() for tensor in start])
        device = start[0].device

        def unpack(flat):
            parts = np.split(flat, ends[:-1])
            tensors = (
                torch.from_numpy(part).to(device).view(s) for part, s in zip(parts, shapes, strict=True)
            )
            return [tensor * scale for tensor, scale in zip(tensors, self.scales, strict=True)]

        def pack(tensors):
            return np.concatenate([tensor.reshape(-1).cpu().numpy() for tensor in tensors])

        def evaluate(flat):
            self.loss, gradients = self.objective(*unpack(flat))
            self.norm = float(torch.sqrt(sum((gradient**2).sum() for gradient in gradients)))
            if self.first_norm is None:
                self.first_norm = self.norm
            return self.loss, pack(
                [gradient * scale for gradient, scale in zip(gradients, self.scales, strict=True)]
            )

        def stop(intermediate_result):
            if self.norm <= self.tolerance * self.first_norm:
                raise StopIteration

        begin = pack([tensor / scale for tensor, scale in zip(start, self.scales, strict=True)])
        options = {"maxiter": self.max_iterations, "maxcor": 20, "ftol": 0, "gtol": 0, "maxls": 30}
        options["maxfun"] = 2 * self.max_iterations
        result = optimize.minimize(
            evaluate, begin, jac=True, method="L-BFGS-B", callback=stop, options=options
        )
        self.iterations += result.nit
        evaluate(result.x)
        return unpack(result.x)

    def solution(self, weights, bias):
        relative = self.norm / self.first_norm
        return Solution(
            weights=weights,
            bias=bias,
            loss=self.loss,
            gradient_norm=self.norm,
            relative_gradient_norm=relative,
            iterations=self.iterations,
            converged=bool(relative <= self.tolerance),
        )


def _rotated(x, device):
    """Centred x in the coordinates of its principal axes, those axes (d, d), the feature means and the variances."""
    mean = x.mean(axis=0)
    axes = np.linalg.eigh((x - mean).T @ (x - mean))[1].T[::-1].copy()
    rotated = torch.from_numpy((x - mean) @ axes.T).to(device)
    return rotated, axes, mean, (rotated**2).mean(dim=0)


def naive_objective(x, cross_entropy, regularisation, norm):
    """Objective of (weights, popularity): similarities z z' + u 1' + 1 u' with z = x W', u = x v."""

    def objective(weights, popularity):
        z, u = x @ weights.T, x @ popularity
        loss, slope = cross_entropy(torch.addmm(u[:, None] + u, z, z.T))
        objective.slope = slope
        size = float(torch.sum(weights**2))
        if norm == "frobenius_squared":
            loss, shrink = loss + regularisation * size, 2 * regularisation
        else:
            # Rounded at 0, where the norm has a kink.
            length = np.sqrt(size + 1e-20)
            loss, shrink = loss + regularisation * length, regularisation / length
        objective.shrink = shrink
        return loss, [(slope @ z).T @ x + shrink * weights, x.T @ slope.sum(dim=1)]

    return objective


def solve_naive(
    x, triplets, regularisation, norm="frobenius_squared", *, tolerance=1e-3, max_iterations=500, device="cpu"
):
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
    Solution

    Notes
    -----
    Two facts make this solvable. (1) The bias b enters a softmax over pairs of one triplet only through W'b, a
    linear term v'x per object. As b is not regularised, a long b with a tiny row of W along it gives any v at no
    cost: the infimum is that over (W, v) with v free, is attained there, and by a finite b only up to a small
    excess, which `_finite_bias` makes about 1e-6. (2) In A = W'W the problem is convex (for the squared norm), with
    ||W||_F^2 = tr A. So a local minimum over W with few rows is the global one if and only if the gradient with
    respect to A has no negative eigenvalue; otherwise its eigenvectors are the rows that are missing.
    """
    if norm not in NORMS:
        raise InputError(f"Unknown norm '{norm}'; choose one of {', '.join(NORMS)}.")
    n, d = x.shape
    rows, axes, mean, variances = _rotated(x, device)
    objective = naive_objective(rows, TripletCrossEntropy(triplets, n, device), regularisation, norm)
    scale = 1 / torch.sqrt(0.05 * variances + regularisation + 1e-6 * variances.max())
    descent = _Descent(objective, [scale, scale], tolerance, max_iterations)
    rank = min(d, FIRST_RANK)
    # Unit-sized similarities along the principal axes, and something along all others.
    generator = torch.Generator().manual_seed(0)
    weights = torch.eye(rank, d, dtype=torch.float64) / np.sqrt(d)
    weights += 0.1 / d * torch.randn(rank, d, dtype=torch.float64, generator=generator)
    popularity = torch.zeros(d, dtype=torch.float64)
    start = [weights.to(device), popularity.to(device)]
    while True:
        weights, popularity = descent.run(start)
        curvature = rows.T @ (objective.slope @ rows) + objective.shrink * torch.eye(
            d, dtype=torch.float64, device=device
        )
        values, vectors = torch.linalg.eigh(curvature)
        missing = int((values < -CERTIFICATE * objective.shrink).sum())
        if not missing or len(weights) == d or descent.iterations >= max_iterations:
            break
        new = min(missing, d - len(weights), max(len(weights), 1))
        start = [torch.cat([weights, 1e-2 * vectors[:, :new].T]), popularity]
    weights, bias = _finite_bias(weights.cpu().numpy(), popularity.cpu().numpy(), rows.cpu().numpy())
    weights = axes.T @ weights @ axes
    bias = axes.T @ bias - weights @ mean
    return descent.solution(weights, bias)


def _finite_bias(weights, popularity, x):
    """Square W and finite b with the similarities of (weights, popularity), up to about 1 / BIAS_MARGIN^2.

    W is the symmetric root of W'W. The bias points along its weakest direction and is long, so that the row
    popularity / |b| that must be added to W there is short.
    """
    d = weights.shape[1]
    _, sizes, directions = np.linalg.svd(weights, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(d - len(sizes))])
    sizes[-1] = 0
    square = (directions.T * sizes) @ directions
    along = directions[-1]
    length = BIAS_MARGIN * max(np.abs(x @ popularity).max(), 1e-6)
    return square + np.outer(along, popularity) / length, length * along


def solve_global(
    x,
    triplets,
    regularisation,
    alpha=0.0,
    temperature=1.0,
    *,
    tolerance=1e-3,
    max_iterations=500,
    device="cpu",
):
    """The global transform, regularised towards a scaled identity, and with `alpha` > 0 the gLocal one [1].

    Minimises (1 - alpha) cross-entropy + alpha locality + regularisation * ||W - mean(diag W) I||_F^2, where the
    locality term is the cross-entropy between the softmax over other objects of the cosine similarities before the
    transform and of those after it, both divided by `temperature`.

    Parameters are those of `solve_naive`; the locality term sees the objects of `x`.

    References
    ----------
    [1] Muttenthaler, Linhardt, Dippel, Vandermeulen, Hermann, Lampinen & Kornblith (2023), Improving neural network
        representations using human similarity judgments, NeurIPS.
    """
    n, d = x.shape
    rows, axes, mean, variances = _rotated(x, device)
    locality = None
    if alpha > 0:
        locality = _Locality(rows + torch.from_numpy(axes @ mean).to(device), temperature)
    cross_entropy = TripletCrossEntropy(triplets, n, device)
    objective = global_objective(rows, cross_entropy, regularisation, alpha, locality)
    scale = 1 / torch.sqrt(0.05 * variances + regularisation + 1e-6 * variances.max())
    ones = torch.ones(1, dtype=torch.float64, device=device)
    descent = _Descent(objective, [scale, ones], tolerance, max_iterations)
    start = [
        torch.eye(d, dtype=torch.float64) / np.sqrt(d),
        torch.full((d,), 1e-2 / np.sqrt(d), dtype=torch.float64),
    ]
    weights, bias = (tensor.cpu().numpy() for tensor in descent.run([tensor.to(device) for tensor in start]))
    weights = axes.T @ weights @ axes
    return descent.solution(weights, axes.T @ bias - weights @ mean)


def global_objective(x, cross_entropy, regularisation, alpha=0.0, locality=None):
    """Objective of (weights, bias) for centred x; the trace and the norm do not depend on the axes of x."""
    identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)

    def objective(weights, bias):
        z = x @ weights.T + bias
        loss, slope = cross_entropy(z @ z.T)
        loss, gradient_z = (1 - alpha) * loss, (1 - alpha) * (slope @ z)
        if locality is not None:
            local, local_gradient = locality(z)
            loss, gradient_z = loss + alpha * local, gradient_z + alpha * local_gradient
        # The mean of the diagonal is the best scale, so it adds nothing to the gradient.
        off = weights - weights.diagonal().mean() * identity
        loss += regularisation * float(torch.sum(off**2))
        return loss, [gradient_z.T @ x + 2 * regularisation * off, gradient_z.sum(dim=0)]

    return objective


class _Locality:
    """Cross-entropy between the neighbourhoods before and after a transform."""

    def __init__(self, x, temperature):
        self.temperature = temperature
        self.itself = torch.eye(len(x), dtype=bool, device=x.device)
        self.teacher = torch.exp(self._log_shares(x))

    def _log_shares(self, x):
        unit = torch.nn.functional.normalize(x, dim=1)
        # Not minus infinity, whose product with a share of 0 would not be a number.
        return torch.log_softmax((unit @ unit.T / self.temperature).masked_fill(self.itself, -1e30), dim=1)

    def __call__(self, z):
        z = z.detach().requires_grad_(True)
        loss = -(self.teacher * self._log_shares(z)).sum() / len(z)
        (gradient,) = torch.autograd.grad(loss, z)
        return float(loss.detach()), gradient
