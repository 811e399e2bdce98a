"""Clusters against categories: planted, unrelated, and intervals that resample objects."""

import numpy as np
import pytest
from repalign.measures.clustering import agreement, agreement_interval, chance_agreement, clusters
from sklearn.metrics import adjusted_mutual_info_score

rng = np.random.default_rng(0)


def test_planted_clusters_are_found_and_unrelated_ones_are_not():
    labels = np.repeat(np.arange(4), 25)
    x = 5 * rng.normal(size=(4, 6))[labels] + rng.normal(size=(100, 6))
    found = clusters(x, 4)
    assert agreement(found, labels) > 0.9
    assert agreement(clusters(rng.normal(size=(100, 6)), 4), labels) == pytest.approx(0, abs=0.1)
    np.testing.assert_array_equal(found, clusters(x, 4))
    assert agreement(found, labels[::-1]) == agreement(3 - found, labels[::-1])
    assert chance_agreement(found, labels) == pytest.approx(0, abs=0.05)


def test_agreement_of_names_and_numbers():
    assert agreement([0, 0, 1, 1], ["b", "b", "a", "a"]) == 1


def test_the_interval_of_few_objects_holds_a_low_estimate():
    # Few objects for each cell: resamples look far more alike than the objects themselves.
    labels, found = np.random.default_rng(3).integers(8, size=(2, 40))
    low, high = agreement_interval(found, labels, n_boot=400)
    assert low < agreement(found, labels) < high


def test_interval_holds_the_estimate_and_resamples_objects():
    labels, found = rng.integers(4, size=(2, 400))
    found = np.where(rng.random(400) < 0.6, labels, found)
    value = agreement(found, labels)
    low, high = agreement_interval(found, labels, n_boot=400)
    assert low < value < high
    # Where there are many objects for each cell, expected agreement hardly depends on the resample.
    draws = rng.integers(400, size=(400, 400))
    slow = np.percentile([adjusted_mutual_info_score(labels[d], found[d]) for d in draws], [2.5, 97.5])
    assert (low, high) == pytest.approx(tuple(slow), abs=0.02)
    assert agreement_interval(labels, labels) == pytest.approx((1, 1))
