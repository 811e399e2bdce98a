"""Bootstrap intervals of the odd-one-out accuracy, over objects or over triplets."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.odd_one_out import check_triplets
from repalign.statistics.bootstrap import Seed, percentile_interval, resample_weights, triplet_sums

# Embeddings handled at once: their answers to a triplet have at most 2^8 patterns.
EMBEDDINGS_AT_ONCE = 8


def odd_one_out_interval(
    correct: ArrayLike,
    triplets: ArrayLike,
    n_objects: int,
    over: str = "objects",
    *,
    n_boot: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the odd-one-out accuracy, over objects or over triplets.

    Over objects, a triplet counts w_i w_j w_k times, where w says how often each object was drawn. This interval is
    about other objects, and is the wider one; that over triplets is about other judgements of the same objects.

    Parameters
    ----------
    correct : (n,) boolean array
        From `repalign.measures.odd_one_out.correct_triplets`.
    triplets : (n, 3) integer array
    n_objects : int
        Number of objects of the embedding, with those that no triplet names.
    over : str
        `objects` or `triplets`.
    n_boot, confidence, seed
        As in `mean_interval`.

    Returns
    -------
    (low, high) : floats in [0, 1]
    """
    correct = np.asarray(correct, dtype=bool)
    rng = np.random.default_rng(seed)
    if over == "triplets":
        # The number of hits among n draws is binomial: no need to draw them one by one.
        return percentile_interval(
            rng.binomial(len(correct), correct.mean(), size=n_boot) / len(correct), confidence
        )
    if over != "objects":
        raise InputError(f"An interval over '{over}' does not exist; choose objects or triplets.")
    samples = odd_one_out_samples([correct], triplets, n_objects, n_boot=n_boot, seed=rng)
    return percentile_interval(samples[0], confidence)


def odd_one_out_samples(
    correct: ArrayLike, triplets: ArrayLike, n_objects: int, *, n_boot: int = 1000, seed: Seed = 0
) -> NDArray[np.float64]:
    """Accuracies of several embeddings in the same resamples of objects, so that differences are paired.

    Parameters
    ----------
    correct : (k, n) boolean array
        One row per embedding, from `repalign.measures.odd_one_out.correct_triplets`.
    triplets, n_objects, n_boot, seed
        As in `odd_one_out_interval`.

    Returns
    -------
    (k, n_boot) float array; NaN where a resample holds no triplet
    """
    correct, triplets = np.asarray(correct, dtype=bool), check_triplets(triplets, n_objects)
    rng = np.random.default_rng(seed)
    # The layout that `triplet_sums` works in.
    weights = np.ascontiguousarray(resample_weights(rng, n_boot, n_objects).T, dtype=np.float32).T
    hits, total = np.zeros((len(correct), n_boot)), np.zeros(n_boot)
    for start in range(0, len(correct), EMBEDDINGS_AT_ONCE):
        rows = slice(start, start + EMBEDDINGS_AT_ONCE)
        # Triplets that the same embeddings get right are summed together, so that each is summed once.
        patterns, pattern = np.unique(correct[rows][::-1], axis=1, return_inverse=True)
        for number, right in enumerate(patterns[::-1].T):
            weight = triplet_sums(triplets[pattern.ravel() == number], weights)
            hits[rows][right] += weight
            if start == 0:
                total += weight
    return np.where(total > 0, hits / np.where(total > 0, total, 1), np.nan)
