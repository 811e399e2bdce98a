"""Sinkhorn's algorithm on a batch of Gibbs kernels: absorbed scalings, Anderson acceleration, sparse products."""

from dataclasses import dataclass
from itertools import count
from math import exp

import torch

from repalign.gwot.solver.anderson import Anderson
from repalign.gwot.solver.products import WholeKernel, sparse_kernel

LOWEST_LOG = -75.0  # log of the smallest kernel entry; float32 has denormal numbers below -87
LARGEST_SCALING = 30.0  # log; larger scalings are absorbed into the kernel. float32 overflows at 88
ANDERSON_WINDOW = 10  # sweeps that the acceleration looks back on
TRUST_RADIUS = 5.0  # most that the acceleration may move a log scaling away from the plain sweep
SPARSE_AFTER = 20  # sweeps before the large entries of a plan are known well enough to leave out the others
SPARSE_FROM = 500  # objects from which leaving them out saves more time than it takes
NEAR_PRECISION = 8  # times the precision of the dtype: below it a marginal error may stop falling
PATIENCE = 60  # sweeps near that precision in which the error must fall by a tenth


def exp_(log_kernel):
    """In-place exp without denormal numbers, which would make every later product ten times slower."""
    return log_kernel.clamp_(min=LOWEST_LOG).exp_()


@dataclass(frozen=True)
class ScaledKernel:
    """Plans diag(u) K diag(v), and the log potentials f, g that rebuild them from their cost.

    Attributes
    ----------
    kernel : (B, n1, n2) tensor
    u, v : (B, n1), (B, n2) tensors
    f, g : (B, n1), (B, n2) tensors
    sweeps : int
    """

    kernel: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor
    f: torch.Tensor
    g: torch.Tensor
    sweeps: int


class Sinkhorn:
    """Scale kernels to the marginals p, q from a first row scaling.

    Parameters
    ----------
    kernel : (B, n1, n2) tensor
        Overwritten where scalings are absorbed.
    f, g : (B, n1), (B, n2) tensors
        Log potentials that the kernel already contains.
    row_sums : (B, n1) tensor
        Of the kernel.
    p, q : (n1,), (n2,) tensors
    precision : float
        Marginal error that rounding leaves.
    """

    def __init__(self, kernel, f, g, row_sums, p, q, precision):
        self.kernel, self.f, self.g = kernel, f, g
        self.p, self.q, self.precision = p, q, precision
        self.u, self.log_v = p / row_sums, torch.zeros_like(g)
        self.products, self.anderson = WholeKernel(kernel), Anderson(ANDERSON_WINDOW)
        can_be_sparse = (
            len(kernel) == 1 and kernel.device.type == "cpu" and min(len(p), len(q)) >= SPARSE_FROM
        )
        self.sparse_at = SPARSE_AFTER if can_be_sparse else None

    def solve(self, tolerance, *, patience=PATIENCE, max_sweeps=1000):
        """Sweep until the column marginals are right to `tolerance` (B,) in L1; the row marginals are exact.

        Ends earlier where rounding keeps the error from falling, or after `max_sweeps`. Members that are done wait
        for the others.
        """
        stalled = _StallCheck(NEAR_PRECISION * self.precision, patience)
        for sweep in count(1):
            v = self.log_v.exp()
            columns = self.products.columns(self.u)
            error = (columns * v - self.q).abs().sum(1)
            done = error <= tolerance
            if stalled(error, done) or bool(done.all()) or sweep > max_sweeps:
                if self.products.whole:
                    f, g = self.f + self.u.log(), self.g + self.log_v
                    return ScaledKernel(self.kernel, self.u, v, f, g, sweep)
                self._use_all_entries(v)
                continue
            if sweep == self.sparse_at:
                self.products = sparse_kernel(self.kernel, self.u, v, self.p, columns * v) or self.products
            self._update(columns, done)
            if not self._scalings_in_range():
                self._absorb(sweep)

    def _update(self, columns, done):
        """One sweep: new column scalings, accelerated in the log domain, then row scalings that fit them."""
        weight = self.q.sqrt()
        plain = (self.q / columns).log()
        mixed = self.anderson.mix((plain - self.log_v) * weight, plain)
        mixed = plain + (mixed - plain).clamp_(-TRUST_RADIUS, TRUST_RADIUS)
        self.log_v = torch.where(done[:, None], self.log_v, mixed)
        self.u = self.p / self.products.rows(self.log_v.exp())

    def _use_all_entries(self, v):
        """Go on with the whole kernel: what was left out may have grown, so the error counts on all entries only."""
        self.products, self.sparse_at = WholeKernel(self.kernel), None
        self.u = self.p / self.products.rows(v)

    def _scalings_in_range(self):
        low, high = self.u.aminmax()
        in_range = (high < exp(LARGEST_SCALING)) & (low > exp(-LARGEST_SCALING))
        return bool(in_range & (self.log_v.abs().amax() < LARGEST_SCALING))

    def _absorb(self, sweep):
        """Move the scalings into the kernel and the potentials, and start them again from 1."""
        self.kernel.mul_(self.u[..., None]).mul_(self.log_v.exp()[:, None]).clamp_(min=exp(LOWEST_LOG))
        self.f, self.g = self.f + self.u.log(), self.g + self.log_v
        self.u, self.log_v = torch.ones_like(self.u), torch.zeros_like(self.log_v)
        self.products, self.anderson = WholeKernel(self.kernel), Anderson(ANDERSON_WINDOW)
        if self.sparse_at is not None:
            self.sparse_at = max(self.sparse_at, sweep + SPARSE_AFTER)


class _StallCheck:
    """True once errors near the precision of the dtype have not fallen by a tenth for `patience` sweeps.

    Where a plan is nearly a permutation, the last digits of the marginals can take thousands of sweeps.
    """

    def __init__(self, near, patience):
        self.near, self.patience = near, patience
        self.best, self.sweeps = None, 0

    def __call__(self, error, done):
        best = torch.full_like(error, torch.inf) if self.best is None else self.best
        falling = ~done & (error < 0.9 * best)
        self.best = torch.where(falling, error, best)
        self.sweeps = 0 if bool((falling | (error > self.near)).any()) else self.sweeps + 1
        return self.sweeps > self.patience


def stabilised(log_kernel, f, g, log_p, log_q, sweeps=3):
    """Kernel, f, g after a few Sinkhorn sweeps in the log domain, where scalings cannot over- or underflow.

    Overwrites `log_kernel` (B, n1, n2).
    """
    f, g = f.clone(), g.clone()
    scaled = torch.empty_like(log_kernel)
    for _ in range(sweeps):
        for axis, log_weights, potential in ((1, log_q, g), (2, log_p, f)):
            # torch.logsumexp takes six times as long.
            top = log_kernel.amax(axis, keepdim=True)
            total = exp_(torch.sub(log_kernel, top, out=scaled)).sum(axis)
            shift = log_weights - total.log() - top.squeeze(axis)
            log_kernel += shift.unsqueeze(axis)
            potential += shift
    return exp_(log_kernel), f, g


def usable(row_sums):
    """Whether kernels can be scaled as they are: no row has underflowed or overflowed."""
    return bool((torch.isfinite(row_sums) & (row_sums > 1e-30)).all())
