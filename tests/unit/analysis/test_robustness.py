"""Sensitivity, agreement, chance, oracle, projections and refinements, on planted data."""

import numpy as np
import pytest
from repalign.analysis.robustness import (
    agreement,
    near_degenerate,
    oracle,
    robustness_table,
    sensitivity_map,
)
from repalign.analysis.simulated_chance import chance_of_noise
from repalign.errors import InputError
from repalign.gwot.alignment import align
from repalign.gwot.matching import matching_rate
from repalign.gwot.problem import make_problem
from repalign.gwot.projection import barycentric_projection, nearest_matching_rate, procrustes
from repalign.gwot.search.refine import hop_basins
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.starts.plans import random_plan

SETTINGS = {"metric": "euclidean", "epsilon": (0.01, 0.1), "trials": 6}


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(1)
    source = rng.random((30, 5))
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    return source, source @ rotation + 0.005 * rng.standard_normal(source.shape)


def test_sensitivity_map_covers_every_start_seed_and_epsilon(pair):
    categories = np.eye(3)[np.arange(30) % 3]

    def rates(plan):
        return {"top1": matching_rate(plan), "category": matching_rate(plan, 1, categories)}

    table = sensitivity_map(*pair, [0.02, 5.0], [0, 1, 2], metric="euclidean", rates=rates)
    assert len(table) == 6
    sharp, blurred = (table[table["epsilon"] == value] for value in (0.02, 5.0))
    assert sharp["loss"].max() < blurred["loss"].min()
    assert (sharp["category"] >= sharp["top1"]).all()
    annealed = sensitivity_map(
        *pair, [0.02, 5.0], [0, 1], metric="euclidean", starts=("profile", "random"), anneal=True
    )
    assert annealed["start"].tolist() == ["profile"] * 2 + ["random"] * 4
    assert (annealed["top1"][annealed["epsilon"] == 0.02] == 1).all()


def test_near_degenerate_spread_counts_plans_within_a_percent():
    result = near_degenerate([1.0, 1.009, 1.02, np.nan], [0.3, 0.9, 0.1, 1.0])
    assert result == {"n": 2, "lowest": 0.3, "highest": 0.9, "of_best": 0.3}
    with pytest.raises(InputError, match="every trial failed"):
        near_degenerate([np.nan], [0.1])


def test_independent_searches_agree_on_a_planted_pair(pair):
    plans = [align(*pair, seed=seed, **SETTINGS).plan for seed in (0, 1)]
    assert agreement(*plans) > 0.95
    assert agreement(np.eye(4), np.eye(4)[[0, 1, 3, 2]]) == 0.5
    assert agreement(np.eye(3)[[1, 2, 0]], np.eye(3)[[1, 2, 0]], "columns") == 1


def test_oracle_is_not_worse_than_the_truth_blurred(pair):
    found = oracle(*pair, 0.01, metric="euclidean")
    assert matching_rate(found.plan) == 1
    with pytest.raises(InputError, match="same objects"):
        oracle(pair[0], pair[1][:-1], 0.01)


def test_noise_aligns_at_chance():
    chance = chance_of_noise(40, 8, 6, relative_epsilon=(0.05, 0.3), trials=3)
    assert len(chance.rates) == 6
    assert chance.low <= chance.mean <= chance.high
    assert chance.mean < 0.12


def test_what_stands_beside_a_plan(pair):
    settings = {**SETTINGS, "trials": 2, "histogram_matching": False, "dtype": "float32"}
    found = oracle(*pair, 0.01, metric="euclidean")
    sensitivity = sensitivity_map(*pair, [0.01, 0.05], [0], metric="euclidean", anneal=True)
    table = robustness_table(
        *pair,
        found.plan,
        {"loss": found.loss, "epsilon": 0.01},
        sensitivity,
        settings=settings,
        seed=0,
        noise_pairs=1,
        features=5,
    ).set_index("measure")
    assert table["value"]["top1"] == table["value"]["top1_oracle"] == 1
    assert table["value"]["agreement_rows"] > 0.9
    assert table["low"]["loss"] <= table["value"]["loss"] <= table["low"]["loss"] * 1.01
    assert table["n"]["top1"] >= 2
    assert table["value"]["nearest_top1"] == 1
    assert table["low"]["chance_permuted"] <= 1 / 30 <= table["high"]["chance_permuted"]
    assert table["n"]["chance_noise"] == 1


def test_projections_through_the_true_plan(pair):
    source, target = pair
    truth = np.eye(30) / 30
    np.testing.assert_allclose(barycentric_projection(truth, target), target)
    rotated, centred = procrustes(source, target, truth)
    assert np.abs(rotated - centred).max() < 0.05
    assert nearest_matching_rate(source, target, truth) == 1
    wider = np.pad(target, ((0, 0), (0, 2)))
    assert nearest_matching_rate(source, wider, truth, direction="both") == 1


@pytest.mark.parametrize("k", [1, 3])
def test_nearest_matching_by_the_definition_of_gwtune(pair, k):
    source, target = pair
    plan = random_plan(np.full(30, 1 / 30), np.full(30, 1 / 30), 0) ** 3 + 0.0001 * np.eye(30)
    left, _, right = np.linalg.svd(source.T @ plan @ target)
    rotated = source @ left @ right
    hits = []
    for i, row in enumerate(target):
        cosines = rotated @ row / np.linalg.norm(rotated, axis=1)
        hits.append(i in np.argsort(-cosines)[:k])
    assert nearest_matching_rate(source, target, plan, k, definition="gwtune") == np.mean(hits)
    assert nearest_matching_rate(source, target, np.eye(30) / 30, definition="gwtune") == 1
    with pytest.raises(InputError, match="choose euclidean or gwtune"):
        nearest_matching_rate(source, target, plan, definition="cosine")


def test_gradient_is_the_derivative_of_the_loss(pair):
    for metric in ("cosine", "euclidean"):
        problem = make_problem(*pair, metric=metric)
        first, second = (random_plan(problem.p, problem.q, seed) for seed in (0, 1))
        step = 1e-4 * (second - first)
        slope = problem.loss(first + step) - problem.loss(first - step)
        assert 2 * np.vdot(problem.gradient(first), step) == pytest.approx(slope, rel=1e-6)


def test_basin_hopping_never_gets_worse(pair):
    problem = make_problem(*pair, metric="cosine")
    solver = NativeSolver(problem, dtype="float64")
    state, progress = solver.run(
        solver.state(random_plan(problem.p, problem.q, 3)[None], 0.02 * problem.critical_epsilon)
    )
    best, losses = hop_basins(solver, state, 4)
    assert (np.diff(losses) <= 0).all()
    assert solver.solutions(best, progress)[0].loss == pytest.approx(losses[-1], rel=1e-4)
