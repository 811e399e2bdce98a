"""Do the clusters of an embedding fall together with categories, or with the clusters that people form?"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from repalign.statistics import percentile_interval


def clusters(embedding, n_clusters, n_init=10, seed=0):
    """k-means clusters: (n, d) array to (n,) integers; the best of `n_init` starts."""
    x = np.asarray(embedding, dtype=np.float64)
    return KMeans(n_clusters, n_init=n_init, random_state=seed).fit_predict(x - x.mean(axis=0))


def agreement(found, expected):
    """Adjusted mutual information of two clusterings: 1 for the same one, 0 in expectation for unrelated ones."""
    return float(adjusted_mutual_info_score(expected, found))


def agreement_interval(found, expected, *, n_boot=1000, confidence=0.95, seed=0):
    """Percentile interval of `agreement` over objects; the clusterings stay as they are.

    Returns
    -------
    (low, high) : floats
    """
    rng = np.random.default_rng(seed)
    found, expected = np.asarray(found), np.asarray(expected)
    draws = rng.integers(len(found), size=(n_boot, len(found)))
    return percentile_interval(np.array([agreement(found[d], expected[d]) for d in draws]), confidence)


def chance_agreement(found, expected, n_permutations=20, seed=0):
    """Mean adjusted mutual information with permuted labels; what the adjustment leaves is near 0."""
    rng = np.random.default_rng(seed)
    return float(np.mean([agreement(found, rng.permutation(expected)) for _ in range(n_permutations)]))
