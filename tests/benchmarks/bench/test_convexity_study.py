"""Speed of the convexity study's measures beside the procedures of the field; `make benchmark` prints the tables."""

import importlib
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from repalign.figures.style import styled
from repalign.measures.convexity.graph import graph_convexity, neighbour_graph
from repalign.measures.neighbours import nearest_neighbours
from repalign.measures.odd_one_out import accuracy
from repalign.measures.odd_one_out_intervals import odd_one_out_interval
from repalign.naive_transform.solve import solve_naive
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


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processors (on a shared machine only these can be compared)."""

    wall: float
    cpu: float

    def __str__(self):
        return f"{self.wall:.2f} s ({self.cpu:.2f} CPU s)"


def cpu_seconds():
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_memory():
    """GiB of this process, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def timed(function, *arguments, **options):
    start, cpu = time.perf_counter(), cpu_seconds()
    result = function(*arguments, **options)
    return Cost(time.perf_counter() - start, cpu_seconds() - cpu), result


def test_all_pairs_of_a_layer_against_one_path_a_pair():
    features, labels = layer(2700)
    neighbours = timed(nearest_neighbours, features, 10)[0]
    before = peak_memory()
    ours = min((timed(graph_convexity, features, labels)[0] for _ in range(3)), key=lambda cost: cost.wall)
    print(f"\n2700 points, 27 classes, 768 features, all {27 * 100 * 99} ordered pairs: {ours}, of which")
    print(
        f"neighbours {neighbours}; peak memory of the process {peak_memory():.2f} GiB ({before:.2f} before)"
    )
    try:
        igraph = importlib.import_module("igraph")
    except ImportError:
        pytest.skip("igraph is not installed: pip install igraph, for the published procedure beside ours")
    edges = sparse.triu(neighbour_graph(features)).tocoo()
    graph = igraph.Graph(n=2700, edges=np.column_stack([edges.row, edges.col]).tolist())
    graph.es["weight"] = edges.data.tolist()
    rng = np.random.default_rng(0)

    def tenth():
        for number in range(27):
            members = np.flatnonzero(labels == number)
            for _ in range(500):
                first, second = map(int, rng.choice(members, 2, replace=False))
                graph.get_shortest_paths(first, to=second, weights="weight")

    peer = timed(tenth)[0]
    print(f"igraph, one path a pair, 500 pairs a class (a tenth): {peer}; 5000 pairs: {10 * peer.wall:.0f} s")
    print(f"ratio of CPU seconds {10 * peer.cpu / ours.cpu:.0f}, neighbours not counted for igraph")


def test_cost_against_points():
    sizes = [int(n) for n in os.environ.get("REPALIGN_SIZES", "1000 2000 4000 8000").split()]
    workers, folder = int(os.environ.get("REPALIGN_WORKERS", "1")), os.environ.get("REPALIGN_FIGURES")
    rows = []
    print(
        f"\n{'points':>6} {'s':>8} {'CPU s':>8} {'GiB':>6}   all ordered pairs of 27 classes, {workers} workers"
    )
    for n in sizes:
        features, labels = layer(n)
        cost = timed(graph_convexity, features, labels, workers=workers)[0]
        rows.append({"points": n, "seconds": cost.wall, "cpu_seconds": cost.cpu, "peak_gib": peak_memory()})
        print(f"{n:6d} {cost.wall:8.2f} {cost.cpu:8.2f} {rows[-1]['peak_gib']:6.2f}", flush=True)
        if folder:
            add_to_figure(Path(folder, "convexity_cost.tsv"), rows[-1:])
    if len(sizes) > 1:
        slope = np.polyfit(np.log(sizes), np.log([row["cpu_seconds"] for row in rows]), 1)[0]
        print(f"slope {slope:.2f}")


def add_to_figure(path, rows):
    """Draw the sizes measured so far, in this run and in others."""
    table = pd.DataFrame(rows)
    if path.exists():
        table = pd.concat([pd.read_csv(path, sep="\t"), table]).drop_duplicates("points", keep="last")
    table = table.sort_values("points")
    table.to_csv(path, sep="\t", index=False)
    plot_cost(table, path.with_suffix(".png"))


