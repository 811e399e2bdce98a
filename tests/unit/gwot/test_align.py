"""The alignment's contract: inputs, failures, reproducibility, resumption."""

import json

import numpy as np
import pytest
import repalign.gwot
from repalign.errors import InputError
from repalign.gwot.alignment import align
from repalign.gwot.matching import matching_rate
from repalign.gwot.problem import make_problem, match_histogram
from repalign.gwot.search.sampling import suggest_epsilon, survivors
from repalign.gwot.solver.solution import failure_of
from repalign.gwot.starts.plans import random_plan
from repalign.gwot.truth import top1
from repalign.measures.rdm import dissimilarity

POT = {"solver": "pot", "strategy": "paper", "metric": "euclidean", "dtype": "float64"}
NATIVE = {"metric": "cosine", "epsilon": (0.0005, 0.01)}


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(1)
    source = rng.random((24, 6))
    return source, source + 0.01 * rng.standard_normal(source.shape)


@pytest.fixture(scope="module")
def aligned(pair):
    return align(*pair, **POT, epsilon=(0.04, 0.1), trials=3)


def test_pot_finds_the_planted_correspondence_and_logs_every_trial(pair, aligned):
    assert matching_rate(aligned.plan) == 1
    assert aligned.trials["trial"].tolist() == [0, 1, 2]
    assert aligned.loss == aligned.trials["loss"].min()
    assert aligned.trials["epsilon"].between(0.04, 0.1).all()
    assert (aligned.trials["relative_epsilon"] > aligned.trials["epsilon"]).all()
    assert aligned.plan.sum() == pytest.approx(1)


@pytest.mark.parametrize("metric", ["cosine", "correlation", "dot", "sqeuclidean", "euclidean"])
def test_loss_is_the_quadruple_sum(metric):
    rng = np.random.default_rng(2)
    source, target = rng.random((7, 4)), rng.random((6, 4))
    p, q = (x / x.sum() for x in (rng.random(7) + 0.5, rng.random(6) + 0.5))
    c, d = dissimilarity(source, metric), dissimilarity(target, metric)
    plan = random_plan(p, q, 0)
    slow = np.einsum("ikjl,ij,kl->", (c[:, :, None, None] - d[None, None]) ** 2, plan, plan)
    for problem in (
        make_problem(source, target, metric=metric, p=p, q=q),
        make_problem(c, d, metric="precomputed", p=p, q=q),
    ):
        assert problem.loss(plan) == pytest.approx(slow, rel=1e-9)
        np.testing.assert_allclose(problem.source.matrix, c, atol=1e-12)


def test_matrices_and_embeddings_are_the_same_input(pair, aligned):
    matrices = [dissimilarity(x, "euclidean") for x in pair]
    again = align(*matrices, **{**POT, "metric": "precomputed"}, epsilon=(0.04, 0.1), trials=3)
    np.testing.assert_array_equal(again.plan, aligned.plan)


def test_a_search_with_only_failures_says_so_and_never_returns_loss_zero(pair, tmp_path):
    with pytest.raises(InputError, match=r"All 2 trials failed \(all-zero plan\).*raise epsilon"):
        align(*pair, **POT, epsilon=(1e-7, 1e-7), trials=2, storage=tmp_path / "journal")


@pytest.mark.parametrize("strategy", ["paper", "annealed"])
def test_every_trial_keeps_the_rates_of_its_plan_and_nothing_depends_on_them(pair, tmp_path, strategy):
    search = {"epsilon": (0.0005, 0.01), "trials": 4, "strategy": strategy}
    plain = align(*pair, **search)
    rated = align(*pair, **search, storage=tmp_path / "journal.log", rates=top1)
    assert rated.trials["top1"].between(0, 1).all()
    assert rated.trials.loc[rated.trials["loss"].idxmin(), "top1"] == matching_rate(rated.plan)
    same = plain.trials.drop(columns="seconds")
    assert rated.trials.drop(columns=["seconds", "top1"]).equals(same)
    assert "top1" not in same


