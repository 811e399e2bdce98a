"""Intervals of convexity over points: the graph is kept, the members of each class are resampled."""

import numpy as np
from numpy.typing import NDArray

from repalign.measures.convexity.classes import PairScores
from repalign.statistics.bootstrap import pair_sums, resample_weights


def convexity_samples(
    pairs: PairScores, members: NDArray[np.bool_], *, n_boot: int = 1000, seed: int = 0
) -> NDArray[np.float64]:
    """Convexity of each class in bootstrap resamples of the points.

    A pair counts w_i w_j times, where w says how often each point was drawn. Two draws of the same point are no pair.

    Parameters
    ----------
    pairs : PairScores
        Ordered pairs.
    members : (n, n_classes) boolean array
    n_boot : int
    seed : int
        Under one seed, embeddings of the same points get the same resamples, so that their differences are paired.

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
