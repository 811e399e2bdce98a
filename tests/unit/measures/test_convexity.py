"""Graph and Euclidean convexity: a slow reference on networkx, edge cases by hand, chance, real data."""

import itertools

import networkx
import numpy as np
import pandas as pd
import pytest
from repalign.errors import InputError
from repalign.measures.convexity.classes import membership, sample_pairs
from repalign.measures.convexity.euclidean import euclidean_convexity, linear_classifier
from repalign.measures.convexity.graph import graph_convexity, neighbour_graph
from repalign.measures.convexity.intervals import (
    convexity_samples,
    graph_convexity_samples,
    layer_samples,
    subset_intervals,
)
from repalign.measures.neighbours import nearest_neighbours
from repalign.statistics.subsampling import subsets
from scipy.spatial.distance import cdist


def slow_graph(x, k, metric="euclidean"):
    distances = cdist(x, x, metric)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(x)))
    for i, row in enumerate(distances):
        others = [j for j in np.argsort(row, kind="stable") if not np.array_equal(x[i], x[j])]
        nearest = [j for j in others if row[j] <= row[others[k - 1]]]
        graph.add_weighted_edges_from((i, int(j), row[j]) for j in nearest)
    return graph


def slow_scores(graph, members):
    """Scores of all ordered pairs of each class, pair by pair."""
    for column in members.T:
        inside, scores = set(np.flatnonzero(column).tolist()), []
        for source, target in itertools.permutations(inside, 2):
            try:
                path = networkx.dijkstra_path(graph, source, target)
            except networkx.NetworkXNoPath:
                scores.append(0)
                continue
            interior = path[1:-1]
            scores.append(np.mean([vertex in inside for vertex in interior]) if interior else 1)
        yield scores


