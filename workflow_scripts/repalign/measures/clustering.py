"""Do the clusters of an embedding agree with categories, or with the clusters of a human embedding?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from repalign.statistics.intervals import NO_INTERVAL
from repalign.statistics.subsampling import N_SUBSETS, subsampling_interval, subsets


def clusters(embedding: ArrayLike, n_clusters: int, n_init: int = 10, seed: int = 0) -> NDArray[np.int32]:
    """k-means clusters: (n, d) array to (n,) integers; the best of `n_init` starts."""
    x = np.asarray(embedding, dtype=np.float64)
    return KMeans(n_clusters, n_init=n_init, random_state=seed).fit_predict(x - x.mean(axis=0))


def agreement(found: ArrayLike, expected: ArrayLike) -> float:
    """Adjusted mutual information of two clusterings: 1 for the same one, 0 in expectation for unrelated ones."""
    return float(adjusted_mutual_info_score(expected, found))


def agreement_interval(
    embedding: NDArray,
    found: ArrayLike,
    expected: ArrayLike,
    *,
    n_subsets: int = N_SUBSETS,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval over objects of the agreement of k-means clusters, which are found anew in every subset.

    Parameters
    ----------
    embedding : (n, d) array
    found : (n,) integer array
        `clusters` of the embedding.
    expected : (n,) array
        Labels, which are kept.
    n_subsets, confidence, seed
        See `repalign.statistics.subsampling`.

    Returns
    -------
    (low, high) : floats of at most 1; NaN where the subsets have fewer objects than clusters
    """
    x, labels, number = np.asarray(embedding, dtype=np.float64), np.asarray(expected), np.asarray(found)
    x = x - x.mean(axis=0)
    # From these centres, so that subsets differ by their objects and not by which minimum k-means ends in.
    centres = np.stack([x[number == own].mean(axis=0) for own in range(number.max() + 1)])
    drawn = subsets(len(x), n_subsets, seed=seed)
    m = drawn.shape[1]
    if len(centres) > m:
        return NO_INTERVAL
    k_means = KMeans(len(centres), init=centres, n_init=1)
    samples = [agreement(k_means.fit_predict(x[indices]), labels[indices]) for indices in drawn]
    return subsampling_interval(
        agreement(found, labels), np.array(samples), len(x), m, confidence, bounds=(-1, 1)
    )


def chance_agreement(found: ArrayLike, expected: ArrayLike, n_permutations: int = 20, seed: int = 0) -> float:
    """Mean adjusted mutual information with permuted labels: close to 0 by its adjustment."""
    rng = np.random.default_rng(seed)
    return float(np.mean([agreement(found, rng.permutation(expected)) for _ in range(n_permutations)]))
