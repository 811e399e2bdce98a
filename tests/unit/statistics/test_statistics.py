"""The bootstrap, subsets, intervals, ceilings and correlations: against slow loops, and what must not matter."""

import itertools

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.statistics.bootstrap import (
    distinct_tuples,
    mean_interval,
    pair_sums,
    percentile_interval,
)
from repalign.statistics.ceilings import group_ceiling, spearman_brown
from repalign.statistics.correlation import correlation
from repalign.statistics.intervals import fisher_interval, share_interval, wilson_interval
from repalign.statistics.subsampling import subsampling_interval, subsets
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


def test_sums_over_pairs_of_draws_equal_loops():
    matrix = rng.normal(size=(6, 6))
    np.fill_diagonal(matrix, 0)
    weights = draws(0, 5, 6).astype(float)
    pairs, triples, quadruples = distinct_tuples(weights)
    for number, counts in enumerate(weights.astype(int)):
        drawn = np.repeat(np.arange(6), counts)
        slow = sum(matrix[i, j] for i, j in itertools.permutations(drawn, 2))
        assert pair_sums(matrix, weights)[number] == pytest.approx(slow)
        for size, found in ((2, pairs), (3, triples), (4, quadruples)):
            tuples = itertools.permutations(drawn, size)
            assert found[number] == sum(len(set(chosen)) == size for chosen in tuples)


def test_no_interval_where_most_resamples_have_no_value():
    samples = np.array([1.0, 2, np.nan, np.nan])
    assert percentile_interval(samples, 0.5) == (1.25, 1.75)
    assert np.isnan(percentile_interval(np.append(samples, np.nan), 0.5)).all()


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlation_leaves_out_whole_models_and_ranks_anew(method):
    cluster = np.repeat(list("dbcae"), [3, 5, 4, 6, 4])
    x = np.round(rng.normal(size=22), 1)
    y = np.round(x + rng.normal(size=22), 1)
    result = correlation(x, y, cluster, method)
    reference = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}[method]
    assert result.value == pytest.approx(reference(x, y).statistic)
    z = np.arctanh([reference(x[cluster != name], y[cluster != name]).statistic for name in "abcde"])
    half = stats.t.ppf(0.975, 4) * np.sqrt(4 * z.var())
    expected = np.tanh(np.arctanh(result.value) + np.array([-half, half]))
    assert (result.low, result.high) == pytest.approx(tuple(expected))
    assert (result.n, result.n_clusters) == (22, 5)


def test_fewer_than_five_models_have_a_correlation_but_no_interval():
    x, y = rng.normal(size=(2, 40))
    found = correlation(x, y, np.arange(40) % 4)
    assert found.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert np.isnan([found.low, found.high]).all()
    # Three layers on a line are no certainty.
    assert np.isnan(correlation([1, 2, 3], [2, 4, 6], ["a"] * 3).low)


