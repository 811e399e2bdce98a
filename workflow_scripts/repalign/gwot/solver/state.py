"""Where runs of the native solver stand, and how they ended."""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class State:
    """Where a batch of starts stands: everything needed to rebuild its plans, in O(n) numbers for factored costs.

    Attributes
    ----------
    moment : (B, r1, r2) tensor
        Of the plan whose gradient made the current kernel.
    f, g : (B, n1), (B, n2) tensors
        Log potentials: T = exp(4 / epsilon (a b' + C0 T_previous D0) + f + g).
    epsilon : (B,) tensor
    rest : (B, n1, n2) tensor, optional
        Held fixed: what leading eigenvectors left out of C0 T D0 at an earlier plan.
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
class Progress:
    """How a batch of runs ended: (B,) tensors."""

    change: torch.Tensor
    converged: torch.Tensor
    iterations: torch.Tensor
    inner_iterations: torch.Tensor

    def after(self, before):
        """This run's ending, with the iterations of the run `before` it counted too."""
        return replace(
            self,
            iterations=self.iterations + before.iterations,
            inner_iterations=self.inner_iterations + before.inner_iterations,
        )
