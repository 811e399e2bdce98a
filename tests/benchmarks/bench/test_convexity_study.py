"""Speed of the convexity study's measures beside the procedures of the field; `make benchmark` prints the tables."""

import importlib
import os
import resource
import time

import numpy as np
import psutil
import pytest
import torch
from repalign.convexity.graph import graph_convexity, neighbour_graph
from repalign.naive_transform.solve import solve_naive
from repalign.neighbours import nearest_neighbours
from repalign.odd_one_out import accuracy
from repalign.statistics import odd_one_out_interval
from scipy import sparse

pytestmark = pytest.mark.benchmark


def layer(n, d=768, n_classes=27, seed=0):
    """Points with a decaying spectrum around overlapping class centres: one connected graph, as real layers have."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    noise = rng.normal(size=(n, d)) / np.sqrt(1 + np.arange(d) / 10)
    return (0.06 * rng.normal(size=(n_classes, d))[labels] + noise).astype(np.float32), labels


def judgements(n_objects, n, seed=0):
    """Random triplets, kept pairs drawn by a softmax over similarities of a hidden embedding."""
    rng = np.random.default_rng(seed)
    triplets = rng.integers(n_objects, size=(n + n // 100, 3))
    first, second, odd = triplets.T
    triplets = triplets[(first != second) & (first != odd) & (second != odd)][:n]
    hidden = rng.normal(size=(n_objects, 20))
    i, j, k = triplets.T
    logits = np.stack([(hidden[a] * hidden[b]).sum(axis=1) for a, b in ((i, j), (i, k), (j, k))], axis=1) / 3
    pair = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    return hidden, np.take_along_axis(triplets, np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])[pair], axis=1)


def timed(function, *arguments, **options):
    start = time.perf_counter()
    result = function(*arguments, **options)
    return time.perf_counter() - start, result


def test_all_pairs_of_a_layer_against_one_path_a_pair():
    features, labels = layer(2700)
    neighbours = timed(nearest_neighbours, features, 10)[0]
    ours = min(timed(graph_convexity, features, labels)[0] for _ in range(3))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"\n2700 points, 27 classes, 768 features, all {27 * 100 * 99} ordered pairs: {ours:.2f} s, of which"
    )
    print(f"neighbours {neighbours:.2f} s; peak memory of the process {memory:.2f} GiB")
    try:
        igraph = importlib.import_module("igraph")
    except ImportError:
        pytest.skip("igraph is not installed: pip install igraph, for the published procedure beside ours")
    edges = sparse.triu(neighbour_graph(features)).tocoo()
    graph = igraph.Graph(n=2700, edges=np.column_stack([edges.row, edges.col]).tolist())
    graph.es["weight"] = edges.data.tolist()
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    for number in range(27):
        members = np.flatnonzero(labels == number)
        for _ in range(500):
            first, second = map(int, rng.choice(members, 2, replace=False))
            graph.get_shortest_paths(first, to=second, weights="weight")
    tenth = time.perf_counter() - start
    print(
        f"igraph, one path a pair: {tenth:.1f} s for 500 pairs a class, a tenth; 5000 pairs a class: {10 * tenth:.0f} s"
    )
    print(f"ratio {10 * tenth / ours:.0f}, neighbours not counted for igraph")


def test_cost_against_points(tmp_path):
    import matplotlib.pyplot as plt

    sizes = [int(n) for n in os.environ.get("REPALIGN_SIZES", "1000 2000 4000 8000").split()]
    seconds, process = [], psutil.Process()
    print("\npoints  seconds  memory (GiB)")
    for n in sizes:
        features, labels = layer(n)
        seconds.append(timed(graph_convexity, features, labels, workers=2 if n > 5000 else 1)[0])
        print(f"{n:6d} {seconds[-1]:8.2f} {process.memory_info().rss / 2**30:8.2f}")
    figure, axis = plt.subplots(figsize=(3.4, 2.6), layout="constrained")
    axis.loglog(sizes, seconds, "o-")
    axis.set_xlabel("points")
    axis.set_ylabel("seconds, all ordered pairs")
    figure.savefig(tmp_path / "convexity_cost.svg")
    print(
        f"slope {np.polyfit(np.log(sizes), np.log(seconds), 1)[0]:.2f}; figure {tmp_path / 'convexity_cost.svg'}"
    )


def test_odd_one_out_on_all_judgements():
    _, triplets = judgements(1854, 4_700_000)
    features = np.random.default_rng(1).normal(size=(1854, 768)).astype(np.float32)
    accuracy(features, triplets)
    seconds, result = timed(accuracy, features, triplets)
    print(
        f"\n4.7 million triplets, 1854 objects, 768 features: {seconds:.2f} s, accuracy {result.accuracy:.4f}"
    )
    correct = np.random.default_rng(2).random(len(triplets)) < 0.5
    print(f"1000 resamples of objects: {timed(odd_one_out_interval, correct, triplets, 1854)[0]:.1f} s")


def adam_epoch(x, triplets, regularisation, share):
    """Seconds of an epoch of the trainers in use (Adam, batches of 256, lambda ||W||_F^2), from a share of it."""
    d = x.shape[1]
    features = torch.from_numpy(x).float()
    weights = torch.nn.Parameter(1e-3 * torch.eye(d))
    bias = torch.nn.Parameter(torch.full((d,), 1e-3))
    optimiser = torch.optim.Adam([weights, bias], lr=1e-3)
    order = np.random.default_rng(0).permutation(len(triplets))[: int(share * len(triplets))]
    batches = torch.from_numpy(triplets[order].astype(np.int64)).split(256)
    start = time.perf_counter()
    for batch in batches:
        # Only the objects of the batch are transformed; the published trainers transform all of them in each step.
        z = features[batch] @ weights.T + bias
        first, second, odd = z.unbind(dim=1)
        logits = torch.stack([(first * second).sum(1), (first * odd).sum(1), (second * odd).sum(1)], dim=1)
        loss = -torch.log_softmax(logits, dim=1)[:, 0].mean() + regularisation * (weights**2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return (time.perf_counter() - start) / share


def test_naive_transform_against_mini_batches():
    torch.set_num_threads(2)
    hidden, triplets = judgements(1854, 4_200_000)
    rng = np.random.default_rng(3)
    x = (
        np.concatenate([hidden, rng.normal(size=(1854, 748))], axis=1)
        @ np.linalg.qr(rng.normal(size=(768, 768)))[0]
    )
    x = (x * np.linspace(1.5, 0.5, 768) - x.mean()) / x.std()
    seconds, solution = timed(solve_naive, x, triplets, 0.01)
    print(
        f"\n4.2 million triplets, 1854 objects, 768 features, lambda 0.01: {seconds:.1f} s, "
        f"converged {solution.converged}"
    )
    print(
        f"{solution.iterations} iterations, gradient norm {solution.gradient_norm:.2e} "
        f"({solution.relative_gradient_norm:.1e} of the start), loss {solution.loss:.6f}"
    )
    epoch = adam_epoch(x, triplets, 0.01, 0.005)
    print(f"Adam, batches of 256: {epoch:.0f} s an epoch (from 0.5% of one)")
