"""The bootstrap and correlations against slow loops over resamples; coverage; what must not matter."""

import itertools

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.statistics.bootstrap import (
    block_weights,
    cluster_weights,
    distinct_tuples,
    mean_interval,
    pair_sums,
    percentile_interval,
    resampled_tables,
    triplet_sums,
)
from repalign.statistics.correlation import correlation
from resamples import draws, percentiles
from scipy import stats

rng = np.random.default_rng(0)


def test_mean_interval_resamples_objects():
    values = rng.random(40) < 0.3
    slow = [np.repeat(values, counts).mean() for counts in draws(3, 50, 40)]
    assert mean_interval(values, n_boot=50, seed=3) == pytest.approx(percentiles(slow))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).random(100) < 0.4
        low, high = mean_interval(values, n_boot=200, confidence=0.9, seed=seed)
        covered += low <= 0.4 <= high
    assert 0.83 <= covered / 200 <= 0.96


def test_sums_over_pairs_and_triplets_of_draws_equal_loops():
    matrix = rng.normal(size=(6, 6))
    np.fill_diagonal(matrix, 0)
    triplets = np.argsort(rng.random((40, 6)), axis=1)[:, :3]
    weights = draws(0, 5, 6).astype(float)
    pairs, triples, quadruples = distinct_tuples(weights)
    for number, counts in enumerate(weights.astype(int)):
        drawn = np.repeat(np.arange(6), counts)
        slow = sum(matrix[i, j] for i, j in itertools.permutations(drawn, 2))
        assert pair_sums(matrix, weights)[number] == pytest.approx(slow)
        assert triplet_sums(triplets, weights)[number] == counts[triplets].prod(axis=1).sum()
        for size, found in ((2, pairs), (3, triples), (4, quadruples)):
            tuples = itertools.permutations(drawn, size)
            assert found[number] == sum(len(set(chosen)) == size for chosen in tuples)


def test_clusters_are_drawn_as_wholes_and_tables_by_their_objects():
    cluster = np.repeat([0, 1, 2], [2, 5, 1])
    weights = cluster_weights(np.random.default_rng(0), 200, cluster)
    np.testing.assert_array_equal(weights, draws(0, 200, 3)[:, cluster])
    table = np.array([[8, 0], [3, 9]])
    drawn = resampled_tables(np.random.default_rng(0), 2000, table) * 20
    np.testing.assert_allclose(drawn.sum(axis=(1, 2)), 20)
    np.testing.assert_allclose(drawn.mean(axis=0), table, atol=0.3)
    assert (drawn[:, 0, 1] == 0).all()


def test_no_interval_where_most_resamples_have_no_value():
    samples = np.array([1.0, 2, np.nan, np.nan])
    assert percentile_interval(samples, 0.5) == (1.25, 1.75)
    assert np.isnan(percentile_interval(np.append(samples, np.nan), 0.5)).all()


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlation_draws_whole_models_and_ranks_anew(method):
    sizes = np.array([3, 5, 4, 6])
    cluster = np.repeat(np.arange(4), sizes)
    x = np.round(rng.normal(size=18), 1)
    y = np.round(x + rng.normal(size=18), 1)
    result = correlation(x, y, np.array(list("dbca"))[cluster], method, n_boot=80, seed=5)
    reference = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}[method]
    slow = []
    for counts in draws(5, 80, 4):
        # Clusters are numbered by sorted name: a, b, c, d are 3, 1, 2, 0.
        copies = counts[np.array([3, 1, 2, 0])][cluster]
        slow.append(reference(np.repeat(x, copies), np.repeat(y, copies)).statistic)
    assert result.value == pytest.approx(reference(x, y).statistic)
    assert (result.low, result.high) == pytest.approx(percentiles(slow))
    assert (result.n, result.n_clusters) == (18, 4)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlation_is_that_of_the_residuals(method):
    given = rng.normal(size=60)
    x, y = given + rng.normal(size=60), -given + rng.normal(size=60)
    found = correlation(x, y, np.arange(60) // 6, method, given=given, n_boot=50)
    columns = np.array([x, y, given]) if method == "pearson" else stats.rankdata([x, y, given], axis=1)
    a, b = (column - np.polyval(np.polyfit(columns[2], column, 1), columns[2]) for column in columns[:2])
    assert found.value == pytest.approx(stats.pearsonr(a, b).statistic)
    assert found.low < found.value < found.high
    assert abs(found.value) < 0.4 < abs(correlation(x, y, np.zeros(60), method, n_boot=50).value)
    # Nothing is left of a measure given itself.
    assert np.isnan(correlation(x, y, np.arange(60), method, given=x, n_boot=50).value)


def test_correlation_of_dependent_layers_has_a_wider_interval_than_of_independent_ones():
    model = np.repeat(np.arange(12), 13)
    level = np.random.default_rng(1).normal(size=(2, 12))
    x, y = level[:, model] + 0.1 * np.random.default_rng(2).normal(size=(2, len(model)))
    clustered = correlation(x, y, model)
    naive = correlation(x, y, np.arange(len(model)))
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)
    assert clustered.value == naive.value


def test_correlation_within_one_model_draws_blocks_of_depth():
    depth = np.linspace(0, 1, 25)
    x, y = depth + 0.05 * rng.normal(size=(2, 25))
    result = correlation(x, y, np.zeros(25))
    assert 0.5 < result.low < result.value < result.high <= 1
    counts = block_weights(np.random.default_rng(0), 500, 25)
    assert (counts.sum(axis=1) == 25).all()
    assert counts.mean() == pytest.approx(1)


def test_two_clusters_are_too_few_to_draw_from_so_blocks_are_drawn_within_each(monkeypatch):
    x, y = rng.normal(size=(2, 14))
    clusters = np.repeat(["a", "b"], 7)
    drawn = []
    monkeypatch.setattr(
        "repalign.statistics.correlation.block_weights",
        lambda *args: drawn.append(block_weights(*args)) or drawn[-1],
    )
    found = correlation(x, y, clusters, n_boot=50)
    assert [weights.shape for weights in drawn] == [(50, 7), (50, 7)]
    assert all((weights.sum(axis=1) == 7).all() for weights in drawn)
    assert found.low < found.value < found.high
    assert found.n_clusters == 2
    correlation(x, y, np.repeat(["a", "b", "c"], [5, 5, 4]), n_boot=50)
    assert len(drawn) == 2


def test_missing_and_constant_values():
    x = np.array([1.0, 2, np.nan, 4, 5])
    assert correlation(x, 2 * x, np.arange(5)).value == pytest.approx(1)
    assert correlation(x, 2 * x, np.arange(5)).n == 4
    assert np.isnan(correlation(x, np.ones(5), np.arange(5)).value)
    assert np.isnan(correlation(x[:2], x[:2], np.arange(2)).low)


def test_seeds_decide_and_nothing_else():
    values = rng.random(30)
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) == mean_interval(values, seed=np.random.default_rng(1))
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)
    low, high = mean_interval(values, confidence=0.99)
    narrow_low, narrow_high = mean_interval(values, confidence=0.5)
    assert low < narrow_low < values.mean() < narrow_high < high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval(np.ones(3), confidence=95), "0.95"),
        (lambda: correlation([1, 2], [1, 2], [1, 2], "kendall"), "kendall"),
        (lambda: correlation([1, 2], [1, 2, 3], [1, 2]), "the same length"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
