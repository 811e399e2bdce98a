import numpy as np
import pytest
from repalign.measures.odd_one_out import accuracy, noise_ceiling
from repalign.measures.rdm import dissimilarity
from repalign.measures.rsa import compare
from repalign.world.simulation import (
    LEVELS,
    plant_model,
    simulate_repeated_triplets,
    simulate_triplets,
    simulate_world,
)


@pytest.fixture(scope="module")
def world():
    return simulate_world(162, seed=1)


def test_the_world_is_nested_and_follows_the_seed(world):
    assert len(set(world.objects)) == len(world.objects) == 162
    assert list(world.objects) == sorted(world.objects)
    named = [name for name in world.category if name != "others"]
    assert len(set(named)) == 27
    assert 0.03 < 1 - len(named) / 162 < 0.2
    assert any(len(own) == 2 for own in world.categories)
    assert all(
        (own == ()) == (cat == "others") for own, cat in zip(world.categories, world.category, strict=True)
    )
    np.testing.assert_array_equal(world.latent, simulate_world(162, seed=1).latent)
    assert not np.array_equal(world.latent, simulate_world(162, seed=2).latent)


def test_planted_levels_are_what_they_say(world):
    human = dissimilarity(world.latent)
    planted = {level: compare(human, dissimilarity(plant_model(world, level, seed=5))) for level in LEVELS}
    assert planted["object"] > 0.9
    assert 0.4 < planted["category"] < 0.85
    assert abs(planted["none"]) < 0.1


def test_triplets_are_of_different_objects_and_uniform(world):
    triplets = simulate_triplets(world, 20_000, seed=0)
    assert (np.diff(np.sort(triplets, axis=1), axis=1) > 0).all()
    counts = np.bincount(triplets.ravel(), minlength=162)
    assert abs(counts / counts.mean() - 1).max() < 0.3


def test_the_simulated_ceiling_is_met_by_the_truth_and_by_repeats(world):
    responses, ceiling = simulate_repeated_triplets(world, 2000, repeats=40, seed=0)
    # The modal share of 40 answers exceeds that of infinitely many a little.
    assert ceiling <= noise_ceiling(responses).upper < ceiling + 0.02
    assert noise_ceiling(responses).lower == pytest.approx(ceiling, abs=0.01)
    truth = accuracy(world.latent, simulate_triplets(world, 50_000, seed=1), centre=False)
    assert truth.accuracy == pytest.approx(ceiling, abs=0.015)
