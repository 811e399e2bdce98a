"""Bootstrap intervals: slow references that resample for real, coverage, and what must not matter."""

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.measures.odd_one_out_intervals import odd_one_out_interval, odd_one_out_samples
from repalign.measures.rdm import dissimilarity, upper_triangle
from repalign.measures.rsa import rsa_interval
from repalign.statistics import correlation as correlation_module
from repalign.statistics.bootstrap import mean_interval
from repalign.statistics.correlation import correlation
from scipy import stats

rng = np.random.default_rng(0)


def draws(seed, n_boot, n):
    """The resamples that a function with this seed uses, as counts per unit."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_boot)


def percentiles(samples, confidence=0.95):
    return tuple(np.percentile(samples, [50 - 50 * confidence, 50 + 50 * confidence]))


def test_mean_interval_resamples_objects():
    values = rng.random(40) < 0.3
    slow = [np.repeat(values, counts).mean() for counts in draws(3, 50, 40)]
    assert mean_interval(values, n_boot=50, seed=3) == pytest.approx(percentiles(slow))


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_rsa_interval_equals_resampling_fixed_ranks_without_same_object_pairs(method):
    a, b = (dissimilarity(x, "euclidean") for x in rng.normal(size=(2, 12, 3)))
    i, j = np.triu_indices(12, k=1)
    values = [
        upper_triangle(rdm) if method == "pearson" else stats.rankdata(upper_triangle(rdm)) for rdm in (a, b)
    ]
    slow = []
    for counts in draws(1, 40, 12):
        copies = counts[i] * counts[j]
        slow.append(stats.pearsonr(*(np.repeat(v, copies) for v in values)).statistic)
    assert rsa_interval(a, b, method, n_boot=40, seed=1) == pytest.approx(percentiles(slow))


def test_odd_one_out_interval_over_objects_equals_resampling_triplets_by_their_objects():
    triplets = np.argsort(rng.random((150, 9)), axis=1)[:, :3]
    correct = rng.random(150) < 0.6
    slow = []
    for counts in draws(4, 60, 9):
        copies = counts[triplets].prod(axis=1)
        slow.append(np.repeat(correct, copies).mean())
    assert odd_one_out_interval(correct, triplets, 9, n_boot=60, seed=4) == pytest.approx(percentiles(slow))


def test_accuracies_of_several_embeddings_share_their_resamples():
    triplets = np.argsort(rng.random((150, 9)), axis=1)[:, :3]
    correct = rng.random((3, 150)) < 0.6
    together = odd_one_out_samples(correct, triplets, 9, n_boot=40, seed=2)
    for row, alone in zip(together, correct, strict=True):
        np.testing.assert_allclose(row, odd_one_out_samples([alone], triplets, 9, n_boot=40, seed=2)[0])
    for counts, sample in zip(draws(2, 40, 9), together.T, strict=True):
        copies = counts[triplets].prod(axis=1)
        np.testing.assert_allclose(sample, correct @ copies / copies.sum(), rtol=1e-6)


def test_odd_one_out_interval_over_triplets_is_binomial():
    correct = np.arange(1000) < 550
    low, high = odd_one_out_interval(correct, None, 10, over="triplets", n_boot=20000)
    assert (low, high) == pytest.approx(tuple(stats.binom(1000, 0.55).ppf([0.025, 0.975]) / 1000), abs=0.003)


def test_an_accuracy_of_one_has_no_width():
    triplets = np.argsort(rng.random((50, 9)), axis=1)[:, :3]
    for over in ("objects", "triplets"):
        assert odd_one_out_interval(np.ones(50, bool), triplets, 9, over, n_boot=100) == (1, 1)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).random(100) < 0.4
        low, high = mean_interval(values, n_boot=200, confidence=0.9, seed=seed)
        covered += low <= 0.4 <= high
    assert 0.83 <= covered / 200 <= 0.96


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
    counts = correlation_module._block_weights(np.random.default_rng(0), 500, 25)
    assert (counts.sum(axis=1) == 25).all()
    assert counts.mean() == pytest.approx(1)


def test_two_clusters_are_too_few_to_draw_from_so_blocks_are_drawn_within_each(monkeypatch):
    x, y = rng.normal(size=(2, 14))
    clusters = np.repeat(["a", "b"], 7)
    drawn = []
    blocks = correlation_module._block_weights
    monkeypatch.setattr(
        correlation_module, "_block_weights", lambda *args: drawn.append(blocks(*args)) or drawn[-1]
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
        (lambda: rsa_interval(np.eye(3), np.eye(3), "kendall"), "kendall"),
        (lambda: odd_one_out_interval([True], [[0, 1, 2]], 3, over="people"), "people"),
        (lambda: correlation([1, 2], [1, 2], [1, 2], "kendall"), "kendall"),
        (lambda: correlation([1, 2], [1, 2, 3], [1, 2]), "one length"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
