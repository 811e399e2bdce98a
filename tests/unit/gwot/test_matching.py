"""Matching rates and their chance, against brute force."""

from itertools import combinations

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.gwot.matching import (
    Partners,
    category_hits,
    category_rates,
    largest,
    matching_chance,
    matching_rate,
)
from repalign.gwot.truth import object_hits


def slow_rate(plan, k, categories=None):
    hits = []
    for i, row in enumerate(plan):
        top = sorted(range(len(row)), key=lambda j: (-row[j], j))[:k]
        if categories is None:
            hits.append(i in top)
        elif categories[i].any():
            hits.append(any((categories[i] * categories[j]).any() for j in top))
    return np.mean(hits)


@pytest.fixture
def plan(rng):
    return rng.random((40, 40)) + 0.5 * np.eye(40)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def categories(rng):
    return (rng.random((40, 5)) < 0.15).astype(int)


@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_rates_equal_brute_force_in_both_directions(plan, categories, k):
    assert matching_rate(plan, k) == slow_rate(plan, k)
    assert matching_rate(plan, k, direction="columns") == slow_rate(plan.T, k)
    assert matching_rate(plan, k, categories) == pytest.approx(slow_rate(plan, k, categories))
    assert matching_rate(plan, k, categories, "columns") == pytest.approx(slow_rate(plan.T, k, categories))
    both = (slow_rate(plan, k) + slow_rate(plan.T, k)) / 2
    assert matching_rate(plan, k, direction="both") == pytest.approx(both)


def test_largest_breaks_ties_by_position():
    plan = np.array([[1, 2, 2, 0], [0, 0, 0, 0], [3, 3, 3, 3], [0, 1, 5, 4]])
    assert largest(plan, 2).tolist() == [[1, 2], [0, 1], [0, 1], [2, 3]]


def test_constant_plan_matches_as_often_as_chance(categories):
    constant = np.full((40, 40), 0.01)
    for k in (1, 4, 40):
        assert matching_rate(constant, k) == pytest.approx(k / 40)
        assert matching_rate(constant, k, categories) == pytest.approx(matching_chance(40, k, categories))
    assert matching_rate(np.eye(10)) == 1


@pytest.mark.parametrize("k", [1, 2, 4])
def test_ties_count_by_the_probability_of_a_hit(rng, k):
    plan = rng.integers(0, 3, size=(8, 8)).astype(float)
    categories = (rng.random((8, 3)) < 0.4).astype(int)
    categories[0] = 1
    objects, shared = np.zeros(8), np.zeros(8)
    for i, row in enumerate(plan):
        weights = []
        # Every choice of k objects that takes the larger entries first is as likely as any other.
        for choice in combinations(range(8), k):
            rest = np.delete(row, choice)
            if row[list(choice)].min() >= rest.max():
                found = any((categories[i] * categories[j]).any() for j in choice)
                weights.append((i in choice, found))
        objects[i], shared[i] = np.mean(weights, axis=0)
    np.testing.assert_allclose(object_hits(plan, k), objects, rtol=1e-6)
    np.testing.assert_allclose(category_hits(plan, categories, k), shared, rtol=1e-6)
    partners = Partners.from_plan(plan, k)
    np.testing.assert_allclose(partners.object_hits().diagonal(), objects, rtol=1e-6)
    np.testing.assert_allclose(partners.category_hits(categories.astype(bool)).diagonal(), shared, rtol=1e-6)


def test_hits_of_other_labels_are_those_of_the_relabelled_plan(plan, categories, rng):
    hits = Partners.from_plan(plan, 3).category_hits(categories.astype(bool))
    objects = Partners.from_plan(plan, 3).object_hits()
    labels = rng.permutation(40)
    # Row i takes the place of object labels[i].
    moved = plan[np.argsort(labels)]
    np.testing.assert_allclose(hits[np.argsort(labels), np.arange(40)], category_hits(moved, categories, 3))
    np.testing.assert_allclose(objects[np.argsort(labels), np.arange(40)], object_hits(moved, 3))


def test_rates_follow_a_relabelling_of_the_objects(plan, categories, rng):
    order = rng.permutation(40)
    shuffled = plan[np.ix_(order, order)]
    assert matching_rate(shuffled, 3) == matching_rate(plan, 3)
    assert matching_rate(shuffled, 3, categories[order]) == pytest.approx(matching_rate(plan, 3, categories))


def test_chance_equals_enumeration_of_all_choices(rng):
    n, k = 9, 3
    categories = (rng.random((n, 4)) < 0.3).astype(int)
    rates = []
    for i in np.flatnonzero(categories.any(axis=1)):
        choices = list(combinations(range(n), k))
        rates.append(np.mean([any((categories[i] * categories[j]).any() for j in c) for c in choices]))
    assert matching_chance(n, k, categories) == pytest.approx(np.mean(rates), rel=1e-12)
    assert matching_chance(n, k) == k / n
    assert matching_chance(n, n, categories) == 1


def test_chance_equals_the_mean_rate_of_random_plans(rng, categories):
    rates = [matching_rate(rng.random((40, 40)), 2, categories) for _ in range(400)]
    error = np.std(rates) / np.sqrt(len(rates))
    assert matching_chance(40, 2, categories) == pytest.approx(np.mean(rates), abs=4 * error)


def test_rates_by_object_and_by_category_add_up(plan, categories):
    objects, shared = category_rates(plan, categories, 3)
    for j, column in enumerate(categories.T.astype(bool)):
        assert objects[j] == pytest.approx(object_hits(plan, 3)[column].mean())
        assert shared[j] == pytest.approx(category_hits(plan, categories, 3)[column].mean())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 4)),), "same objects"),
        ((np.eye(3), 0), "between 1 and 3"),
        ((np.eye(3), 1, np.zeros((3, 2))), "No object is in any category"),
        ((np.eye(3), 1, np.ones((2, 2))), "one row for each of 3"),
        ((np.eye(3), 1, None, "diagonal"), "choose rows, columns or both"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        matching_rate(*arguments)
