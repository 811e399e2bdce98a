"""Intervals of graph convexity over objects: the graph stays, the members of every class are drawn anew."""

import numpy as np

from repalign.statistics.bootstrap import resample_weights


def convexity_samples(pairs, members, *, n_boot=1000, seed=0):
    """Convexity of each class in resamples of the points.

    A pair counts w_i w_j times, where w says how often each point was drawn. A point and its own copy are no pair.

    Parameters
    ----------
    pairs : repalign.measures.convexity.graph.PairScores
    members : (n, n_classes) boolean array
    n_boot : int
    seed : int
        Spaces of the same points get the same resamples under the same seed, so their differences are paired.

    Returns
    -------
    (n_boot, n_classes) float array; NaN where no pair of a class was drawn. The mean over classes (NaN left out) is
    the resampled mean.
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
        totals = [np.einsum("bi,bi->b", own_weights @ matrix, own_weights) for matrix in (scores, drawn)]
        np.divide(totals[0], totals[1], out=samples[:, number], where=totals[1] > 0)
    return samples


def layer_samples(samples):
    """(n_boot,) means over the classes of `convexity_samples`."""
    defined = np.isfinite(samples)
    return np.where(defined, samples, 0).sum(axis=1) / np.maximum(defined.sum(axis=1), 1)
