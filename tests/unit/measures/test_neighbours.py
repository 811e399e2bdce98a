"""Nearest neighbours, mutual neighbours and CKA: slow references, ties and duplicates, invariances, chance."""

import itertools

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.measures.cka import ResampledCka, linear_cka
from repalign.measures.neighbours import (
    _shared_within,
    clip_outliers,
    mutual_neighbours,
    mutual_neighbours_interval,
    nearest_neighbours,
)
from repalign.statistics.subsampling import subsets
from scipy.spatial.distance import cdist

rng = np.random.default_rng(0)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
@pytest.mark.parametrize("k", [1, 5, 59])
def test_neighbours_equal_sorting_all_distances(metric, k):
    x = rng.normal(3, 1, (60, 7))
    distances = cdist(x, x, metric)
    np.fill_diagonal(distances, np.inf)
    indices, nearest = nearest_neighbours(x, k, metric)
    np.testing.assert_array_equal(indices, np.argsort(distances, axis=1, kind="stable")[:, :k])
    np.testing.assert_allclose(nearest, np.sort(distances, axis=1)[:, :k], rtol=1e-9)


def test_ties_go_to_the_lower_index_and_duplicates_are_left_out():
    x = np.array([[0.0], [1], [-1], [0], [1], [2], [-0.0]])
    indices, distances = nearest_neighbours(x, 3)
    assert indices[0].tolist() == [1, 2, 4]
    assert distances[0].tolist() == [1, 1, 1]
    assert indices[1].tolist() == [0, 3, 5]
    assert nearest_neighbours(x, 3, exclude_duplicates=False)[0][0].tolist() == [3, 6, 1]
    assert np.isinf(nearest_neighbours(np.zeros((4, 2)), 2)[1]).all()


def test_a_grid_has_exact_ties():
    grid = np.stack(np.meshgrid(*[np.arange(7.0)] * 2), axis=-1).reshape(-1, 2) * 0.1 + 1000
    distances = cdist(grid, grid)
    np.fill_diagonal(distances, np.inf)
    indices, nearest = nearest_neighbours(grid, 4)
    np.testing.assert_allclose(nearest, np.sort(distances, axis=1)[:, :4], rtol=1e-9)
    back = np.array([[np.flatnonzero(indices[j] == i) for j in indices[i]] for i in range(49)], dtype=object)
    for i in range(49):
        for position, j in enumerate(indices[i]):
            if len(back[i][position]):
                assert nearest[i, position] == nearest[j, back[i][position][0]]


def test_neighbours_survive_a_large_offset_and_blocks(monkeypatch):
    x = rng.normal(size=(90, 6))
    expected = nearest_neighbours(x, 8)[0]
    np.testing.assert_array_equal(nearest_neighbours(x + 1e6, 8)[0], expected)
    monkeypatch.setattr("repalign.measures.neighbours.BLOCK_BYTES", 90 * 8 * 7)
    monkeypatch.setattr("repalign.measures.neighbours.CACHE_BYTES", 1000)
    np.testing.assert_array_equal(nearest_neighbours(x, 8)[0], expected)


@pytest.mark.parametrize(
    ("features", "k", "metric", "message"),
    [
        (np.ones((5, 2)), 5, "euclidean", "between 1 and 4 for 5 points"),
        (np.full((5, 2), np.nan), 2, "euclidean", "finite"),
        (np.ones((5, 2)), 2, "manhattan", "manhattan"),
        (np.eye(5)[:, :3], 2, "cosine", "3, 4"),
    ],
)
def test_bad_features_are_refused(features, k, metric, message):
    with pytest.raises(InputError, match=message):
        nearest_neighbours(features, k, metric)


def test_mutual_neighbours_by_hand_and_at_chance():
    line = np.arange(6.0)[:, None]
    assert mutual_neighbours(line, 3 * line + 2, 2, "euclidean") == 1
    swapped = line[[0, 2, 1, 3, 4, 5]]
    slow = np.mean(
        [
            len(set(a) & set(b)) / 2
            for a, b in zip(*(nearest_neighbours(x, 2)[0] for x in (line, swapped)), strict=True)
        ]
    )
    assert mutual_neighbours(line, swapped, 2, "euclidean") == slow < 1
    a, b = rng.normal(size=(2, 400, 20))
    assert mutual_neighbours(a, b) == pytest.approx(10 / 399, abs=0.01)
    with pytest.raises(InputError, match="6 and 5"):
        mutual_neighbours(line, line[:5])