def test_failed_trials_keep_a_reason_and_no_loss(pair):
    result = align(*pair, **POT, epsilon=(1e-6, 0.5), trials=4)
    failed = result.trials[result.trials["status"] == "failed"]
    assert len(failed) > 0
    assert failed["loss"].isna().all()
    assert (failed["reason"] != "").all()
    assert result.loss > 0


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (np.zeros((4, 4)), "all-zero"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), 0.05), "mass"),
        (np.diag([1.0, 0, 0, 0]), "marginals"),
        (np.eye(4) / 4 - 0.01 + 0.04 * np.eye(4), "negative"),
    ],
)
def test_unusable_plans_are_named(plan, reason):
    rng = np.random.default_rng(0)
    problem = make_problem(rng.random((4, 3)), rng.random((4, 3)))
    assert reason in failure_of(problem, plan)
    assert failure_of(problem, np.full((4, 4), 1 / 16)) == ""


def test_a_finished_search_is_read_back(pair, aligned, tmp_path):
    settings = {**POT, "epsilon": (0.04, 0.1), "trials": 3, "storage": tmp_path / "deep" / "journal"}
    first, second = align(*pair, **settings), align(*pair, **settings)
    np.testing.assert_array_equal(first.plan, second.plan)
    np.testing.assert_array_equal(first.plan, aligned.plan)
    assert first.trials.equals(second.trials)
    next((tmp_path / "deep" / "journal.work").glob("plan-*")).unlink()
    np.testing.assert_array_equal(align(*pair, **settings).plan, first.plan)


def test_a_half_written_line_is_cut_off(pair, aligned, tmp_path):
    settings = {**POT, "epsilon": (0.04, 0.1), "trials": 3, "storage": tmp_path / "journal"}
    align(*pair, **settings)
    content = settings["storage"].read_bytes()
    settings["storage"].write_bytes(content[:-25])
    result = align(*pair, **settings)
    assert result.trials["trial"].tolist() == [0, 1, 2]
    assert [json.loads(line) for line in settings["storage"].read_text().splitlines()]
    np.testing.assert_array_equal(result.plan, aligned.plan)


def test_storage_of_another_search_is_refused(pair, tmp_path):
    align(*pair, **POT, epsilon=(0.5, 0.5), trials=1, storage=tmp_path / "journal")
    with pytest.raises(InputError, match="other data or settings; delete it"):
        align(*pair, **POT, epsilon=(0.5, 0.5), trials=1, seed=5, storage=tmp_path / "journal")


def test_time_budget_stops_the_search_after_at_least_one_trial(pair):
    result = align(*pair, **POT, epsilon=(0.5, 0.5), trials=50, time_budget=0)
    assert len(result.trials) == 1


def test_sampled_epsilon_depends_on_seed_slot_and_history_alone():
    history = [{"status": "complete", "loss": k, "epsilon": 0.1 + k / 100} for k in range(15)]
    value = suggest_epsilon(history, 14, (0.01, 1), sampler="tpe", seed=4)
    assert value == suggest_epsilon(list(history), 14, (0.01, 1), sampler="tpe", seed=4)
    assert 0.01 <= value <= 1
    assert value != suggest_epsilon(history, 14, (0.01, 1), sampler="tpe", seed=5)
    assert value != suggest_epsilon(history[:11], 14, (0.01, 1), sampler="tpe", seed=4)


def test_pruner_keeps_the_best_share_of_the_usable():
    records = {k: {"status": "complete", "loss": float(k % 5 * 10 + k)} for k in range(12)}
    records[20] = {"status": "failed", "loss": None}
    order = sorted(range(12), key=lambda k: records[k]["loss"])
    assert survivors(records, 25.0) == order[:3]
    assert survivors(records, 100.0) == order


def test_random_plan_has_the_marginals():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.4])
    plan = random_plan(p, q, 0)
    np.testing.assert_allclose(plan.sum(axis=1), p)
    np.testing.assert_allclose(plan.sum(axis=0), q)
    np.testing.assert_array_equal(plan, random_plan(p, q, 0))


