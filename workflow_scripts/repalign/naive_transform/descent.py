"""L-BFGS on objectives of torch tensors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize

# Tensors to the loss and its gradient with respect to each of them.
Objective = Callable[..., tuple[float, list[torch.Tensor]]]


@dataclass(frozen=True)
class Minimum:
    """The point at which a descent stopped.

    Attributes
    ----------
    parameters : list of tensors
    loss : float
    gradient_norm, first_gradient_norm : float
        Length of the gradient there and at the start.
    iterations : int
    """

    parameters: list[torch.Tensor]
    loss: float
    gradient_norm: float
    first_gradient_norm: float
    iterations: int

    @property
    def relative_gradient_norm(self) -> float:
        return self.gradient_norm / self.first_gradient_norm


def minimise(
    objective: Objective,
    start: Sequence[torch.Tensor],
    scales: Sequence[torch.Tensor],
    tolerance: float,
    max_iterations: int,
    before: Minimum | None = None,
) -> Minimum:
    """Minimise a function of several float64 tensors.

    Parameters
    ----------
    objective : Objective
    start : tensors
    scales : tensors that broadcast to those of `start`
        Units in which the curvature is about the same in all directions.
    tolerance : float
        Stop when the gradient is this much shorter than at the start.
    max_iterations : int
    before : Minimum, optional
        An earlier descent that this one continues: its first gradient is the yardstick, its iterations count.
    """
    shapes = [tensor.shape for tensor in start]
    ends = np.cumsum([tensor.numel() for tensor in start])
    device = start[0].device

    def unpack(flat: np.ndarray) -> list[torch.Tensor]:
        parts = np.split(flat, ends[:-1])
        tensors = [torch.from_numpy(p).to(device).view(s) for p, s in zip(parts, shapes, strict=True)]
        return [tensor * scale for tensor, scale in zip(tensors, scales, strict=True)]

    def pack(tensors: Sequence[torch.Tensor]) -> np.ndarray:
        return np.concatenate([tensor.reshape(-1).cpu().numpy() for tensor in tensors])

    norms = [] if before is None else [before.first_gradient_norm]

    def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradients = objective(*unpack(flat))
        norms.append(float(torch.sqrt(sum((gradient**2).sum() for gradient in gradients))))
        return loss, pack([gradient * scale for gradient, scale in zip(gradients, scales, strict=True)])

    def stop(intermediate_result: optimize.OptimizeResult) -> None:
        if norms[-1] <= tolerance * norms[0]:
            raise StopIteration

    begin = pack([tensor / scale for tensor, scale in zip(start, scales, strict=True)])
    options = {"maxiter": max_iterations, "maxfun": 2 * max_iterations, "maxcor": 20, "maxls": 30}
    options |= {"ftol": 0, "gtol": 0}
    found = optimize.minimize(evaluate, begin, jac=True, method="L-BFGS-B", callback=stop, options=options)
    # The last evaluation of a line search need not be at the point that it returns.
    loss, _ = evaluate(found.x)
    iterations = found.nit + (0 if before is None else before.iterations)
    return Minimum(unpack(found.x), loss, norms[-1], norms[0], iterations)
