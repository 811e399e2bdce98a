"""Graph convexity: do shortest paths between members of a class stay in the class?"""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from repalign.measures.convexity.classes import (
    Convexity,
    PairScores,
    all_pairs,
    check_pairs,
    membership,
    sample_pairs,
    summarise,
)
from repalign.measures.neighbours import nearest_neighbours

# Working memory of the shortest-path trees of one block of sources, in bytes.
BLOCK_BYTES = 64 * 2**20


def neighbour_graph(features: NDArray, n_neighbours: int = 10, metric: str = "euclidean") -> sparse.csr_array:
    """Graph that joins each point with its nearest neighbours, in either direction.

    All points at the distance of the last neighbour count, so that ties do not depend on the order of the points.

    Parameters
    ----------
    features : (n, d) array
    n_neighbours : int
    metric : str
        See `repalign.measures.neighbours.nearest_neighbours`; exact duplicates are no neighbours of each other.

    Returns
    -------
    (n, n) symmetric scipy.sparse.csr_array of distances
    """
    n = len(features)
    length = n_neighbours + (0 < n_neighbours < n - 1)
    indices, distances = nearest_neighbours(features, length, metric)
    last = distances[:, n_neighbours - 1, None]
    while length < n - 1 and (np.isfinite(distances[:, -1]) & (distances[:, -1] == last[:, 0])).any():
        # A tie may go on beyond the end of the list.
        length = min(2 * length, n - 1)
        indices, distances = nearest_neighbours(features, length, metric)
    joined = np.isfinite(distances) & (distances <= last)
    sources = np.broadcast_to(np.arange(n)[:, None], indices.shape)[joined]
    graph = sparse.csr_array((distances[joined], (sources, indices[joined])), shape=(n, n))
    return graph.maximum(graph.T).tocsr()