def test_histogram_matching_keeps_ranks_and_takes_the_values():
    rng = np.random.default_rng(0)
    c, d = (dissimilarity(rng.random((30, 4))) for _ in range(2))
    upper = np.triu_indices(30, 1)
    matched = match_histogram(d, c)
    np.testing.assert_array_equal(np.sort(matched[upper]), np.sort(c[upper]))
    np.testing.assert_array_equal(np.argsort(matched[upper]), np.argsort(d[upper]))
    np.testing.assert_array_equal(matched, matched.T)
    larger = match_histogram(d, dissimilarity(rng.random((50, 4))))
    assert (np.diff(larger[upper][np.argsort(d[upper])]) >= 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "l7"}, "Unknown metric 'l7'"),
        ({"metric": "precomputed"}, "square dissimilarity matrix"),
        ({"solver": "magic"}, "Unknown GWOT solver"),
        ({"strategy": "hope"}, "Unknown GWOT strategy"),
        ({"epsilon": (1, 0.1)}, "0 < low <= high"),
        ({"trials": 0}, "at least 1 trial"),
        ({"p": np.ones(24)}, "sum to 1"),
        ({"options": {"finalists": 2}}, "'paper' has no option 'finalists'; it takes starts, sampler"),
    ],
)
def test_bad_settings_are_refused(pair, change, message):
    with pytest.raises(InputError, match=message):
        align(*pair, **{**POT, **change})


def test_bad_embeddings_are_refused(pair):
    broken = pair[1].copy()
    broken[3, 2] = np.nan
    with pytest.raises(InputError, match="Row 3 of the target holds NaN"):
        align(pair[0], broken, **POT)
    with pytest.raises(InputError, match="All dissimilarities of the source are equal"):
        align(np.ones((24, 3)), pair[1], **POT)


def test_the_contract_s_names_are_callable():
    assert repalign.gwot.align is align
    assert repalign.gwot.matching_rate is matching_rate


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(5)
    source = np.repeat(rng.random((6, 10)), 10, axis=0) + 0.15 * rng.random((60, 10))
    return source, source @ np.linalg.qr(rng.standard_normal((10, 10)))[0] + 0.002 * rng.standard_normal(
        (60, 10)
    )


def test_annealed_search_screens_anneals_and_polishes(blobs):
    result = align(*blobs, **NATIVE, trials=8, dtype="float64")
    assert matching_rate(result.plan, direction="both") > 0.9
    counts = result.trials["stage"].value_counts()
    assert counts.to_dict() == {"screen": 6, "polish": 2}
    assert set(result.trials["status"]) == {"complete", "pruned"}
    assert result.trials["start"].tolist() == ["profile", "uniform"] + ["random"] * 6
    complete = result.trials[result.trials["status"] == "complete"]
    assert complete["epsilon"].between(0.0005, 0.01).all()
    assert result.loss == complete["loss"].min()


def test_hops_and_other_starts_are_options_of_the_annealed_search(blobs):
    plain = align(*blobs, **NATIVE, trials=3, options={"starts": ["spectral", "multiscale", "random"]})
    assert plain.trials["start"].tolist() == ["spectral", "multiscale", "random"]
    hopped = align(*blobs, **NATIVE, trials=3, options={"hops": 1, "finalists": 1})
    assert hopped.loss <= plain.loss * 1.001


def test_annealed_search_runs_on_pot(pair):
    result = align(*pair, metric="euclidean", epsilon=(0.04, 0.1), trials=2, solver="pot", dtype="float64")
    assert matching_rate(result.plan) == 1
    assert result.trials["stage"].tolist()[0] == "polish"


def test_the_same_seed_gives_the_same_result_and_another_seed_other_trials(blobs):
    first, second = (align(*blobs, **NATIVE, trials=6, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.plan, second.plan)
    other = align(*blobs, **NATIVE, trials=6, seed=4)
    assert (other.trials["loss"][2:] != first.trials["loss"][2:]).all()
    assert first.plan.dtype == np.float32


def test_native_paper_search_is_batched_and_reproducible_from_its_journal(blobs, tmp_path):
    settings = {**NATIVE, "strategy": "paper", "trials": 13, "storage": tmp_path / "journal"}
    first = align(*blobs, **settings)
    next((tmp_path / "journal.work").glob("plan-*")).unlink()
    np.testing.assert_array_equal(align(*blobs, **settings).plan, first.plan)
    assert first.trials["epsilon"].nunique() == 13
