"""Every kind of start: marginals, labels that do not matter, and what it leads to; reduced systems; the ladder."""

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.gwot.matching import matching_rate
from repalign.gwot.problem import make_problem
from repalign.gwot.search.ladder import descend
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.starts.kinds import STARTS, start_plan
from repalign.gwot.starts.reduced import merged, subset
from repalign.gwot.system import make_system


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(1)
    source = np.repeat(rng.random((5, 6)), 8, axis=0) + 0.2 * rng.random((40, 6))
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    return source, source @ rotation + 0.003 * rng.standard_normal(source.shape)


@pytest.mark.parametrize(
    ("kind", "metric"),
    [*((kind, "cosine") for kind in STARTS), *((kind, "euclidean") for kind in ("spectral", "consensus"))],
)
def test_every_start_is_a_plan_and_leads_to_a_good_one(pair, kind, metric):
    order = np.random.default_rng(2).permutation(40)
    problem = make_problem(pair[0], pair[1][order], metric=metric)
    plan = start_plan(problem, kind, 3)
    assert plan.min() >= 0
    np.testing.assert_allclose(plan.sum(axis=1), problem.p, rtol=1e-4)
    np.testing.assert_allclose(plan.sum(axis=0), problem.q, rtol=0.2)  # a start need not be balanced
    if kind == "random":
        return  # what one of them leads to is luck
    solver = NativeSolver(problem, tolerance=3e-2, max_iterations=40)
    top, bottom = (share * problem.critical_epsilon for share in (0.4, 0.02))
    state, progress = descend(solver, solver.state(plan[None], top), bottom)
    assert matching_rate(solver.solutions(state, progress)[0].plan[:, np.argsort(order)]) > 0.9
    assert float(state.epsilon[0]) == pytest.approx(bottom)


def test_starts_made_by_luck_follow_their_seed(pair):
    problem = make_problem(*pair)
    for kind in ("random", "multiscale"):
        first, again, other = (start_plan(problem, kind, seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert np.abs(first - other).max() > 0
    with pytest.raises(InputError, match="Unknown start 'magic'; choose one of random, uniform"):
        start_plan(problem, "magic", 0)


@pytest.mark.parametrize("metric", ["cosine", "sqeuclidean", "euclidean"])
def test_reduced_systems_are_blocks_of_the_matrix_and_their_means(pair, metric):
    weights = np.random.default_rng(0).random(40) + 0.5
    weights /= weights.sum()
    system = make_system(pair[0], weights, metric=metric)
    chosen = np.arange(3, 40, 4)
    part = subset(system, chosen)
    np.testing.assert_allclose(part.matrix, system.matrix[np.ix_(chosen, chosen)], atol=1e-12)
    assert abs(part.weights @ part.linear) < 1e-12
    core = part.matrix - part.mean - part.linear[:, None] - part.linear
    np.testing.assert_allclose(part.weights @ core, 0, atol=1e-12)
    labels = np.arange(40) % 7
    share = np.stack([np.where(labels == k, weights, 0) / weights[labels == k].sum() for k in range(7)])
    np.testing.assert_allclose(merged(system, labels).matrix, share @ system.matrix @ share.T, atol=1e-12)
