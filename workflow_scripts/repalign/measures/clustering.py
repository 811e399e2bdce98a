"""Do the clusters of an embedding fall together with categories, or with the clusters that people form?"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from repalign.statistics.bootstrap import percentile_interval


def clusters(embedding, n_clusters, n_init=10, seed=0):
    """k-means clusters: (n, d) array to (n,) integers; the best of `n_init` starts."""
    x = np.asarray(embedding, dtype=np.float64)
    return KMeans(n_clusters, n_init=n_init, random_state=seed).fit_predict(x - x.mean(axis=0))


def agreement(found, expected):
    """Adjusted mutual information of two clusterings: 1 for the same one, 0 in expectation for unrelated ones."""
    return float(adjusted_mutual_info_score(expected, found))


def agreement_interval(found, expected, *, n_boot=1000, confidence=0.95, seed=0):
    """Percentile interval of `agreement` over objects.

    The clusterings stay as they are, and so does the mutual information expected by chance: in resamples it would
    rise with their repeated objects. So does the agreement itself, by as much as resamples lie above the estimate on
    average; that bias is taken off (Efron & Tibshirani 1993, chapter 10).

    Returns
    -------
    (low, high) : floats
    """
    table = contingency_matrix(expected, found)
    n = int(table.sum())
    by_chance = expected_mutual_information(table, n)
    # Drawing objects is drawing cells of the table.
    draws = np.random.default_rng(seed).multinomial(n, table.ravel() / n, size=n_boot)
    draws = draws.reshape(n_boot, *table.shape) / n
    resampled, estimate = _adjusted(draws, by_chance), _adjusted(table[None] / n, by_chance)[0]
    low, high = percentile_interval(resampled - (np.nanmean(resampled) - estimate), confidence)
    return min(low, 1.0), min(high, 1.0)


def _adjusted(tables, by_chance):
    """Adjusted mutual information of contingency tables (B, r, c) of shares."""
    rows, columns = _entropy(tables.sum(axis=2)), _entropy(tables.sum(axis=1))
    shared = rows + columns - _entropy(tables.reshape(len(tables), -1))
    scale = (rows + columns) / 2 - by_chance
    return (shared - by_chance) / np.where(scale > 0, scale, np.nan)


def _entropy(shares):
    """Entropy in nats over the last axis."""
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)


def chance_agreement(found, expected, n_permutations=20, seed=0):
    """Mean adjusted mutual information with permuted labels; what the adjustment leaves is near 0."""
    rng = np.random.default_rng(seed)
    return float(np.mean([agreement(found, rng.permutation(expected)) for _ in range(n_permutations)]))
