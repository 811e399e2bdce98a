"""Intervals of the odd-one-out accuracy against slow loops over resamples."""

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.measures.odd_one_out_intervals import odd_one_out_interval, odd_one_out_samples
from resamples import draws, percentiles
from scipy import stats

rng = np.random.default_rng(0)


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


def test_any_number_of_embeddings_shares_the_resamples():
    triplets = np.argsort(rng.random((60, 8)), axis=1)[:, :3]
    correct = rng.random((70, 60)) < 0.5
    samples = odd_one_out_samples(correct, triplets, 8, n_boot=10, seed=5)
    for counts, sample in zip(draws(5, 10, 8), samples.T, strict=True):
        copies = counts[triplets].prod(axis=1)
        slow = [copies[row].sum() / copies.sum() for row in correct]
        np.testing.assert_allclose(sample, slow, rtol=1e-12)


def test_unknown_units_are_refused():
    with pytest.raises(InputError, match="people"):
        odd_one_out_interval([True], [[0, 1, 2]], 3, over="people")
