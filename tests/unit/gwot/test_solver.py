"""The native solver against POT, against itself in float64, and where POT cannot go."""

import numpy as np
import pytest
import torch
from repalign.gwot.alignment import align
from repalign.gwot.problem import make_problem
from repalign.gwot.solver.anderson import Anderson
from repalign.gwot.solver.deferred import deferred_correction
from repalign.gwot.solver.kernel import leading_factors
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.solver.pot import PotSolver
from repalign.gwot.starts.plans import entropic_plan, profile_plan, random_plan
from repalign.measures.rdm import dissimilarity


def embeddings(n1=50, n2=50, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.random((max(n1, n2), 6))
    return source[:n1], (source + noise * rng.standard_normal(source.shape))[:n2]


@pytest.mark.parametrize("metric", ["cosine", "correlation", "dot", "sqeuclidean", "euclidean"])
@pytest.mark.parametrize("share", [0.5, 0.75])
def test_same_fixed_point_as_pot(metric, share):
    problem = make_problem(*embeddings(), metric=metric)
    epsilon = share * problem.critical_epsilon
    start = random_plan(problem.p, problem.q, 1)
    reference = PotSolver(problem, max_iterations=600).solve(start, epsilon)
    assert reference.converged
    assert reference.marginal_error < 1e-6
    solved = NativeSolver(problem, tolerance=1e-5).solve(start, epsilon)
    assert solved.converged
    assert solved.loss == pytest.approx(reference.loss, rel=1e-4)
    assert np.abs(solved.plan - reference.plan).sum() / 2 < 1e-3
    assert solved.marginal_error < 1e-5


def test_weights_and_unequal_sizes():
    source, target = embeddings(40, 30)
    rng = np.random.default_rng(3)
    p, q = (x / x.sum() for x in (rng.random(40) + 0.5, rng.random(30) + 0.5))
    for metric in ("cosine", "euclidean"):
        problem = make_problem(source, target, metric=metric, p=p, q=q)
        epsilon = 0.5 * problem.critical_epsilon
        start = random_plan(p, q, 0)
        reference = PotSolver(problem).solve(start, epsilon)
        solved = NativeSolver(problem).solve(start, epsilon)
        assert reference.converged
        assert reference.marginal_error < 1e-6
        assert np.abs(solved.plan - reference.plan).sum() / 2 < 1e-3
        np.testing.assert_allclose(solved.plan.sum(axis=1), p, rtol=1e-4)


def test_factored_dense_and_mixed_costs_agree():
    source, target = embeddings()
    c, d = (dissimilarity(x) for x in (source, target))
    start = random_plan(*[np.full(50, 1 / 50)] * 2, 0)
    factored = make_problem(source, target)
    dense = make_problem(c, d, metric="precomputed")
    epsilon = 0.2 * factored.critical_epsilon
    mixed = [type(dense)(factored.source, dense.target), type(dense)(dense.source, factored.target)]
    plans = [NativeSolver(p, dtype="float64").solve(start, epsilon).plan for p in (factored, dense, *mixed)]
    for plan in plans[1:]:
        np.testing.assert_allclose(plan, plans[0], atol=1e-6)


def test_a_batch_is_its_members():
    problem = make_problem(*embeddings())
    starts = np.stack([random_plan(problem.p, problem.q, k) for k in range(3)])
    epsilon = problem.critical_epsilon * np.array([0.2, 0.4, 0.9])
    solver = NativeSolver(problem, dtype="float64", tolerance=1e-6)
    batch = solver.solutions(*solver.run(solver.state(starts, epsilon)))
    for start, value, member in zip(starts, epsilon, batch, strict=True):
        np.testing.assert_allclose(member.plan, solver.solve(start, value).plan, atol=1e-6)
        assert member.epsilon == value


@pytest.mark.parametrize("share", [1e-3, 100])
def test_usable_plans_where_pot_underflows_and_where_nothing_aligns(share):
    problem = make_problem(*embeddings(noise=0.01))
    epsilon = share * problem.critical_epsilon
    solved = NativeSolver(problem).solve(random_plan(problem.p, problem.q, 0), epsilon)
    assert solved.failure == ""
    assert solved.loss > 0
    if share < 1:
        assert PotSolver(problem).solve(random_plan(problem.p, problem.q, 0), epsilon).failure != ""
        assert solved.plan.max() > 0.5 / 50
    else:
        np.testing.assert_allclose(solved.plan, 1 / 2500, rtol=0.05)


def test_scaling_both_systems_scales_epsilon():
    source, target = embeddings()
    start = random_plan(*[np.full(50, 1 / 50)] * 2, 0)
    plans = []
    for factor in (1, 10):
        problem = make_problem(factor * source, factor * target, metric="euclidean")
        solver = NativeSolver(problem, dtype="float64")
        plans.append(solver.solve(start, 0.2 * problem.critical_epsilon).plan)
    np.testing.assert_allclose(*plans, atol=1e-8)


def test_relabelling_the_objects_relabels_the_plan():
    source, target = embeddings()
    order = np.random.default_rng(0).permutation(50)
    start = random_plan(*[np.full(50, 1 / 50)] * 2, 0)
    first = make_problem(source, target)
    epsilon = 0.2 * first.critical_epsilon
    plan = NativeSolver(first, dtype="float64").solve(start, epsilon).plan
    moved = (
        NativeSolver(make_problem(source, target[order]), dtype="float64")
        .solve(start[:, order], epsilon)
        .plan
    )
    np.testing.assert_allclose(moved, plan[:, order], atol=1e-6)


def test_above_the_critical_epsilon_a_symmetric_problem_has_no_structure():
    signs = np.array([[1, 0], [-1, 0], [0, 1], [0, -1.0]]) * [1, 0.7]
    problem = make_problem(signs, signs, metric="sqeuclidean")
    problem = type(problem)(
        *(type(s)(s.weights, s.mean, 0 * s.linear, s.factor) for s in (problem.source, problem.target))
    )
    start = random_plan(problem.p, problem.q, 0)
    above, below = (
        NativeSolver(problem, dtype="float64").solve(start, share * problem.critical_epsilon).plan
        for share in (1.2, 0.8)
    )
    np.testing.assert_allclose(above, 1 / 16, atol=1e-4)
    assert np.abs(below - 1 / 16).max() > 0.01


def test_anderson_solves_a_linear_map_in_as_many_steps_as_it_has_dimensions():
    rng = np.random.default_rng(0)
    matrix = torch.as_tensor(np.diag(rng.random(4) * 0.98))
    fixed = torch.as_tensor(rng.random((3, 4)))
    point, mixer = fixed + 0.01, Anderson(window=5)
    for _ in range(8):
        image = fixed + (point - fixed) @ matrix
        point = mixer.mix(image - point, image)
    assert float((point - fixed).abs().max()) < 1e-8


def test_profile_start_couples_like_with_like():
    source, target = embeddings(noise=0.001)
    order = np.random.default_rng(0).permutation(50)
    problem = make_problem(source, target[order], metric="euclidean")
    plan = profile_plan(problem, smoothing=1e-3, sweeps=300)
    assert (plan.argmax(axis=1) == np.argsort(order)).mean() > 0.9
    np.testing.assert_allclose(plan.sum(axis=1), problem.p)


def test_entropic_plan_matches_pot():
    from ot.bregman import sinkhorn

    cost = np.random.default_rng(0).random((8, 9))
    p, q = np.full(8, 1 / 8), np.full(9, 1 / 9)
    np.testing.assert_allclose(
        entropic_plan(cost, p, q, 0.1, 500), sinkhorn(p, q, cost, 0.1, stopThr=1e-12), atol=1e-9
    )


def test_leading_eigenvectors_stand_for_a_dense_core():
    problem = make_problem(*embeddings(), metric="euclidean")
    factor, signs = leading_factors(problem.source.dense, 50, device="cpu", dtype=torch.float64)
    np.testing.assert_allclose((factor * signs @ factor.T).numpy(), problem.source.dense, atol=1e-9)
    start, epsilon = random_plan(problem.p, problem.q, 0), 0.2 * problem.critical_epsilon
    exact, coarse = NativeSolver(problem, dtype="float64"), NativeSolver(problem, dtype="float64", rank=25)
    expected = exact.solve(start, epsilon)
    state, progress = coarse.run(coarse.state(start[None], epsilon))
    stand_in = coarse.solutions(state, progress)[0]
    state, progress = deferred_correction(exact, coarse, state)
    assert progress.converged.all()
    polished = exact.solutions(state, progress)[0]
    np.testing.assert_allclose(polished.plan, expected.plan, atol=1e-5)
    assert np.abs(stand_in.plan - expected.plan).max() > 3e-5
    assert exact.coarse() is exact


@pytest.mark.parametrize("corrections", [12, 1])
def test_a_large_dense_core_is_followed_by_its_eigenvectors_first_and_ends_in_the_exact_plan(
    monkeypatch, corrections
):
    problem = make_problem(*embeddings(), metric="euclidean")
    start, epsilon = random_plan(problem.p, problem.q, 0), 0.2 * problem.critical_epsilon
    expected = NativeSolver(problem, dtype="float64", tolerance=1e-6).solve(start, epsilon)
    monkeypatch.setattr("repalign.gwot.solver.native.COARSE_RANK", len(problem.p) // 6)
    monkeypatch.setattr("repalign.gwot.solver.deferred.MOST_CORRECTIONS", corrections)
    solver = NativeSolver(problem, dtype="float64", tolerance=1e-6)
    assert solver.coarse() is not solver
    assert solver.coarse().coarse() is solver.coarse()
    solved = solver.solve(start, epsilon)
    np.testing.assert_allclose(solved.plan, expected.plan, atol=1e-5)
    assert solved.loss == pytest.approx(expected.loss, rel=1e-6)
    exact_steps = solver.run(solver.state(start[None], epsilon))[1].iterations.item()
    assert solved.converged
    assert solved.iterations != exact_steps


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_cuda_gives_the_plan_of_the_cpu(metric):
    source, target = embeddings(60, 60)
    problem = make_problem(source, target, metric=metric)
    starts = np.stack([random_plan(problem.p, problem.q, k) for k in range(3)])
    plans = []
    for device in ("cpu", "cuda"):
        solver = NativeSolver(problem, device=device, tolerance=1e-5)
        state, progress = solver.run(solver.state(starts, 0.3 * problem.critical_epsilon))
        plans.append([solution.plan for solution in solver.solutions(state, progress)])
    np.testing.assert_allclose(*plans, atol=1e-3 / 60)
    settings = {"metric": metric, "epsilon": (0.05 * problem.critical_epsilon,) * 2, "trials": 4}
    losses = [align(source, target, device=device, **settings).loss for device in ("cpu", "cuda")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
