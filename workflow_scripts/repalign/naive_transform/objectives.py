"""Objectives of the affine transforms: cross-entropy of the triplets plus regularisation, with their gradients."""

import numpy as np
import torch

from repalign.naive_transform.triplets import TripletCrossEntropy

NORMS = ("frobenius_squared", "frobenius")


class NaiveObjective:
    """Cross-entropy + regularisation * ||W||_F^2 (or ||W||_F), a function of W and v.

    The similarities are z z' + u 1' + 1 u' with z = x W' and u = x v, where v stands for W'b (see `solve_naive`).

    Parameters
    ----------
    x : (n, d) tensor
    cross_entropy : TripletCrossEntropy
    regularisation : float
    norm : str
        One of `NORMS`.
    """

    def __init__(
        self, x: torch.Tensor, cross_entropy: TripletCrossEntropy, regularisation: float, norm: str
    ) -> None:
        self.x, self.cross_entropy = x, cross_entropy
        self.regularisation, self.norm = regularisation, norm

    def __call__(self, weights: torch.Tensor, linear: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
        """Loss and gradients: (r, d) W and (d,) v."""
        z, loss, slope = self._cross_entropy_of(weights, linear)
        penalty, shrinkage = self._penalty(weights)
        gradient = (slope @ z).T @ self.x + shrinkage * weights
        return loss + penalty, [gradient, self.x.T @ slope.sum(dim=1)]

    def curvature(self, weights: torch.Tensor, linear: torch.Tensor) -> tuple[torch.Tensor, float]:
        """The (d, d) gradient with respect to W'W, and the part of it that the regularisation adds to its diagonal."""
        _, _, slope = self._cross_entropy_of(weights, linear)
        _, shrinkage = self._penalty(weights)
        identity = torch.eye(self.x.shape[1], dtype=self.x.dtype, device=self.x.device)
        return self.x.T @ (slope @ self.x) + shrinkage * identity, shrinkage

    def _cross_entropy_of(
        self, weights: torch.Tensor, linear: torch.Tensor
    ) -> tuple[torch.Tensor, float, torch.Tensor]:
        z, u = self.x @ weights.T, self.x @ linear
        return z, *self.cross_entropy(torch.addmm(u[:, None] + u, z, z.T))

    def _penalty(self, weights: torch.Tensor) -> tuple[float, float]:
        """The regularisation, and its gradient divided by W."""
        size = float(torch.sum(weights**2))
        if self.norm == "frobenius_squared":
            return self.regularisation * size, 2 * self.regularisation
        # The norm has a kink at 0, which is rounded off.
        length = np.sqrt(size + 1e-20)
        return self.regularisation * length, self.regularisation / length


class GlobalObjective:
    """(1 - alpha) cross-entropy + alpha locality + regularisation * ||W - mean(diag W) I||_F^2, a function of W and b.

    Trace and norm do not depend on the axes of x, so x may be rotated to its principal axes.
    """

    def __init__(
        self,
        x: torch.Tensor,
        cross_entropy: TripletCrossEntropy,
        regularisation: float,
        alpha: float = 0.0,
        locality: "Locality | None" = None,
    ) -> None:
        self.x, self.cross_entropy, self.regularisation = x, cross_entropy, regularisation
        self.alpha, self.locality = alpha, locality
        self.identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)

    def __call__(self, weights: torch.Tensor, bias: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
        """Loss and gradients: (d, d) W and (d,) b."""
        z = self.x @ weights.T + bias
        loss, slope = self.cross_entropy(z @ z.T)
        loss, gradient_z = (1 - self.alpha) * loss, (1 - self.alpha) * (slope @ z)
        if self.locality is not None:
            local, local_gradient = self.locality(z)
            loss, gradient_z = loss + self.alpha * local, gradient_z + self.alpha * local_gradient
        # The mean of the diagonal is the best scale, so its own gradient is 0.
        off = weights - weights.diagonal().mean() * self.identity
        loss += self.regularisation * float(torch.sum(off**2))
        return loss, [gradient_z.T @ self.x + 2 * self.regularisation * off, gradient_z.sum(dim=0)]


class Locality:
    """Cross-entropy between the neighbourhoods before and after a transform.

    The neighbourhood of an object is the softmax over the other objects of its cosine similarities / temperature.
    """

    def __init__(self, x: torch.Tensor, temperature: float) -> None:
        self.temperature = temperature
        self.itself = torch.eye(len(x), dtype=torch.bool, device=x.device)
        self.before = torch.exp(self._log_neighbourhoods(x))

    def _log_neighbourhoods(self, x: torch.Tensor) -> torch.Tensor:
        unit = torch.nn.functional.normalize(x, dim=1)
        # Not minus infinity: its product with a share of 0 is NaN.
        return torch.log_softmax((unit @ unit.T / self.temperature).masked_fill(self.itself, -1e30), dim=1)

    def __call__(self, z: torch.Tensor) -> tuple[float, torch.Tensor]:
        """Loss and gradient: (n, d) transformed objects."""
        z = z.detach().requires_grad_(True)
        loss = -(self.before * self._log_neighbourhoods(z)).sum() / len(z)
        (gradient,) = torch.autograd.grad(loss, z)
        return float(loss.detach()), gradient