def slow_hsic(k, m):
    """Equation 5 of Song et al. (2012), term by term."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    one = np.ones(n)
    return (
        np.trace(k @ m)
        + (one @ k @ one) * (one @ m @ one) / (n - 1) / (n - 2)
        - 2 / (n - 2) * (one @ k @ m @ one)
    )


def test_cka_equals_its_definition():
    a, b = rng.normal(size=(30, 5)), rng.normal(size=(30, 8))
    b[:, :3] += a[:, :3]
    centre = np.eye(30) - 1 / 30
    plain = np.sum((a.T @ centre @ b) ** 2)
    plain /= np.linalg.norm(a.T @ centre @ a) * np.linalg.norm(b.T @ centre @ b)
    assert linear_cka(a, b, debiased=False) == pytest.approx(plain)
    k, m = a @ a.T, b @ b.T
    assert linear_cka(a, b) == pytest.approx(slow_hsic(k, m) / np.sqrt(slow_hsic(k, k) * slow_hsic(m, m)))


@pytest.mark.parametrize("debiased", [True, False])
def test_cka_invariances(debiased):
    a, b = rng.normal(size=(2, 40, 6))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    expected = linear_cka(a, b, debiased)
    assert linear_cka(1e-30 * a @ rotation + 1e-29, b, debiased) == pytest.approx(expected)
    assert linear_cka(b, a, debiased) == pytest.approx(expected)
    assert linear_cka(a, 5 * a - 1, debiased) == pytest.approx(1)
    order = rng.permutation(40)
    assert linear_cka(a[order], b[order], debiased) == pytest.approx(expected)
    assert np.isnan(linear_cka(np.ones((40, 2)), b, debiased))


def test_debiased_cka_of_unrelated_wide_embeddings_is_near_zero_and_the_plain_one_is_not():
    a, b = rng.normal(size=(2, 50, 500))
    assert abs(linear_cka(a, b)) < 0.15
    assert linear_cka(a, b, debiased=False) > 0.8
    with pytest.raises(InputError, match="3 and 3"):
        linear_cka(a[:3], b[:3])


def slow_distinct_cka(a, b, counts):
    """Debiased CKA of a resample: means over draws of distinct objects, tuple by tuple."""
    drawn = np.repeat(np.arange(len(a)), counts)

    def hsic(k, m):
        pairs = [k[i, j] * m[i, j] for i, j in itertools.permutations(drawn, 2) if i != j]
        triples = [k[i, j] * m[i, q] for i, j, q in itertools.permutations(drawn, 3) if len({i, j, q}) == 3]
        fours = [
            k[i, j] * m[q, r] for i, j, q, r in itertools.permutations(drawn, 4) if len({i, j, q, r}) == 4
        ]
        return np.mean(pairs) + np.mean(fours) - 2 * np.mean(triples)

    k, m = (x @ x.T for x in (a - a.mean(axis=0), b - b.mean(axis=0)))
    own = hsic(k, k), hsic(m, m)
    return hsic(k, m) / np.sqrt(own[0] * own[1]) if min(own) > 0 else np.nan


def test_resampled_cka_equals_drawing_distinct_objects(monkeypatch):
    a, b = rng.normal(size=(2, 8, 2))
    b += a
    resampled = ResampledCka(b, n_boot=6, seed=3)
    counts = np.random.default_rng(3).multinomial(8, np.full(8, 1 / 8), size=6)
    slow = [slow_distinct_cka(a, b, own) for own in counts]
    assert np.isfinite(slow).sum() >= 4
    np.testing.assert_allclose(resampled.samples(a), slow, rtol=1e-3)
    monkeypatch.setattr("repalign.measures.cka.resample_weights", lambda rng, n_boot, n: np.ones((n_boot, n)))
    assert ResampledCka(b, n_boot=2).samples(a) == pytest.approx(linear_cka(a, b), abs=1e-5)


def test_interval_of_cka_holds_the_value_and_copies_do_not_raise_it():
    a, b = rng.normal(size=(2, 80, 20))
    assert np.abs(ResampledCka(b, n_boot=100).interval(a)).max() < 0.2
    low, high = ResampledCka(b, n_boot=100).interval(a + b)
    assert low < linear_cka(a + b, b) < high
    with pytest.raises(InputError, match="80 objects"):
        ResampledCka(b).interval(a[:5])


def test_neighbours_within_a_subset_are_those_found_anew():
    a, b = rng.normal(size=(2, 60, 4))
    b += a
    lists = [nearest_neighbours(x, 35, "cosine", exclude_duplicates=False)[0] for x in (a, b)]
    for indices in subsets(60, 5):
        assert _shared_within(lists, indices, 5) == pytest.approx(
            mutual_neighbours(a[indices], b[indices], 5)
        )


def test_interval_of_mutual_neighbours():
    a, b = rng.normal(size=(2, 80, 4))
    low, high = mutual_neighbours_interval(a, a + 0.5 * b, 5)
    assert 0 < low < mutual_neighbours(a, a + 0.5 * b, 5) < high < 1
    assert mutual_neighbours_interval(a, a, 5) == (1, 1)
    assert np.isnan(mutual_neighbours_interval(a[:12], b[:12], 8)).all()


def test_clipping_outliers_follows_the_published_protocol():
    a, b = rng.normal(size=(2, 80, 4))
    b += a
    a[:, 0] *= 1 + 100 * (rng.random(80) < 0.05)
    bound = np.quantile(np.abs(a), 0.95)
    clipped = clip_outliers(a, 0.95)
    np.testing.assert_array_equal(clipped, np.clip(a, -bound, bound))
    expected = mutual_neighbours(clipped, clip_outliers(b, 0.95))
    assert mutual_neighbours(a, b, clip_quantile=0.95) == expected > mutual_neighbours(a, b)
    with pytest.raises(InputError, match=r"write 0\.95"):
        clip_outliers(a, 95)
