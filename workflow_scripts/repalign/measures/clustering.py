"""Do the clusters of an embedding agree with categories, or with the clusters of a human embedding?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from repalign.statistics.bootstrap import percentile_interval, resampled_tables


def clusters(embedding: ArrayLike, n_clusters: int, n_init: int = 10, seed: int = 0) -> NDArray[np.int32]:
    """k-means clusters: (n, d) array to (n,) integers; the best of `n_init` starts."""
    x = np.asarray(embedding, dtype=np.float64)
    return KMeans(n_clusters, n_init=n_init, random_state=seed).fit_predict(x - x.mean(axis=0))


def agreement(found: ArrayLike, expected: ArrayLike) -> float:
    """Adjusted mutual information of two clusterings: 1 for the same one, 0 in expectation for unrelated ones."""
    return float(adjusted_mutual_info_score(expected, found))


def agreement_interval(
    found: ArrayLike, expected: ArrayLike, *, n_boot: int = 1000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of `agreement` over objects.

    Both clusterings are kept, and so is the mutual information expected by chance, which repeated objects would
    raise. They raise the agreement too: the mean excess of the resamples over the estimate is subtracted as the bias
    of the bootstrap (Efron & Tibshirani 1993, chapter 10).

    Returns
    -------
    (low, high) : floats
    """
    table = contingency_matrix(expected, found)
    n = int(table.sum())
    by_chance = expected_mutual_information(table, n)
    # To draw an object is to draw a cell of the table.
    draws = resampled_tables(np.random.default_rng(seed), n_boot, table)
    resampled, estimate = _adjusted(draws, by_chance), _adjusted(table[None] / n, by_chance)[0]
    low, high = percentile_interval(resampled - (np.nanmean(resampled) - estimate), confidence)
    return min(low, 1.0), min(high, 1.0)


def _adjusted(tables: NDArray, by_chance: float) -> NDArray:
    """Adjusted mutual information of contingency tables of shares, (B, r, c) to (B,)."""
    rows, columns = _entropy(tables.sum(axis=2)), _entropy(tables.sum(axis=1))
    shared = rows + columns - _entropy(tables.reshape(len(tables), -1))
    scale = (rows + columns) / 2 - by_chance
    return (shared - by_chance) / np.where(scale > 0, scale, np.nan)


def _entropy(shares: NDArray) -> NDArray:
    """Entropy in nats over the last axis."""
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)


def chance_agreement(found: ArrayLike, expected: ArrayLike, n_permutations: int = 20, seed: int = 0) -> float:
    """Mean adjusted mutual information with permuted labels: close to 0 by its adjustment."""
    rng = np.random.default_rng(seed)
    return float(np.mean([agreement(found, rng.permutation(expected)) for _ in range(n_permutations)]))
