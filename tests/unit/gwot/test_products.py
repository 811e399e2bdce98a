"""Sinkhorn on the large entries of a kernel: nearly the same products, the same plans."""

import numpy as np
import pytest
import torch
from repalign.gwot.problem import make_problem
from repalign.gwot.solver import sinkhorn
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.solver.products import NEGLIGIBLE, WholeKernel, sparse_kernel
from repalign.gwot.starts.plans import profile_plan


def peaked(n=300, m=260, seed=0):
    """Kernel, scalings and row weights of a plan that is nearly a matching."""
    rng = np.random.default_rng(seed)
    distance = (np.arange(n)[:, None] / n - np.arange(m) / m) ** 2
    kernel = torch.as_tensor(np.exp(-1e5 * distance)[None], dtype=torch.float64)
    u, v = (torch.as_tensor(np.exp(rng.standard_normal(size))[None]) for size in (n, m))
    plan = u[..., None] * kernel * v[:, None]
    return kernel, u, v, plan.sum(2)[0], plan.sum(1)


@pytest.mark.parametrize("block", [100, 2**22])
def test_the_large_entries_give_the_products_of_the_whole_kernel(block):
    kernel, u, v, rows, columns = peaked()
    sparse, whole = sparse_kernel(kernel, u, v, rows, columns, block), WholeKernel(kernel)
    left_out = len(v[0]) * NEGLIGIBLE * rows.sum()
    assert 0 < sparse.matrix.nnz < 0.05 * kernel.numel()
    assert ((sparse.rows(v) - whole.rows(v)).abs() * u).sum() <= left_out
    assert ((sparse.columns(u) - whole.columns(u)).abs() * v).sum() <= left_out


def test_exactly_the_large_entries_are_kept():
    kernel, u, v, rows, columns = peaked()
    plan = (u[..., None] * kernel * v[:, None])[0].numpy()
    kept = sparse_kernel(kernel, u, v, rows, columns).matrix.toarray() > 0
    assert (kept == (plan > NEGLIGIBLE * np.minimum(rows.numpy()[:, None], columns.numpy()))).all()


def test_a_column_that_no_mass_has_reached_yet_keeps_its_largest_entry():
    kernel, u, v, *_ = peaked()
    v[0, 7] *= 1e-20
    plan = u[..., None] * kernel * v[:, None]
    sparse = sparse_kernel(kernel, u, v, plan.sum(2)[0], plan.sum(1))
    assert kernel[0, :, 7].argmax() in sparse.matrix[:, [7]].nonzero()[0]
    assert (sparse.columns(u) > 0).all()


def test_a_dense_plan_keeps_all_entries():
    flat, ones = torch.ones(1, 40, 40), torch.ones(1, 40)
    assert sparse_kernel(flat, ones, ones, 40 * ones[0], 40 * ones) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_on_the_large_entries_ends_in_the_plan_of_all_entries(monkeypatch, dtype):
    source = np.random.default_rng(0).standard_normal((120, 10))
    problem = make_problem(source, source + 0.05 * source[::-1], metric="euclidean")
    start, epsilon = profile_plan(problem), 0.01 * problem.critical_epsilon
    expected = NativeSolver(problem, dtype=dtype, tolerance=1e-4).solve(start, epsilon)
    made = []

    def counted(*arguments):
        made.append(sparse_kernel(*arguments))
        return made[-1]

    monkeypatch.setattr(sinkhorn, "SPARSE_FROM", 100)
    monkeypatch.setattr(sinkhorn, "SPARSE_AFTER", 3)
    monkeypatch.setattr(sinkhorn, "sparse_kernel", counted)
    solution = NativeSolver(problem, dtype=dtype, tolerance=1e-4).solve(start, epsilon)
    assert any(entries is not None for entries in made)
    assert solution.converged
    assert solution.marginal_error < 1e-4
    assert solution.loss == pytest.approx(expected.loss, abs=3e-5 * problem.spread)
    np.testing.assert_allclose(solution.plan, expected.plan, atol=1e-3 / len(source))