def plot_cost(table, path):
    """Time (log-log) and memory against the number of points."""
    with styled({"font_size": 8}):
        figure, axes = plt.subplots(1, 2, figsize=(150 / 25.4, 62 / 25.4), layout="constrained")
        look = {"color": "#222222", "ms": 3}
        axes[0].loglog(table["points"], table["cpu_seconds"], "o-", **look)
        axes[1].semilogx(table["points"], table["peak_gib"], "o-", **look)
        last = table.iloc[-1]
        guide = last["cpu_seconds"] * (table["points"] / last["points"]) ** 2
        axes[0].loglog(table["points"], guide, "--", color="#999999", lw=0.8, label="slope 2")
        axes[0].legend()
        axes[0].set(xlabel="points", ylabel="CPU seconds")
        axes[1].set(xlabel="points", ylabel="peak memory (GiB)", ylim=(0, None))
        figure.savefig(path, dpi=200)


def test_odd_one_out_on_all_judgements():
    _, triplets = judgements(1854, 4_700_000)
    features = np.random.default_rng(1).normal(size=(1854, 768)).astype(np.float32)
    accuracy(features, triplets)
    cost, result = min(
        (timed(accuracy, features, triplets) for _ in range(3)), key=lambda found: found[0].wall
    )
    print(f"\n4.7 million triplets, 1854 objects, 768 features: {cost}, accuracy {result.accuracy:.4f}")
    correct = np.random.default_rng(2).random(len(triplets)) < 0.5
    print(f"interval over objects: {timed(odd_one_out_interval, correct, triplets, 1854)[0]}")


def adam_epoch(x, triplets, regularisation, share):
    """Cost of an epoch of the trainers in use (Adam, batches of 256, lambda ||W||_F^2), from a share of it."""
    d = x.shape[1]
    features = torch.from_numpy(x).float()
    weights = torch.nn.Parameter(1e-3 * torch.eye(d))
    bias = torch.nn.Parameter(torch.full((d,), 1e-3))
    optimiser = torch.optim.Adam([weights, bias], lr=1e-3)
    order = np.random.default_rng(0).permutation(len(triplets))[: int(share * len(triplets))]
    batches = torch.from_numpy(triplets[order].astype(np.int64)).split(256)
    start, cpu = time.perf_counter(), cpu_seconds()
    for batch in batches:
        # Only the objects of the batch are transformed; the published trainers transform all of them in each step.
        z = features[batch] @ weights.T + bias
        first, second, odd = z.unbind(dim=1)
        logits = torch.stack([(first * second).sum(1), (first * odd).sum(1), (second * odd).sum(1)], dim=1)
        loss = -torch.log_softmax(logits, dim=1)[:, 0].mean() + regularisation * (weights**2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return Cost((time.perf_counter() - start) / share, (cpu_seconds() - cpu) / share)


def test_naive_transform_against_mini_batches():
    torch.set_num_threads(2)
    hidden, triplets = judgements(1854, 4_200_000)
    rng = np.random.default_rng(3)
    x = (
        np.concatenate([hidden, rng.normal(size=(1854, 748))], axis=1)
        @ np.linalg.qr(rng.normal(size=(768, 768)))[0]
    )
    x = (x * np.linspace(1.5, 0.5, 768) - x.mean()) / x.std()
    cost, solution = timed(solve_naive, x, triplets, 0.01)
    print(
        f"\n4.2 million triplets, 1854 objects, 768 features, lambda 0.01: {cost}, "
        f"converged {solution.converged}"
    )
    print(
        f"{solution.iterations} iterations, gradient norm {solution.gradient_norm:.2e} "
        f"({solution.relative_gradient_norm:.1e} of the start), loss {solution.loss:.6f}"
    )
    epoch = adam_epoch(x, triplets, 0.01, 0.005)
    print(f"Adam, batches of 256: {epoch} an epoch (from 0.5% of one)")
