"""Clusters against categories: planted, unrelated, and intervals over objects."""

import numpy as np
import pytest
from repalign.measures.clustering import agreement, agreement_interval, chance_agreement, clusters

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


def test_the_interval_holds_the_estimate_and_narrows_with_the_number_of_objects():
    widths = []
    for n in (60, 240):
        labels = rng.integers(4, size=n)
        x = 2 * np.eye(4)[labels] + rng.normal(size=(n, 4))
        found = clusters(x, 4)
        low, high = agreement_interval(x, found, labels)
        assert low < agreement(found, labels) < high
        widths.append(high - low)
    assert 1.4 < widths[0] / widths[1] < 3


def test_perfect_clusters_have_no_width_and_few_objects_no_interval():
    labels = np.repeat(np.arange(4), 10)
    x = 50 * np.eye(4)[labels] + rng.normal(size=(40, 4))
    assert agreement_interval(x, clusters(x, 4), labels) == pytest.approx((1, 1))
    few = np.arange(5)
    assert np.isnan(agreement_interval(x[:5], few, few)).all()
