"""The state of a batch of runs of the native solver, and how they ended."""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class State:
    """A batch of starts: all that is needed to rebuild its plans, O(n) numbers where costs are factored.

    Attributes
    ----------
    moment : (B, r1, r2) tensor
        F' T G of the plan T at which the gradient was taken.
    f, g : (B, n1), (B, n2) tensors
        Log potentials: T = exp(4 / epsilon (a b' + C0 T_previous D0) + f + g).
    epsilon : (B,) tensor
    rest : (B, n1, n2) tensor, optional
        The part of C0 T D0 at an earlier plan that leading eigenvectors leave out; held fixed.
    """

    moment: torch.Tensor
    f: torch.Tensor
    g: torch.Tensor
    epsilon: torch.Tensor
    rest: torch.Tensor | None = None

    def __len__(self):
        return len(self.f)

    def __getitem__(self, index):
        rest = None if self.rest is None else self.rest[index]
        return State(self.moment[index], self.f[index], self.g[index], self.epsilon[index], rest)


@dataclass(frozen=True)
class Step:
    """One projected-gradient step of a batch.

    Attributes
    ----------
    image : State
        After the step.
    dual : (B, ...) tensor
        Dual of the image's moment, see `Kernel.moments`.
    change : (B,) tensor
        Root mean square change of the log plan.
    objective : (B,) float64 tensor
        (L - epsilon H) / epsilon of the plan, up to a constant.
    sweeps : int
        Of Sinkhorn's algorithm.
    """

    image: State
    dual: torch.Tensor
    change: torch.Tensor
    objective: torch.Tensor
    sweeps: int


@dataclass(frozen=True)
class Progress:
    """How a batch of runs ended: (B,) tensors."""

    change: torch.Tensor
    converged: torch.Tensor
    iterations: torch.Tensor
    inner_iterations: torch.Tensor

    def after(self, before):
        """How this run ended, its iterations added to those of the run before it."""
        return replace(
            self,
            iterations=self.iterations + before.iterations,
            inner_iterations=self.inner_iterations + before.inner_iterations,
        )
