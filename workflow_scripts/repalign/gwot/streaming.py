"""Alignment in O(n d) memory: kernels are built block by block, used and forgotten; no plan is ever stored."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from repalign.errors import InputError
from repalign.gwot.problem import make_problem
from repalign.gwot.search.ladder import LOOSE, descend
from repalign.gwot.solver.anderson import Anderson
from repalign.gwot.solver.kernel import Kernel
from repalign.gwot.solver.native import LOWEST, MIXED, NativeSolver
from repalign.gwot.solver.state import State


class StreamingSolver(NativeSolver):
    """`NativeSolver` for factored costs and one start, without an (n1, n2) array.

    Each Sinkhorn sweep rebuilds the kernel: more arithmetic, memory O((n1 + n2) d + block n2).

    Parameters
    ----------
    problem, device, dtype, max_iterations, max_inner, tolerance :
        As in `NativeSolver`.
    block : int
        Rows of the kernel at a time.
    """

    batch = 1

    def __init__(self, problem, *, block=1024, **settings):
        if problem.source.factor is None or problem.target.factor is None:
            raise InputError(
                "Streaming needs a factored metric; choose cosine, correlation, dot or sqeuclidean."
            )
        super().__init__(problem, **settings)
        starts = range(0, len(problem.source), block)
        self.blocks = [slice(first, first + block) for first in starts]

    def random_state(self, epsilon, seed):
        """State of a random initial plan, by the distribution of its moment: p q' (1 + noise), noise as U(0, 2) - 1."""
        rng = np.random.default_rng(seed)
        roots = [
            np.linalg.cholesky(
                _gram(system) + 1e-12 * np.trace(_gram(system)) * np.eye(system.factor.shape[1])
            )
            for system in (self.problem.source, self.problem.target)
        ]
        noise = rng.standard_normal((len(roots[0]), len(roots[1]))) / np.sqrt(3)
        return self.moment_state(roots[0] @ noise @ roots[1].T, epsilon)

    def moment_state(self, moment, epsilon):
        """State of a plan given by its moment (r1, r2)."""
        moment = torch.as_tensor(moment, **self.options)[None]
        return State(moment, self.log_p[None], self.log_q[None], self._epsilon([epsilon]))

    def balance(self, state):
        """Bring the marginals to the precision of the dtype."""
        _, f, g, _ = self._step(state, None, torch.full((1,), self.floor, **self.options))
        return replace(state, f=f, g=g)

    def _buffer(self, batch):
        return None

    def _kernel_block(self, state, part):
        left = self.kernel.left
        rows = replace(left, linear=left.linear[part], outer=left.outer[part])
        return Kernel(rows, self.kernel.right).log_kernel(
            state.moment, state.epsilon, state.f[:, part], state.g
        )[0]

    def _step(self, state, out, target):
        f, g = state.f.clone(), state.g.clone()
        left, right = self.kernel.left.inner, self.kernel.right.inner
        sweeps, mixer, root = 0, Anderson(MIXED), self.q.sqrt()
        while True:
            sweeps += 1
            columns = torch.zeros_like(g[0])
            moment = torch.zeros_like(state.moment[0])
            for part in self.blocks:
                kernel = self._kernel_block(replace(state, f=f, g=g), part)
                shift = self.log_p[part] - torch.logsumexp(kernel, 1)
                f[0, part] += shift
                kernel = kernel.add_(shift[:, None]).clamp_(min=LOWEST).exp_()
                columns += kernel.sum(0)
                moment += left[part].T @ (kernel @ right)
            error = (columns - self.q).abs().sum()
            if bool(error <= target) or sweeps > self.max_inner:
                return moment[None], f, g, sweeps
            shift = (self.log_q - columns.log())[None]
            g = mixer.mix(g * root, shift * root, g + shift)

    def read(self, state, k):
        """What a plan says, row by row.

        Returns
        -------
        `(top, loss, marginal error)`: the (n1, k) columns of the largest entries of each row, largest first; the
        unregularised loss; the L1 distance of the column sums to q.
        """
        state = self.balance(state)
        top = []
        columns = torch.zeros_like(state.g[0], dtype=torch.float64)
        moment = torch.zeros_like(state.moment[0], dtype=torch.float64)
        linear = 0.0
        left, right = self.kernel.left, self.kernel.right
        for part in self.blocks:
            kernel = self._kernel_block(state, part).clamp_(min=LOWEST).exp_()
            top.append(kernel.topk(k, dim=1).indices.cpu().numpy())
            columns += kernel.sum(0)
            moment += left.inner[part].T @ (kernel @ right.inner)
            linear += float(left.linear[part] @ (kernel @ right.linear))
        source, target = self.problem.source, self.problem.target
        loss = (
            (source.mean - target.mean) ** 2
            + 2 * (self.problem.p @ source.linear**2 + self.problem.q @ target.linear**2 - 2 * linear)
            + source.core_square
            + target.core_square
            - 2 * float((moment * moment).sum())
        )
        return np.concatenate(top), loss, float((columns - self.q).abs().sum())


def _gram(system):
    scaled = system.weights[:, None] * system.factor
    return scaled.T @ scaled


@dataclass(frozen=True)
class StreamedAlignment:
    """What a streamed alignment found: no plan, but the best partners of every object.

    Attributes
    ----------
    top : (n1, k) int array
        Target objects with the largest entries of each row, largest first.
    loss, epsilon, marginal_error : float
    converged : bool
    losses : (trials,) array
        Loss of every start.
    """

    top: np.ndarray
    loss: float
    epsilon: float
    marginal_error: float
    converged: bool
    losses: np.ndarray


def align_streaming(
    source,
    target,
    *,
    epsilon,
    metric="cosine",
    trials=4,
    k=10,
    seed=0,
    block=1024,
    device="cpu",
    dtype="float32",
):
    """Anneal random starts one after the other in O(n d) memory.

    Parameters
    ----------
    source, target : (n1, d1), (n2, d2) arrays
        Embeddings.
    epsilon : float
        Where the annealing ends.
    metric : str
        `cosine`, `correlation`, `dot` or `sqeuclidean`.
    trials, seed, block : int
    k : int
        Partners to return for each object.

    Returns
    -------
    StreamedAlignment
    """
    problem = make_problem(source, target, metric=metric)
    solver = StreamingSolver(problem, block=block, device=device, dtype=dtype, tolerance=1e-3)
    top = max(0.5 * problem.critical_epsilon, epsilon)
    best, losses = None, []
    for trial in range(trials):
        state, progress = solver.run(solver.random_state(top, [seed, trial]), **LOOSE)
        state, progress = descend(solver, state, epsilon)
        partners, loss, error = solver.read(state, k)
        losses.append(loss)
        if best is None or loss < best.loss:
            best = StreamedAlignment(partners, loss, float(epsilon), error, bool(progress.converged[0]), None)
    return replace(best, losses=np.array(losses))