@pytest.mark.parametrize("given_depth", [False, True])
def test_a_common_trend_over_depth_is_a_correlation_unless_depth_is_given(given_depth):
    depth = np.tile(np.linspace(0, 1, 10), 12)
    found = 0
    for seed in range(40):
        x, y = 3 * depth + np.random.default_rng(seed).normal(size=(2, 120))
        result = correlation(x, y, np.arange(120) // 10, given=depth if given_depth else None)
        found += result.low > 0
    assert found <= 5 if given_depth else found == 40


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlation_is_that_of_the_residuals(method):
    given = rng.normal(size=60)
    x, y = given + rng.normal(size=60), -given + rng.normal(size=60)
    found = correlation(x, y, np.arange(60) // 6, method, given=given)
    columns = np.array([x, y, given]) if method == "pearson" else stats.rankdata([x, y, given], axis=1)
    a, b = (column - np.polyval(np.polyfit(columns[2], column, 1), columns[2]) for column in columns[:2])
    assert found.value == pytest.approx(stats.pearsonr(a, b).statistic)
    assert found.low < found.value < found.high
    assert abs(found.value) < 0.4 < abs(correlation(x, y, np.zeros(60), method).value)
    # Nothing is left of a measure given itself.
    assert np.isnan(correlation(x, y, np.arange(60), method, given=x).value)


def test_correlation_of_dependent_layers_has_a_wider_interval_than_of_independent_ones():
    model = np.repeat(np.arange(12), 13)
    level = np.random.default_rng(1).normal(size=(2, 12))
    x, y = level[:, model] + 0.1 * np.random.default_rng(2).normal(size=(2, len(model)))
    clustered = correlation(x, y, model)
    naive = correlation(x, y, np.arange(len(model)))
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)
    assert clustered.value == naive.value


def test_missing_and_constant_values():
    x = np.array([1.0, 2, np.nan, 4, 5])
    assert correlation(x, 2 * x, np.arange(5)).value == pytest.approx(1)
    assert correlation(x, 2 * x, np.arange(5)).n == 4
    assert np.isnan(correlation(x, np.ones(5), np.arange(5)).value)
    assert np.isnan(correlation(x[:2], x[:2], np.arange(2)).low)


def test_wilson_interval_of_no_hits_and_of_half():
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    published = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605)}
    published |= {(0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (hits, n), ends in published.items():
        assert wilson_interval(hits / n, n) == pytest.approx(ends, abs=5e-5)
        assert share_interval(np.arange(n) < hits) == pytest.approx(ends, abs=5e-5)
    low, high = share_interval(np.zeros(108))
    assert low == 0
    assert 0.02 < high < 0.05


def test_shares_that_vary_less_than_hits_have_a_narrower_interval():
    shares = rng.random(200)
    hits = rng.random(200) < shares.mean()
    (low, high), (wide_low, wide_high) = share_interval(shares), share_interval(hits)
    assert high - low < 0.7 * (wide_high - wide_low)
    assert low < shares.mean() < high


def test_fisher_interval_is_that_of_a_sample_of_pairs():
    n, r = 103, 0.6
    low, high = fisher_interval(r, (1 - r**2) / np.sqrt(n - 3))
    assert (low, high) == pytest.approx(
        tuple(np.tanh(np.arctanh(r) + np.array([-1, 1]) * stats.norm.ppf(0.975) / 10))
    )
    assert fisher_interval(1.0, 0.1) == (1, 1)
    assert np.isnan(fisher_interval(np.nan, 0.1)).all()


def test_subsets_give_the_standard_error_of_a_mean():
    values = rng.normal(size=400)
    drawn = subsets(400, 400, seed=1)
    assert drawn.shape == (400, 240)
    assert (np.diff(drawn, axis=1) > 0).all()
    low, high = subsampling_interval(values.mean(), values[drawn].mean(axis=1), 400, 240)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    assert subsampling_interval(0.99, np.array([0.9, 1, 0.95]), 10, 8, bounds=(0, 1))[1] == 1
    assert np.isnan(subsampling_interval(0.5, np.array([0.5, 0.5, np.nan, np.nan, np.nan]), 10, 8)).all()


def test_a_ceiling_leaves_the_member_out_and_has_it_in():
    # Members with independent errors of variance 1 around a truth of variance 1.
    truth, errors = rng.normal(size=4000), rng.normal(size=(5, 4000))
    lower, upper, n = group_ceiling(
        list(truth + errors), lambda members: np.mean(members, axis=0), lambda a, b: np.corrcoef(a, b)[0, 1]
    )
    # The truth itself reaches sqrt(1/2) with each member.
    assert lower < np.sqrt(0.5) < upper
    assert lower == pytest.approx(1 / np.sqrt(2 * 1.25), abs=0.02)
    assert upper == pytest.approx((1 + 1 / 5) / np.sqrt(2 * (1 + 1 / 5)), abs=0.02)
    assert n == 5
    with pytest.raises(InputError, match="at least two members"):
        group_ceiling([truth], None, None)


def test_spearman_brown_steps_halves_up_to_the_whole():
    truth, errors = rng.normal(size=20000), rng.normal(size=(4, 20000))
    halves = (truth + errors[:2].mean(axis=0), truth + errors[2:].mean(axis=0))
    # The reliability of the mean of four: 1 / (1 + 1/4).
    assert spearman_brown(np.corrcoef(*halves)[0, 1]) == pytest.approx(0.8, abs=0.02)


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
