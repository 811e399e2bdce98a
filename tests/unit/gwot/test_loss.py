"""The loss that is reported is the sum over all pairs of pairs of the plan that is returned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repalign.errors import InputError
from repalign.gwot.alignment import align
from repalign.gwot.loss import square_loss
from repalign.gwot.marginals import onto_marginals
from repalign.gwot.problem import make_problem
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.solver.solution import failure_of
from repalign.gwot.starts.plans import random_plan
from repalign.measures.rdm import dissimilarity

METRICS = ("cosine", "correlation", "dot", "sqeuclidean", "euclidean", "precomputed")
LINE = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0)))


def quadruple_sum(c, d, plan):
    """The definition, term by term."""
    plan = np.asarray(plan, dtype=np.float64)
    squares = (c[:, :, None, None] - d[None, None]) ** 2
    return np.einsum("ikjl,ij,kl->", squares, plan, plan, optimize=True)


def matrices(source, target, metric):
    if metric == "precomputed":
        return source, target
    return dissimilarity(source, metric), dissimilarity(target, metric)


def weights(rng, n, kind):
    if kind == "uniform":
        return None
    drawn = rng.random(n) + 0.05
    return drawn / drawn.sum()


def inputs(rng, n1, n2, metric, likeness):
    """Two embeddings, or their Euclidean distances; the second may be a copy of the first, more or less exact."""
    source = rng.standard_normal((n1, 5)) + 1
    target = rng.standard_normal((n2, 5)) + 1
    shared = min(n1, n2)
    target[:shared] = source[:shared] + likeness * (target[:shared] - source[:shared])
    if metric == "precomputed":
        return dissimilarity(source, "euclidean"), dissimilarity(target, "euclidean")
    return source, target


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(3, 14), st.integers(3, 14)),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(["uniform", "random"]),
    share=st.sampled_from([0.003, 0.02, 0.1, 0.5, 2.0]),
    dtype=st.sampled_from(["float32", "float64"]),
    likeness=st.sampled_from([0.0, 1e-6, 1e-3, 1.0]),
)
def test_a_solution_s_loss_is_that_of_its_plan(seed, sizes, metric, kind, share, dtype, likeness):
    rng = np.random.default_rng(seed)
    source, target = inputs(rng, *sizes, metric, likeness)
    p, q = (weights(rng, n, kind) for n in sizes)
    problem = make_problem(source, target, metric=metric, p=p, q=q)
    solver = NativeSolver(problem, dtype=dtype, max_iterations=20, max_inner=200)
    solution = solver.solve(random_plan(problem.p, problem.q, seed), share * problem.critical_epsilon)
    if solution.failure:
        assert np.isnan(solution.loss)
        return
    slow = quadruple_sum(*matrices(source, target, metric), solution.plan)
    tiny = 1e-15 * (problem.source.spread + problem.target.spread) ** 2
    assert solution.plan.dtype == dtype
    assert solution.loss >= 0
    assert solution.loss == pytest.approx(slow, rel=1e-6, abs=tiny)
    assert problem.marginal_error(solution.plan) == solution.marginal_error < 2e-6


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("error", [0.0, 1e-8, 1e-4, 0.3])
@pytest.mark.parametrize("mass", [1.0, 0.4])
def test_the_loss_needs_no_marginals(metric, error, mass):
    rng = np.random.default_rng(4)
    source, target = inputs(rng, 9, 7, metric, 0.3)
    problem = make_problem(source, target, metric=metric, p=weights(rng, 9, "random"))
    plan = mass * random_plan(problem.p, problem.q, 0) * (1 + error * rng.random((9, 7)))
    assert problem.loss(plan) == pytest.approx(
        quadruple_sum(*matrices(source, target, metric), plan), rel=1e-10
    )


def test_a_dense_and_a_factored_system_can_be_mixed():
    rng = np.random.default_rng(0)
    x, y = rng.random((8, 3)), rng.random((6, 3))
    dense, factored = make_problem(x, y, metric="euclidean"), make_problem(x, y, metric="cosine")
    plan = random_plan(dense.p, dense.q, 1)
    for one, other in ((dense, factored), (factored, dense)):
        slow = quadruple_sum(one.source.matrix, other.target.matrix, plan)
        assert square_loss(one.source, other.target, plan) == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_a_system_with_itself_loses_nothing_and_nearly_itself_nearly_nothing(metric):
    rng = np.random.default_rng(7)
    source, _ = inputs(rng, 90, 90, metric, 0)
    noise = 1e-7 * rng.standard_normal(source.shape)
    noise = (noise + noise.T) * (1 - np.eye(90)) if metric == "precomputed" else noise
    truth = np.eye(90) / 90
    same, near = (make_problem(source, other, metric=metric) for other in (source, source + noise))
    assert 0 <= same.loss(truth) < 1e-28 * same.source.spread**2
    slow = quadruple_sum(*matrices(source, source + noise, metric), truth)
    assert near.loss(truth) == pytest.approx(slow, rel=1e-6)
    assert near.loss(truth) < 1e-10 * near.source.spread**2


def test_a_line_aligned_with_itself_costs_nothing():
    result = align(LINE, LINE, metric="precomputed", epsilon=(1e-4, 1e-3), trials=10)
    assert 0 <= result.loss < 1e-12
    assert (result.trials["loss"] >= 0).all()
    np.testing.assert_allclose(result.plan.max(axis=1), 0.25, rtol=1e-6)


def arc(n):
    angles = np.linspace(0, np.pi, n)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.slow
def test_half_circles_are_ranked_by_what_their_plans_cost():
    pair = arc(40), arc(30)
    result = align(
        *pair, metric="sqeuclidean", epsilon=(1e-3, 1e-2), trials=20, strategy="paper",
        options={"starts": ["random"]},
    )  # fmt: skip
    slow = quadruple_sum(*matrices(*pair, "sqeuclidean"), result.plan)
    assert result.loss == pytest.approx(slow, rel=1e-6)
    assert result.loss == result.trials["loss"].min()
    # With float32's error in the marginals one of these was taken for 0.0023.
    usable = result.trials["status"] == "complete"
    assert result.trials["loss"][usable].between(0.00587, 0.00600).all()
    assert usable.sum() > 10


def test_epsilon_too_small_for_the_weights_ends_with_the_best_usable_plan():
    p, q = np.array([0.5, 0.1, 0.2, 0.2]), np.array([0.1, 0.3, 0.4, 0.2])
    result = align(LINE, LINE, metric="precomputed", p=p, q=q, trials=8)
    assert result.loss == pytest.approx(0.72, rel=1e-3)
    assert result.loss == pytest.approx(quadruple_sum(LINE, LINE, result.plan), rel=1e-6)
    assert result.marginal_error < 1e-6
    if result.epsilon > 1e-3:
        assert not result.converged


def test_a_search_without_any_usable_plan_counts_failed_and_pruned_apart(monkeypatch):
    monkeypatch.setattr("repalign.gwot.search.runner.TrialRunner.best", lambda *_: None)
    sentence = r"All \d trials that went on to the end failed \(.*\); \d were pruned\. .*raise epsilon"
    with pytest.raises(InputError, match=sentence):
        align(LINE, LINE, metric="precomputed", trials=6)


def test_one_number_is_a_range_of_epsilon():
    rng = np.random.default_rng(2)
    x = rng.random((12, 4))
    one, two = (align(x, x, epsilon=epsilon, trials=3) for epsilon in (0.01, (0.01, 0.01)))
    np.testing.assert_array_equal(one.plan, two.plan)
    assert one.epsilon == pytest.approx(0.01)
    with pytest.raises(InputError, match="0 < low <= high"):
        align(x, x, epsilon=-1.0, trials=3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sharpness", [1, 10, 60])
def test_plans_are_brought_onto_their_marginals(dtype, sharpness):
    rng = np.random.default_rng(3)
    p, q = weights(rng, 40, "random"), weights(rng, 30, "random")
    exact = random_plan(p, q, 0)
    kernel = np.exp(sharpness * rng.random((40, 30))) * exact
    sharp = onto_marginals(kernel / kernel.sum(), p, q)
    off = (sharp * (1 + 1e-3 * rng.standard_normal(sharp.shape))).astype(dtype)
    again = onto_marginals(off, p, q)
    assert again.dtype == dtype
    for axis, marginal in ((1, p), (0, q)):
        assert np.abs(again.sum(axis=axis, dtype=float) - marginal).sum() < 1e-6
    np.testing.assert_allclose(again, off, rtol=0.1, atol=2e-3)
    if dtype == "float64":
        np.testing.assert_allclose(onto_marginals(again, p, q), again, rtol=1e-5, atol=1e-12)


def test_mass_is_moved_where_no_scaling_can_help():
    p = np.full(4, 0.25)
    plan = np.diag([0.25, 0.25, 0.25, 0.25])
    plan[0, 0], plan[3, 3] = 0.249, 0.251
    np.testing.assert_allclose(onto_marginals(plan, p, p), np.diag(p), atol=1e-12)
    blocks = np.kron(np.eye(2), np.full((2, 2), 1 / 8)) * np.repeat([1.004, 0.996], 2)
    q = np.array([0.26, 0.24, 0.25, 0.25])
    moved = onto_marginals(blocks, p, q + np.array([0, 0.004, -0.002, -0.002]))
    np.testing.assert_allclose(moved.sum(axis=1), p)
    assert (moved >= 0).all()
    assert moved[2:, :2].sum() == pytest.approx(0.002, rel=0.1) or moved[:2, 2:].sum() == pytest.approx(
        0.002, rel=1.1
    )


def test_clipped_entries_stay_ties_and_a_plan_far_off_fails():
    problem = make_problem(LINE, LINE, metric="precomputed")
    plan = np.where(np.eye(4) > 0, [0.2501, 0.2499, 0.25, 0.25], np.exp(-75.0))
    scaled = onto_marginals(plan, problem.p, problem.q)
    np.testing.assert_array_equal(scaled, np.eye(4) / 4)
    assert "marginals off" in failure_of(problem, np.diag([0.26, 0.24, 0.25, 0.25]))
