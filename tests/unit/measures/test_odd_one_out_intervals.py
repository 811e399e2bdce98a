"""Intervals of the odd-one-out accuracy: against a slow sum over pairs of triplets, and at the ends."""

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.measures.odd_one_out_intervals import change_interval, odd_one_out_interval
from repalign.statistics.shared_objects import triplet_variance

rng = np.random.default_rng(0)
triplets = np.argsort(rng.random((150, 9)), axis=1)[:, :3]


def test_the_variance_sums_what_triplets_with_common_objects_share():
    deviations = rng.normal(size=9)[triplets].sum(axis=1) + rng.normal(size=150)
    deviations -= deviations.mean()
    slow = 0.0
    for number, one in enumerate(triplets):
        for other_number, other in enumerate(triplets):
            common = len(set(one) & set(other))
            # A triplet and its repetition count once, two common objects twice.
            slow += (1 if common == 3 else common) * deviations[number] * deviations[other_number]
    assert triplet_variance(deviations, triplets, 9) == pytest.approx(slow * 9 / 6 / 150**2)


def test_independent_triplets_have_the_variance_of_a_mean():
    apart = np.arange(300).reshape(100, 3)
    deviations = rng.normal(size=100)
    deviations -= deviations.mean()
    assert triplet_variance(deviations, apart, 300) == pytest.approx(deviations.var() / 100 * 300 / 297)


def test_the_interval_over_triplets_is_that_of_independent_hits():
    low, high = odd_one_out_interval(np.arange(1000) < 550, None, 10, over="triplets")
    assert (low, high) == pytest.approx((0.519, 0.581), abs=0.001)


def test_the_interval_over_objects_holds_the_accuracy_and_is_wider():
    correct = np.isin(triplets, [0, 1, 2]).any(axis=1)
    narrow, wide = (odd_one_out_interval(correct, triplets, 9, over) for over in ("triplets", "objects"))
    assert wide[0] < narrow[0] < correct.mean() < narrow[1] < wide[1]


def test_an_accuracy_of_one_is_not_certain():
    low, high = odd_one_out_interval(np.ones(150, bool), triplets, 9, "triplets")
    assert (low, high) == (pytest.approx(0.975, abs=0.001), 1)
    # Nine objects make at most three triplets without a common object.
    low, high = odd_one_out_interval(np.ones(150, bool), triplets, 9, "objects")
    assert low < 0.5
    assert high == 1


def test_the_change_of_equal_answers_is_zero_and_that_of_others_is_held():
    before, after = rng.random((2, 150)) < np.array([[0.4], [0.8]])
    assert change_interval(before, before, triplets, 9) == (0, 0)
    low, high = change_interval(before, after, triplets, 9)
    assert 0 < low < after.mean() - before.mean() < high
    assert change_interval(after, before, triplets, 9) == pytest.approx((-high, -low))


def test_unknown_units_are_refused():
    with pytest.raises(InputError, match="people"):
        odd_one_out_interval([True], [[0, 1, 2]], 3, over="people")
