"""The Gibbs kernel of a linearised Gromov-Wasserstein problem, batched over starts.

With C = mean + a 1' + 1 a' + C0 and D likewise with b and D0, one projected-gradient step needs, up to constants per
row and column that the marginals fix, only the score

    4 / epsilon * (a b' + C0 T D0).

For factored cores C0 = -F F', D0 = -G G' that is F (F' T G) G': the plan enters through its moment F' T G, a small
matrix. A dense core is its own inner factor, and its outer factor is the identity: the moment is C0 T D0 then.
"""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Side:
    """One system in torch: weights, linear part, and the factors of its core, core = inner outer'."""

    weights: torch.Tensor
    linear: torch.Tensor
    inner: torch.Tensor
    outer: torch.Tensor | None  # the identity where None
    signs: torch.Tensor | None  # (r,): outer = inner * signs
    root: torch.Tensor  # left root @ moment @ right root' has the weighted norm of the score

    def __len__(self):
        return len(self.weights)


def make_side(system, rank=None, **options):
    """The side of `Dissimilarities`; a dense core exactly, or by its `rank` leading eigenvectors."""
    size = np.sqrt(system.weights)
    if system.factor is None and rank is None:
        inner, outer, signs, root = system.dense, None, None, size
    elif system.factor is None:
        inner, signs = leading_factors(system.dense, rank, **options)
        outer = inner * signs
        root = np.linalg.qr(size[:, None] * outer.double().cpu().numpy(), mode="r")
    else:
        inner, outer, signs = system.factor, -system.factor, -np.ones(system.factor.shape[1])
        root = np.linalg.qr(size[:, None] * system.factor, mode="r")
    tensors = (
        None if array is None else torch.as_tensor(array, **options).contiguous()
        for array in (system.weights, system.linear, inner, outer, signs, root)
    )
    return Side(*tensors)


def leading_factors(core, rank, oversampling=16, rounds=3, **options):
    """Factor L (n, rank) and signs s with L diag(s) L' close to a symmetric matrix, by subspace iteration."""
    core = torch.as_tensor(core, **options)
    rank = min(rank, len(core))
    width = min(rank + oversampling, len(core))
    basis = torch.as_tensor(np.random.default_rng(0).standard_normal((len(core), width)), **options)
    for _ in range(rounds):
        basis = torch.linalg.qr(core @ basis).Q
    values, vectors = torch.linalg.eigh(basis.T @ (core @ basis))
    chosen = values.abs().argsort(descending=True)[:rank]
    values, vectors = values[chosen], basis @ vectors[:, chosen]
    return vectors * values.abs().sqrt(), values.sign()


class Kernel:
    """Build kernels and moments for a batch of starts between two sides."""

    def __init__(self, left, right):
        self.left, self.right = left, right

    def moment(self, plan):
        """Moments F' T G of plans (B, n1, n2), the narrower side first."""
        left, right = self.left.inner, self.right.inner
        if right.shape[1] <= left.shape[1]:
            return left.T @ (plan @ right)
        return (left.T @ plan) @ right

    def moments(self, kernel, u, v):
        """Moments and their duals of the plans diag(u) K diag(v), for kernels (B, n1, n2), u (B, n1), v (B, n2).

        The dual is outer' T outer, so that <score of N, T> = <N, dual of T>.
        """
        left, right = self.left, self.right
        if right.inner.shape[1] <= left.inner.shape[1]:
            half = u[..., None] * (kernel @ (v[..., None] * right.inner))
            moment = left.inner.T @ half
        else:
            half = (u[..., None] * left.inner).transpose(-1, -2) @ kernel * v[..., None, :]
            moment = half @ right.inner
        if left.outer is None and right.outer is None:
            return moment, u[..., None] * kernel * v[..., None, :]
        if left.outer is None:
            return moment, half * right.signs
        if right.outer is None:
            return moment, half * left.signs[:, None]
        return moment, left.signs[:, None] * moment * right.signs

    def score(self, moment):
        """C0 T D0 (B, n1, n2) of moments."""
        left, right = self.left.outer, self.right.outer
        moment = moment if left is None else left @ moment
        return moment if right is None else moment @ right.T

    def log_kernel(self, moment, epsilon, f, g, rest=None, out=None):
        """4 / epsilon (a b' + C0 T D0 + rest) + f 1' + 1 g', (B, n1, n2), from moments and log potentials."""
        left, right = self.left, self.right
        scale = (4 / epsilon).to(f.dtype)[:, None, None]
        batch = len(moment)
        rank_left = [scale * left.linear[:, None], f[..., None], torch.ones_like(f)[..., None]]
        rank_right = [
            right.linear[:, None].expand(batch, -1, -1),
            torch.ones_like(g)[..., None],
            g[..., None],
        ]
        if right.outer is not None:
            rank_left.append(scale * moment if left.outer is None else left.outer @ (scale * moment))
            rank_right.append(right.outer.expand(batch, -1, -1))
        out = torch.bmm(torch.cat(rank_left, -1), torch.cat(rank_right, -1).transpose(1, 2), out=out)
        if right.outer is None and left.outer is None:
            out.addcmul_(scale, moment)
        elif right.outer is None:
            out.baddbmm_(left.outer.expand(batch, -1, -1), scale * moment)
        return out if rest is None else out.addcmul_(scale, rest)