def graph_convexity(
    features: NDArray,
    labels: ArrayLike,
    n_neighbours: int = 10,
    pairs: str | int = "all",
    seed: int = 0,
    *,
    metric: str = "euclidean",
    classes: Sequence | None = None,
    n_permutations: int = 0,
    keep_pairs: bool = False,
    workers: int = 1,
) -> Convexity:
    """Graph convexity of each class [1, 2].

    All points, also those in no class, form one graph. An edge joins two points if one is among the nearest
    neighbours of the other; its weight is their distance. A pair of a class scores the share of the interior vertices
    of its shortest path that are in the class: 1 for a direct edge, 0 where no path exists. Of several shortest paths
    of the same length, the first one found counts; which one that is may depend on the order of the points.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) labels or (n, n_classes) memberships
        See `repalign.measures.convexity.classes.membership`: points may be in several classes or in none.
    n_neighbours : int
    pairs : "all" or int
        All ordered pairs of each class, or this many drawn without replacement (the authors draw 5000).
    seed : int
        Of the drawn pairs and the permutations.
    metric : str
        Of neighbours and edges: `euclidean`, `cosine` or `correlation`.
    classes : sequence of str, optional
        Names of the columns of memberships, or the labels to use.
    n_permutations : int
        Permutations of the memberships over the points, for the chance level. They share the shortest paths, so they
        cost little.
    keep_pairs : bool
        Return the score of every pair, for `repalign.measures.convexity.intervals`.
    workers : int
        Processes that share the work; worth it from about 5,000 points on.

    Returns
    -------
    Convexity

    Raises
    ------
    InputError
        Labels that do not fit, no class with two points; see also `nearest_neighbours`.

    Notes
    -----
    One run of Dijkstra's algorithm per source gives the tree of its shortest paths, O(n (n k + n log n)) in all. All
    targets then walk up the trees at once.

    References
    ----------
    [1] Tetkova, Bruesch, Scheidt, Mager, Aagaard, Foldager, Alstrom & Hansen (2023), On convex decision regions in
        deep network representations, arXiv:2305.17154.
    [2] Dorszewski, Tetkova, Linhardt & Hansen (2025), Connecting concept convexity and human-machine alignment.
    """
    check_pairs(pairs)
    members, names = membership(labels, len(features), classes)
    graph = neighbour_graph(features, n_neighbours, metric)
    rng = np.random.default_rng(seed)
    labellings = [members] + [members[rng.permutation(len(members))] for _ in range(n_permutations)]
    drawn = [None if pairs == "all" else sample_pairs(labelling, int(pairs), rng) for labelling in labellings]

    sources = np.flatnonzero(np.any([labelling.any(axis=1) for labelling in labellings], axis=0))
    block = max(1, min(BLOCK_BYTES // (12 * len(members)), -(-len(sources) // workers)))
    blocks = [sources[start : start + block] for start in range(0, len(sources), block)]
    parts: Iterable
    if workers == 1:
        parts = (_score_block(graph, rows, labellings, drawn, keep_pairs) for rows in blocks)
    else:
        # Forked processes neither copy the graph nor import anything.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(workers, context, _share, (graph, labellings, drawn, keep_pairs)) as pool:
            parts = list(pool.map(_score_shared, blocks))
    totals, kept = zip(*parts, strict=True)
    sums, squares, counts = sum(totals)

    n_points = members.sum(axis=0)
    means, sems = summarise(sums, squares, counts, n_points)
    with_pairs = counts[0] > 0
    permuted = means[1:]
    return Convexity(
        classes=names,
        per_class=means[0],
        sem_per_class=sems[0],
        n_points=n_points,
        n_pairs=counts[0].astype(np.intp),
        mean=float(means[0][with_pairs].mean()),
        sem=float(np.nanmean(sems[0][with_pairs])),
        chance=float(permuted[:, with_pairs].mean()) if n_permutations else float("nan"),
        chance_sd=float(permuted[:, with_pairs].mean(axis=1).std(ddof=1))
        if n_permutations > 1
        else float("nan"),
        chance_per_class=permuted.mean(axis=0) if n_permutations else np.full(len(names), np.nan),
        pairs=PairScores(*map(np.concatenate, zip(*kept, strict=True))) if keep_pairs else None,
    )


_shared: tuple = ()


def _share(*arguments: Any) -> None:
    """Store in a worker what all blocks share."""
    global _shared
    _shared = arguments


def _score_shared(sources: NDArray) -> tuple[NDArray, list | None]:
    graph, *others = _shared
    return _score_block(graph, sources, *others)


def _score_block(
    graph: sparse.csr_array, sources: NDArray, labellings: list[NDArray], drawn: list, keep_pairs: bool
) -> tuple[NDArray, list | None]:
    """Sums, sums of squares and counts of the scores of the pairs that start in `sources`.

    Returns (3, n_labellings, n_classes), and the columns of `PairScores` of the first labelling or None.
    """
    predecessors = dijkstra(graph, directed=True, indices=sources, return_predecessors=True)[1]
    totals, kept = np.zeros((3, len(labellings), labellings[0].shape[1])), None
    for number, (members, sample) in enumerate(zip(labellings, drawn, strict=True)):
        if sample is None:
            first, second, which = all_pairs(members, sources)
        else:
            start, stop = np.searchsorted(sample[0], [sources[0], sources[-1] + 1])
            first, second, which = (column[start:stop] for column in sample)
        scores = _path_scores(predecessors, np.searchsorted(sources, first), first, second, which, members)
        for moment, values in enumerate((scores, scores**2, np.ones_like(scores))):
            totals[moment, number] = np.bincount(which, values, minlength=members.shape[1])
        if keep_pairs and number == 0:
            kept = [column.astype(np.int32) for column in (first, second, which)]
            kept.append(scores.astype(np.float32))
    return totals, kept


def _path_scores(
    predecessors: NDArray, row: NDArray, first: NDArray, second: NDArray, which: NDArray, members: NDArray
) -> NDArray[np.float64]:
    """Share of the interior vertices that are in the class, for each pair; all paths are walked back at once.

    `row` is the row of `predecessors` that belongs to the source of each pair.
    """
    n = predecessors.shape[1]
    # Flat indices into predecessors[row, vertex] and inside[which, vertex].
    predecessors, inside = predecessors.ravel(), np.ascontiguousarray(members.T).ravel()
    row, column = row * n, which * n
    vertex = predecessors[row + second]
    scores = (vertex >= 0).astype(np.float64)
    walking = np.flatnonzero((vertex >= 0) & (vertex != first))
    length, hits = np.zeros(len(first), dtype=np.int32), np.zeros(len(first), dtype=np.int32)
    while len(walking):
        current = vertex[walking]
        length[walking] += 1
        hits[walking] += inside[column[walking] + current]
        vertex[walking] = predecessors[row[walking] + current]
        walking = walking[vertex[walking] != first[walking]]
    interior = length > 0
    scores[interior] = hits[interior] / length[interior]
    return scores
