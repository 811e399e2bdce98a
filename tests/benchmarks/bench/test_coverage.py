"""How often nominal 95% intervals hold the truth, over simulated studies whose truth is known."""

import time
from functools import partial

import numpy as np
import pytest
from repalign.measures.cka import ResampledCka, linear_cka
from repalign.measures.clustering import agreement, agreement_interval, clusters
from repalign.measures.convexity.graph import graph_convexity
from repalign.measures.convexity.intervals import graph_convexity_samples
from repalign.measures.neighbours import mutual_neighbours, mutual_neighbours_interval
from repalign.measures.odd_one_out import correct_triplets
from repalign.measures.odd_one_out_intervals import change_interval, odd_one_out_interval
from repalign.measures.rdm import dissimilarity
from repalign.measures.rsa import compare, rsa_interval
from repalign.statistics.correlation import correlation
from repalign.statistics.intervals import share_interval
from repalign.statistics.subsampling import subsampling_interval

N_CLASSES = 6
CENTRES = 1.2 * np.random.default_rng(99).normal(size=(N_CLASSES, 6))


def two_systems(rng, n, noise):
    """Objects of six classes in two systems, the second a noisy copy of the first, and their classes."""
    labels = rng.integers(N_CLASSES, size=n)
    first = CENTRES[labels] + rng.normal(size=(n, 6))
    return first, first + noise * rng.normal(size=(n, 6)), labels


def rsa(rng, n, noise, method):
    rdms = [dissimilarity(x, "euclidean") for x in two_systems(rng, n, noise)[:2]]
    return compare(*rdms, method), rsa_interval(*rdms, method)


def cka(rng, n, noise):
    first, second, _ = two_systems(rng, n, noise)
    return linear_cka(first, second), ResampledCka(second, n_boot=300).interval(first)


def judged(rng, n, m):
    """The first system, a coarser and a noisier one, and m judgements of the first by a softmax."""
    first, noisy, _ = two_systems(rng, n, 1.5)
    drawn = rng.integers(n, size=(2 * m, 3))
    triplets = drawn[[len(set(row)) == 3 for row in drawn.tolist()]][:m]
    similarity = first @ first.T / 3
    i, j, k = triplets.T
    logits = np.stack([similarity[i, j], similarity[i, k], similarity[j, k]], axis=1)
    kept = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    order = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])
    return first, noisy, np.take_along_axis(triplets, order[kept], axis=1)


def odd_one_out(rng, n, m):
    _, noisy, triplets = judged(rng, n, m)
    correct = correct_triplets(noisy, triplets)
    return correct.mean(), odd_one_out_interval(correct, triplets, n)


def odd_one_out_change(rng, n, m):
    first, noisy, triplets = judged(rng, n, m)
    correct = [correct_triplets(x, triplets) for x in (noisy, first)]
    return correct[1].mean() - correct[0].mean(), change_interval(*correct, triplets, n)


def hits(rng, n, rate):
    drawn = rng.random(n) < rate
    return drawn.mean(), share_interval(drawn)


def clustering(rng, n, noise):
    _, x, labels = two_systems(rng, n, noise)
    found = clusters(x, N_CLASSES, 5)
    return agreement(found, labels), agreement_interval(x, found, labels)


def neighbours(rng, n, noise):
    first, second, _ = two_systems(rng, n, noise)
    return mutual_neighbours(first, second), mutual_neighbours_interval(first, second)


def convexity(rng, n, noise):
    _, x, labels = two_systems(rng, n, noise)
    members = labels[:, None] == np.arange(N_CLASSES)
    value = graph_convexity(x, members).mean
    samples, m = graph_convexity_samples(x, members)
    return value, subsampling_interval(value, samples[:, -1], n, m, bounds=(0, 1))


def layers(rng, n_families, method, trend, given_depth):
    """Two measures of 13 layers that share nothing but, where asked for, a trend over depth."""
    depth = np.linspace(0, 1, 13)
    walks = np.cumsum(rng.normal(size=(2, n_families, 13)), axis=2) / np.sqrt(13) + rng.normal(
        size=(2, n_families, 1)
    )
    x, y = (walks + trend * depth).reshape(2, -1)
    given = np.tile(depth, n_families) if given_depth else None
    found = correlation(x, y, np.repeat(np.arange(n_families), 13), method, given=given)
    return found.value, (found.low, found.high)


def cases():
    """(name, draws, simulation, truth); None is the mean over all draws, the expectation at this number of objects."""
    for method, n, noise in (
        ("spearman", 20, 3),
        ("spearman", 50, 0.5),
        ("spearman", 50, 3),
        ("pearson", 50, 1),
    ):
        name = f"RSA, {method}, {n} objects, noise {noise}"
        yield name, 1000, partial(rsa, n=n, noise=noise, method=method), None
    yield "CKA, 50 objects", 500, partial(cka, n=50, noise=1), None
    for n, m in ((20, 300), (60, 300), (60, 5000), (200, 2000)):
        yield f"odd-one-out, {n} objects, {m} triplets", 1000, partial(odd_one_out, n=n, m=m), None
    change = partial(odd_one_out_change, n=60, m=2000)
    yield "odd-one-out, change, 60 objects, 2000 triplets", 1000, change, None
    for rate in (0.01, 0.1, 0.5):
        yield f"hits, rate {rate}, 108 objects", 1000, partial(hits, n=108, rate=rate), rate
    for method, families, trend in (
        ("pearson", 5, 0),
        ("spearman", 12, 0),
        ("pearson", 5, 2),
        ("spearman", 12, 2),
    ):
        name = f"layers of {families} families, {method}" + ", trend, given depth" * (trend > 0)
        simulate = partial(layers, n_families=families, method=method, trend=trend, given_depth=trend > 0)
        yield name, 1000, simulate, 0
    for n, noise in ((60, 1), (150, 0.3)):
        yield (
            f"mutual neighbours, {n} objects, noise {noise}",
            300,
            partial(neighbours, n=n, noise=noise),
            None,
        )
    for n, noise, n_draws in ((60, 1, 200), (60, 0.3, 200)):
        yield f"clustering, {n} objects, noise {noise}", n_draws, partial(clustering, n=n, noise=noise), None
    for n, noise, n_draws in ((80, 0.5, 200), (150, 1, 100)):
        yield f"convexity, {n} objects, noise {noise}", n_draws, partial(convexity, n=n, noise=noise), None


@pytest.mark.benchmark
def test_intervals_hold_the_truth_as_often_as_they_say():
    print("\n| interval | truth | draws | coverage | width / ideal | ms |\n|---|---|---|---|---|---|")
    for name, n_draws, simulate, truth in cases():
        start = time.perf_counter()
        values, ends = zip(*(simulate(np.random.default_rng(seed)) for seed in range(n_draws)), strict=True)
        values, (low, high) = np.array(values), np.array(ends).T
        cost = 1000 * (time.perf_counter() - start) / n_draws
        truth = values.mean() if truth is None else truth
        covered = ((low <= truth) & (truth <= high)).mean()
        # The ideal width is that of the central 95% of the estimates.
        width = (high - low).mean() / np.subtract(*np.percentile(values, [97.5, 2.5]))
        print(f"| {name} | {truth:.3f} | {n_draws} | {covered:.1%} | {width:.2f} | {cost:.0f} |", flush=True)
        # Three standard errors of the simulation on top of what is promised.
        noise = 3 * np.sqrt(0.95 * 0.05 / n_draws)
        assert 0.92 - noise < covered < 0.975 + noise, name
