"""Samples of convexity over points, for intervals: of subsets for the graph, of resamples for a fixed classifier."""

import numpy as np
from numpy.typing import NDArray

from repalign.measures.convexity.classes import PairScores
from repalign.measures.convexity.graph import graph_convexity
from repalign.statistics.bootstrap import pair_sums, resample_weights
from repalign.statistics.subsampling import N_SUBSETS, SHARE, subsampling_interval, subsets

# Points in a subset: more take long, and the spread of so many is that of more, scaled.
LARGEST_SUBSET = 2000


def graph_convexity_samples(
    features: NDArray,
    members: NDArray[np.bool_],
    n_neighbours: int = 10,
    pairs: str | int = "all",
    seed: int = 0,
    *,
    metric: str = "euclidean",
    n_subsets: int = N_SUBSETS,
    workers: int = 1,
) -> tuple[NDArray[np.float64], int]:
    """Graph convexity in random subsets of the points, each with a graph of its own.

    Parameters
    ----------
    features, members, n_neighbours, pairs, metric, workers
        As in `graph_convexity`, members as a table of memberships.
    seed : int
        Embeddings of the same points get the same subsets under one seed, so that their differences are paired.
    n_subsets : int

    Returns
    -------
    samples : (n_subsets, n_classes + 1) array
        Convexity of each class, NaN where it has no pair, and the mean over classes last.
    m : int
        Points in each subset.
    """
    n = len(members)
    drawn = subsets(n, n_subsets, share=min(SHARE, LARGEST_SUBSET / n), seed=seed)
    m = drawn.shape[1]
    samples = np.full((n_subsets, members.shape[1] + 1), np.nan)
    for row, indices in zip(samples, drawn, strict=True):
        own = members[indices]
        if n_neighbours < m and (own.sum(axis=0) > 1).any():
            result = graph_convexity(
                features[indices], own, n_neighbours, pairs, seed, metric=metric, workers=workers
            )
            row[:] = *result.per_class, result.mean
    return samples, m


def subset_intervals(
    values: NDArray, samples: NDArray, n: int, m: int, confidence: float = 0.95, *, lowest: float = 0.0
) -> NDArray[np.float64]:
    """(n_columns, 2) intervals of each column of `graph_convexity_samples`, cut at `lowest` and 1."""
    return np.array(
        [
            subsampling_interval(value, column, n, m, confidence, bounds=(lowest, 1.0))
            for value, column in zip(values, samples.T, strict=True)
        ]
    )


def convexity_samples(
    pairs: PairScores, members: NDArray[np.bool_], *, n_boot: int = 1000, seed: int = 0
) -> NDArray[np.float64]:
    """Convexity of each class under a fixed classifier in bootstrap resamples of the points.

    A pair counts w_i w_j times, where w says how often each point was drawn. Two draws of the same point are no pair.

    Parameters
    ----------
    pairs : PairScores
        Ordered pairs.
    members : (n, n_classes) boolean array
    n_boot : int
    seed : int

    Returns
    -------
    (n_boot, n_classes) float array; NaN where no pair of a class was drawn.
    """
    n = len(members)
    weights = resample_weights(np.random.default_rng(seed), n_boot, n)
    samples = np.full((n_boot, members.shape[1]), np.nan)
    position = np.empty(n, dtype=np.intp)
    for number, column in enumerate(members.T):
        points = np.flatnonzero(column)
        own = pairs.which == number
        if not own.any():
            continue
        position[points] = np.arange(len(points))
        place = position[pairs.first[own]], position[pairs.second[own]]
        scores, drawn = np.zeros((2, len(points), len(points)))
        scores[place], drawn[place] = pairs.score[own], 1
        own_weights = weights[:, points]
        total, count = (pair_sums(matrix, own_weights) for matrix in (scores, drawn))
        np.divide(total, count, out=samples[:, number], where=count > 0)
    return samples


def layer_samples(samples: NDArray) -> NDArray[np.float64]:
    """(n_boot,) means over the classes of `convexity_samples` that have a value."""
    defined = np.isfinite(samples)
    return np.where(defined, samples, 0).sum(axis=1) / np.maximum(defined.sum(axis=1), 1)