def random_case(seed):
    """Points with duplicates, far islands, and classes that overlap, are missing or have one point."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(70, 3))
    x[60:] += 50
    members = rng.random((70, 6)) < 0.2
    members[:, 4] = False
    members[3, 4] = True
    members[30:40] = False
    # Copies share their classes, so it does not matter which of them a shortest path visits.
    for copies in ([0, 5, 6], [1, 7], [20, 21, 22, 23]):
        x[copies], members[copies] = x[copies[0]], members[copies[0]]
    return x, members


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 3, 8])
def test_equals_the_slow_reference(seed, k):
    x, members = random_case(seed)
    result = graph_convexity(x, members, k)
    scores = list(slow_scores(slow_graph(x, k), members))
    expected = [np.mean(s) if s else np.nan for s in scores]
    np.testing.assert_allclose(result.per_class, expected, atol=1e-12)
    sem = [
        np.std(s, ddof=1) / np.sqrt(m) if s else np.nan
        for s, m in zip(scores, members.sum(axis=0), strict=True)
    ]
    np.testing.assert_allclose(result.sem_per_class, sem, atol=1e-12)
    assert result.mean == pytest.approx(np.nanmean(expected))
    assert result.sem == pytest.approx(np.nanmean(sem))
    assert result.n_pairs.tolist() == [len(s) for s in scores]
    assert result.n_points[4] == 1
    assert np.isnan(result.per_class[4])


def test_where_shortest_paths_tie_the_score_is_that_of_one_of_them():
    rng = np.random.default_rng(0)
    # On a grid with edges of length 1 almost every pair has many shortest paths.
    x = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    members = rng.random((36, 2)) < 0.4
    graph = slow_graph(x, 2)
    lowest, highest, n_ties = [], [], 0
    for column in members.T:
        bounds = []
        for source, target in itertools.permutations(np.flatnonzero(column).tolist(), 2):
            paths = list(networkx.all_shortest_paths(graph, source, target, "weight"))
            scores = [np.mean(column[path[1:-1]]) if len(path) > 2 else 1 for path in paths]
            bounds.append((min(scores), max(scores)))
            n_ties += len(paths) > 1
        lowest.append(np.mean([low for low, _ in bounds]))
        highest.append(np.mean([high for _, high in bounds]))
    assert n_ties > 50
    scores = graph_convexity(x, members, 2).per_class
    assert (lowest <= scores).all()
    assert (scores <= highest).all()


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_other_metrics_equal_the_slow_reference(metric):
    rng = np.random.default_rng(0)
    x, members = rng.normal(1, 1, (60, 8)), rng.random((60, 3)) < 0.3
    expected = [np.mean(s) for s in slow_scores(slow_graph(x, 4, metric), members)]
    np.testing.assert_allclose(graph_convexity(x, members, 4, metric=metric).per_class, expected, atol=1e-12)


def test_by_hand_on_a_line():
    # A chain 0 - 1 - ... - 6: the path from 0 to 4 has interior 1, 2, 3.
    x = np.array([0, 1, 2.1, 3.3, 4.6, 6.0, 7.5])[:, None]
    labels = np.array([0, 0, 1, 1, 0, -1, -1])
    result = graph_convexity(x, labels, 1)
    assert result.classes == ("0", "1")
    # Class 0: 0-1 direct (1), 0-4 passes 1, 2, 3 (1/3), 1-4 passes 2, 3 (0); class 1: 2-3 direct.
    np.testing.assert_allclose(result.per_class, [(1 + 1 / 3 + 0) / 3, 1])
    assert graph_convexity(x, labels, 6).per_class.tolist() == [1, 1]


def test_islands_score_zero_and_only_for_the_pairs_between_them():
    x = np.concatenate([np.arange(4.0), 100 + np.arange(4.0)])[:, None]
    labels = np.array(list("aabbaabb"))
    result = graph_convexity(x, labels, 2)
    # Four of the six unordered pairs of each class lie on different islands.
    np.testing.assert_allclose(result.per_class, [2 / 6, 2 / 6])
    assert graph_convexity(x, ["a"] * 4 + ["b"] * 4, 2).mean == 1


def test_invariances():
    x, members = random_case(5)
    expected = graph_convexity(x, members, 4)
    rng = np.random.default_rng(1)
    order = rng.permutation(70)
    # Exact duplicates tie as neighbours, so leave them out where the order of points changes.
    y = x + 1e-6 * rng.normal(size=x.shape)
    reference = graph_convexity(y, members, 4).per_class
    np.testing.assert_allclose(graph_convexity(y[order], members[order], 4).per_class, reference)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(graph_convexity(y @ rotation * 3 + 5, members, 4).per_class, reference)
    columns = [3, 0, 5, 1, 4, 2]
    np.testing.assert_array_equal(
        graph_convexity(x, members[:, columns], 4).per_class, expected.per_class[columns]
    )


def test_labels_and_memberships_agree():
    x = np.random.default_rng(0).normal(size=(50, 4))
    labels = np.random.default_rng(1).integers(-1, 4, 50)
    named = np.where(labels < 0, "", np.char.add("class", labels.astype(str)))
    members = labels[:, None] == np.arange(4)
    results = [graph_convexity(x, y, 5) for y in (labels, named, members)]
    assert results[1].classes == ("class0", "class1", "class2", "class3")
    for result in results[1:]:
        np.testing.assert_array_equal(result.per_class, results[0].per_class)
    some = graph_convexity(x, labels, 5, classes=[2, 0])
    np.testing.assert_array_equal(some.per_class, results[0].per_class[[2, 0]])


def test_workers_and_blocks_change_nothing(monkeypatch):
    x, members = random_case(2)
    expected = graph_convexity(x, members, 5, n_permutations=3)
    monkeypatch.setattr("repalign.measures.convexity.graph.BLOCK_BYTES", 12 * 70 * 9)
    for result in (graph_convexity(x, members, 5, n_permutations=3, workers=w) for w in (1, 2)):
        np.testing.assert_allclose(result.per_class, expected.per_class, rtol=1e-12)
        assert result.chance == pytest.approx(expected.chance)


def test_sampled_pairs_estimate_all_pairs_without_replacement():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(300, 5)), rng.integers(3, size=300)
    exact = graph_convexity(x, labels)
    sampled = graph_convexity(x, labels, pairs=2000, seed=1)
    assert sampled.n_pairs.tolist() == [2000] * 3
    np.testing.assert_allclose(sampled.per_class, exact.per_class, atol=0.03)
    assert np.any(sampled.per_class != exact.per_class)
    np.testing.assert_array_equal(sampled.per_class, graph_convexity(x, labels, pairs=2000, seed=1).per_class)
    every = graph_convexity(x, labels, pairs=10**6)
    np.testing.assert_allclose(every.per_class, exact.per_class)
    members, _ = membership(labels, 300)
    for ordered in (True, False):
        first, second, which = sample_pairs(members, 10**6, rng, ordered)
        pairs = set(zip(first.tolist(), second.tolist(), which.tolist(), strict=True))
        sizes = np.bincount(labels)
        assert len(pairs) == len(first) == (sizes * (sizes - 1)).sum() / (1 if ordered else 2)
        assert (first != second).all()
        assert (labels[first] == labels[second]).all()


def test_permuted_labels_give_the_baseline_and_structure_lies_above_it():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 40)
    centres = rng.normal(size=(6, 10))
    structured = graph_convexity(2 * centres[labels] + rng.normal(size=(240, 10)), labels, n_permutations=20)
    assert structured.mean > structured.chance + 0.3
    noise = graph_convexity(rng.normal(size=(240, 10)), labels, n_permutations=20)
    assert noise.mean == pytest.approx(noise.chance, abs=5 * noise.chance_sd + 0.01)
    # A permutation keeps how many points are in which classes: chance is like scores of shuffled labels.
    shuffled = [graph_convexity(rng.normal(size=(240, 10)), rng.permutation(labels)).mean for _ in range(5)]
    assert noise.chance == pytest.approx(np.mean(shuffled), abs=0.02)
    assert np.isnan(graph_convexity(rng.normal(size=(30, 3)), np.arange(30) % 2).chance)


@pytest.mark.parametrize("pairs", ["all", 60])
def test_samples_are_means_over_the_pairs_of_the_drawn_points(pairs):
    x, members = random_case(3)
    result = graph_convexity(x, members, 4, pairs, keep_pairs=True)
    found = result.pairs
    for number, mean in enumerate(result.per_class):
        own = found.score[found.which == number]
        assert (own.mean() if len(own) else np.nan) == pytest.approx(mean, abs=1e-6, nan_ok=True)
    samples = convexity_samples(found, members, n_boot=20, seed=5)
    counts = np.random.default_rng(5).multinomial(70, np.full(70, 1 / 70), size=20)
    for drawn, sample in zip(counts, samples, strict=True):
        copies = drawn[found.first] * drawn[found.second]
        for number, value in enumerate(sample):
            own = found.which == number
            scores = np.repeat(found.score[own], copies[own])
            assert value == pytest.approx(scores.mean() if len(scores) else np.nan, abs=1e-6, nan_ok=True)
    np.testing.assert_allclose(layer_samples(samples), np.nanmean(samples, axis=1))
    assert graph_convexity(x, members, 4, pairs).pairs is None


def test_samples_of_subsets_have_graphs_of_their_own():
    x, members = random_case(3)
    samples, m = graph_convexity_samples(x, members, 4, n_subsets=3, seed=5)
    for row, indices in zip(samples, subsets(70, 3, seed=5), strict=True):
        assert len(indices) == m == 42
        slow = graph_convexity(x[indices], members[indices], 4)
        np.testing.assert_array_equal(row, [*slow.per_class, slow.mean])
    values = [*graph_convexity(x, members, 4).per_class, graph_convexity(x, members, 4).mean]
    ends = subset_intervals(np.array(values), samples, 70, m)
    assert ((ends[:, 0] <= values) & (values <= ends[:, 1]))[np.isfinite(ends[:, 0])].all()
    # Too few points in the subsets for the neighbours: no interval.
    assert np.isnan(graph_convexity_samples(x[:10], members[:10], 8, n_subsets=3)[0]).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_tied_neighbours_do_not_depend_on_the_order_of_points(metric):
    # On a grid many points are equally far.
    x = np.stack(np.meshgrid(*3 * [np.arange(1, 5)]), axis=-1).reshape(-1, 3).astype(float)
    order = np.random.default_rng(0).permutation(len(x))
    graph, again = (neighbour_graph(points, 5, metric).toarray() for points in (x, x[order]))
    np.testing.assert_array_equal(again > 0, (graph > 0)[np.ix_(order, order)])
    indices, distances = nearest_neighbours(x, len(x) - 1, metric)
    for point in range(len(x)):
        own = indices[point][distances[point] <= distances[point, 4]]
        assert (graph[point, own] > 0).all()


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (np.zeros(4), {}, "There are 6 points, but the labels have shape"),
        (np.arange(6), {}, "No class has two points"),
        (np.full((6, 2), 0.5), {}, "0 or 1"),
        (np.ones((6, 2)), {"classes": ["a"]}, "1 class names"),
        (np.zeros(6), {"pairs": 0}, "positive whole number"),
        (np.zeros(6), {"pairs": "some"}, "positive whole number"),
        (np.zeros(6), {"n_neighbours": 6}, "between 1 and 5 for 6 points, but is 6"),
    ],
)
def test_bad_requests_are_refused(labels, options, message):
    with pytest.raises(InputError, match=message):
        graph_convexity(
            np.random.default_rng(0).normal(size=(6, 2)), labels, **{"n_neighbours": 2, **options}
        )


def slow_euclidean(x, members, predict, n_steps):
    for number, column in enumerate(members.T):
        scores = []
        for a, b in itertools.combinations(np.flatnonzero(column), 2):
            points = [x[a] + (x[b] - x[a]) * s / (n_steps + 1) for s in range(1, n_steps + 1)]
            scores.append(np.mean([predict(point[None])[0] == number for point in points]))
        yield scores


def test_euclidean_convexity_equals_the_slow_reference():
    rng = np.random.default_rng(0)
    x, members = rng.normal(size=(40, 3)), rng.random((40, 3)) < 0.4
    centres = rng.normal(size=(4, 3))

    def predict(points):
        return cdist(points, centres).argmin(axis=1)

    result = euclidean_convexity(x, members, predict, "all", n_steps=7, batch=50)
    scores = list(slow_euclidean(x, members, predict, 7))
    np.testing.assert_allclose(result.per_class, [np.mean(s) for s in scores])
    np.testing.assert_allclose(
        result.sem_per_class,
        [np.std(s, ddof=1) / np.sqrt(m) for s, m in zip(scores, members.sum(axis=0), strict=True)],
    )
    assert result.n_pairs.tolist() == [len(s) for s in scores]


def test_regions_of_a_linear_head_are_convex_for_the_points_it_gets_right():
    rng = np.random.default_rng(0)
    predict = linear_classifier(rng.normal(size=(5, 8)), rng.normal(size=5))
    x = rng.normal(size=(200, 8))
    right = euclidean_convexity(x, predict(x), predict, pairs=300)
    assert right.mean == 1
    assert euclidean_convexity(x, rng.permutation(predict(x)), predict, pairs=300).mean < 0.6
    with pytest.raises(InputError, match="one class per point"):
        euclidean_convexity(x, predict(x), lambda points: points)


@pytest.mark.things
@pytest.mark.parametrize("name", ["spose66", "clip_vit_b32"])
def test_reference_values_on_things(things, name):
    table = pd.read_csv(things.reference / "convexity_reference.tsv", sep="\t").query("features == @name")
    expected = table.set_index("class")["graph_convexity_percent"]
    categories = things.exclusive_categories()
    points = categories.to_numpy().any(axis=1)
    assert points.sum() == 1295
    result = graph_convexity(
        things.embedding(name)[points], categories.to_numpy()[points], classes=categories.columns
    )
    np.testing.assert_allclose(100 * result.per_class, expected[list(result.classes)], rtol=0, atol=1e-4)
    assert 100 * result.mean == pytest.approx(expected["MEAN"], abs=1e-4)
