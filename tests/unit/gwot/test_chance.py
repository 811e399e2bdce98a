"""Chance of matching: what a plan reaches once its correspondence is lost."""

import numpy as np
import pytest
from repalign.gwot.chance import category_chance, object_chance
from repalign.gwot.matching import Partners, category_hits, matching_chance, matching_rate


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def clustered(rng, n=120, groups=6, noise=0.3):
    """A plan between two systems with the same groups of neighbours, every object in one category: its group."""
    group = np.arange(n) % groups
    centres = 3 * rng.standard_normal((groups, 4))
    x, y = (centres[group] + noise * rng.standard_normal((n, 4)) for _ in range(2))
    distances = ((x[:, None] - y) ** 2).sum(axis=2)
    return np.exp(-distances), np.eye(groups)[group].astype(bool)


@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("direction", ["rows", "columns"])
def test_chance_is_the_mean_rate_of_relabelled_plans(rng, k, direction):
    plan = rng.random((30, 30)) ** 4
    categories = rng.random((30, 4)) < 0.2
    counted = categories.any(axis=1)
    rates, objects = [], []
    for _ in range(3000):
        labels = rng.permutation(30)
        moved = plan[labels] if direction == "rows" else plan[:, labels]
        rates.append(category_hits(moved, categories, k, direction)[counted].mean())
        objects.append(matching_rate(moved, k, direction=direction))
    partners = Partners.from_plan(plan, k, direction)
    settings = {"relabellings": 3000}
    for chance, slow in (
        (category_chance(partners, categories, **settings), rates),
        (object_chance(partners, **settings), objects),
    ):
        assert chance.mean == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / np.sqrt(3000))
        low, high = np.percentile(slow, [2.5, 97.5])
        step = 1.01 / counted.sum()  # rates are counts, so an end may lie one further
        assert chance.low == pytest.approx(low, abs=step)
        assert chance.high == pytest.approx(high, abs=step)
    assert object_chance(partners).mean == pytest.approx(k / 30)


def test_partners_that_are_neighbours_lower_chance(rng):
    plan, categories = clustered(rng)
    chance = category_chance(Partners.from_plan(plan, 5), categories)
    # All five are of one group, so they hit or miss together: as often as one alone.
    assert chance.mean == pytest.approx(1 / 6, abs=0.03)
    assert matching_chance(120, 5, categories) > 0.55
    assert matching_rate(plan, 5, categories) > 0.95


def test_single_partners_and_partners_in_random_order_have_the_analytic_chance(rng):
    plan, categories = clustered(rng)
    for scores, k in ((plan, 1), (rng.random((120, 120)), 5)):
        chance = category_chance(Partners.from_plan(scores, k), categories)
        assert chance.mean == pytest.approx(matching_chance(120, k, categories), abs=0.03)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("direction", ["rows", "columns"])
def test_structureless_systems_lie_in_the_band_as_often_as_it_says(rng, direction, side):
    inside = []
    for seed in range(200):
        plan, categories = clustered(rng, n=60, noise=1.0)
        # Labels drawn at random make one side structureless; the other keeps its neighbours.
        labels = rng.permutation(60)
        plan = plan[labels] if side == "source" else plan[:, labels]
        partners = Partners.from_plan(plan, 5, direction)
        chance = category_chance(partners, categories, seed=seed, relabellings=200)
        rate = partners.category_hits(categories, own=True).mean()
        inside.append(chance.low <= rate <= chance.high)
    assert np.mean(inside) >= 0.91


def test_the_ends_of_a_band_lie_in_it(rng):
    # A rate of 3 in 49 and an end of 3 in 49 may differ in the last digit.
    chance = object_chance(Partners.from_plan(rng.random((49, 49)), 1))
    low, high = round(chance.low * 49), round(chance.high * 49)
    assert chance.low <= low / 49 < high / 49 <= chance.high


def test_the_same_seed_gives_the_same_band(rng):
    partners = Partners.from_plan(rng.random((20, 20)), 2)
    assert object_chance(partners, seed=3) == object_chance(partners, seed=3)
    narrow, wide = (object_chance(partners, confidence=level) for level in (0.5, 0.99))
    assert wide.low <= narrow.low <= narrow.mean <= narrow.high <= wide.high


def test_ties_are_drawn_at_random_for_the_band(rng):
    partners = Partners.from_plan(np.full((40, 40), 0.1), 3)
    drawn = partners.drawn(rng)
    assert drawn.shape == (40, 3)
    assert all(len(set(row)) == 3 for row in drawn.tolist())
    assert len(np.unique(drawn)) > 30
    chance = object_chance(partners)
    assert (chance.low, chance.high) == pytest.approx((3 / 40, 3 / 40), abs=1e-6)
