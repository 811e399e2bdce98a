"""The outer iteration converges on ill-conditioned features, descends the objective, and says when it did not end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from repalign.gwot.alignment import align
from repalign.gwot.problem import make_problem
from repalign.gwot.search import annealed
from repalign.gwot.search.ladder import CLOSE, LOOSE, descend
from repalign.gwot.solver.native import NativeSolver
from repalign.gwot.solver.quasi_newton import QuasiNewton
from repalign.gwot.starts.plans import profile_plan, random_plan
from repalign.measures.rdm import dissimilarity


def human(n=100):
    """Sparse and not negative, as embeddings of people's judgements are."""
    return np.random.default_rng(0).gamma(0.5, size=(n, 30)) * 0.93 ** np.arange(30)


def features(kind, n=100):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, 40))
    if kind == "dominant direction":
        x[:, 0] *= np.sqrt(9 * 39)  # 90% of the variance
    elif kind == "heavy-tailed norms":
        x *= np.abs(rng.standard_t(1.5, n))[:, None]
    elif kind == "duplicates":
        x = x[rng.integers(0, n // 2, n)]
    elif kind == "spectrum k^-3":
        x *= np.arange(1, 41) ** -1.5
    elif kind == "few directions, related":
        x = human(n) @ rng.standard_normal((30, 40))
        left, values, right = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
        x = left * values * (1 + 30 * (np.arange(len(values)) < 3)) @ right
    else:
        x = rng.standard_normal((n, 512))
    return x


KINDS = [
    "dominant direction",
    "heavy-tailed norms",
    "duplicates",
    "spectrum k^-3",
    "few directions, related",
    "no structure",
]


@pytest.mark.parametrize("matched", [False, True])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", KINDS)
def test_ill_conditioned_features_converge(kind, metric, matched):
    problem = make_problem(human(), features(kind), metric=metric, histogram_matching=matched)
    solver = NativeSolver(problem)
    for share in (0.15, 0.02):
        for start in (profile_plan(problem), random_plan(problem.p, problem.q, 0)):
            epsilon = share * problem.critical_epsilon
            state, _ = solver.run(solver.state(start[None], 0.4 * problem.critical_epsilon), **LOOSE)
            state, progress = solver.run(descend(solver, state, epsilon, **CLOSE)[0])
            assert progress.converged.all()
            assert progress.iterations.max() <= 300
            assert solver.solutions(state, progress)[0].failure == ""


def objective(problem, plan, epsilon):
    plan = plan.astype(float)
    return problem.loss(plan) / epsilon + np.sum(plan * np.log(plan))


@pytest.mark.parametrize("kind", ["factored", "dense", "mixed", "eigenvectors"])
def test_objective_of_a_step_is_that_of_its_plan(kind):
    source, target = human(40), features("duplicates", 40)[:, :20]
    factored, dense = make_problem(source, target), make_problem(source, target, metric="euclidean")
    problem = dense if kind in ("dense", "eigenvectors") else factored
    if kind == "mixed":
        matrix = make_problem(*(dissimilarity(x) for x in (source, target)), metric="precomputed")
        problem = replace(factored, target=matrix.target)
    solver = NativeSolver(problem, dtype="float64", rank=40 if kind == "eigenvectors" else None)
    epsilon = 0.2 * problem.critical_epsilon
    differences = []
    for seed in (0, 1):
        state = solver.state(random_plan(problem.p, problem.q, seed)[None], epsilon)
        step = solver.step(state, torch.full((1,), 1e-12, dtype=torch.float64))
        plan = solver.plans(replace(state, f=step.image.f, g=step.image.g))[0].numpy()
        differences.append(step.objective.item() - objective(problem, plan, epsilon))
    assert differences[0] == pytest.approx(differences[1], abs=1e-7)


def quadratic(curvatures, starts):
    """Points, the map and the objective of minimising half the sum of curvature times square."""
    curvatures = torch.as_tensor(curvatures, dtype=torch.float64)

    def evaluate(point):
        return point - curvatures * point, 0.5 * (curvatures * point**2).sum(1)

    return torch.full((starts, len(curvatures)), 1e-2, dtype=torch.float64), evaluate


def follow(curvatures, rounds, starts=2):
    point, evaluate = quadratic(curvatures, starts)
    accelerator = QuasiNewton(lambda change: torch.linalg.vector_norm(change, dim=1))
    objectives = []
    for _ in range(rounds):
        image, value = evaluate(point)
        change = torch.linalg.vector_norm(image - point, dim=1)
        point = accelerator.next(point, image, image, change, value)
        objectives.append(accelerator._objective.min().item())
    return accelerator.best, objectives


def test_flat_directions_take_a_few_steps():
    best, objectives = follow([1.0, 0.5, 0.01, 0.001], 25)
    assert best.abs().max() < 1e-6
    assert (np.diff(objectives) <= 1e-12).all()


def test_a_saddle_is_left():
    best, objectives = follow([1.0, 0.3, -0.05], 60)
    assert best[:, 2].min() > 0.05
    assert (np.diff(objectives) <= 1e-12).all()


def test_a_step_that_raises_the_objective_is_taken_back():
    # Too curved for the plain step: it overshoots, and its halves do not.
    best, objectives = follow([2.5, 0.5], 40)
    assert best.abs().max() < 1e-6
    assert (np.diff(objectives) <= 1e-12).all()


def test_a_run_that_is_cut_short_says_so(monkeypatch):
    monkeypatch.setattr(
        NativeSolver.__init__, "__kwdefaults__", {**NativeSolver.__init__.__kwdefaults__, "max_iterations": 2}
    )
    result = align(human(60), features("no structure", 60), epsilon=(5e-4, 1e-3), trials=2)
    polished = result.trials[result.trials["status"] == "complete"]
    assert not result.converged
    assert set(polished["reason"]) == {"not converged after 2 steps"}


def test_a_search_ends_when_starts_agree(monkeypatch):
    monkeypatch.setattr(annealed, "ROUND", 4)
    source = human(40)
    target = source @ np.linalg.qr(np.random.default_rng(2).standard_normal((30, 30)))[0]
    monkeypatch.setattr(NativeSolver, "batch", 4)
    settings = {"epsilon": (1e-2, 2e-2), "trials": 12}
    options = {"keep": 100.0, "finalists": 3, "agree": 2}
    result = align(source, target, **settings, options=options)
    skipped = result.trials[result.trials["status"] == "skipped"]
    assert len(result.trials) == 12
    assert 0 < len(skipped) <= 8
    assert skipped["reason"].str.fullmatch(r"not needed: [23] starts share the lowest loss").all()
    everything = align(source, target, **settings, options={**options, "agree": None})
    assert "skipped" not in set(everything.trials["status"])
    assert result.loss == pytest.approx(everything.loss, rel=1e-3)


def test_a_resumed_search_ends_where_it_would_have_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(annealed, "ROUND", 4)
    monkeypatch.setattr(NativeSolver, "batch", 2)
    pair = human(40), features("few directions, related", 40)
    settings = {"epsilon": (1e-3, 1e-2), "trials": 9, "storage": tmp_path / "journal"}
    first = align(*pair, **settings)
    next((tmp_path / "journal.work").glob("plan-*")).unlink()
    again = align(*pair, **settings)
    np.testing.assert_array_equal(again.plan, first.plan)
    assert again.trials["status"].tolist() == first.trials["status"].tolist()
