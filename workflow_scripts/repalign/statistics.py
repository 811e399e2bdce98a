"""Bootstrap intervals that resample what is independent: objects, triplets, or whole models.

Every interval is a percentile bootstrap. A resample is a vector of weights (how often each unit was drawn), so one
matrix product serves all resamples at once and nothing is copied.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from repalign.errors import InputError
from repalign.odd_one_out import check_triplets
from repalign.rdm import upper_triangle
from repalign.rsa import ranks


def resample_weights(rng, n_boot, n):
    """(n_boot, n) counts: how often each of n units is drawn in each resample of size n."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)


def percentile_interval(samples, confidence):
    """(low, high) over the resamples in which the statistic exists; NaN where it exists in fewer than half."""
    if not 0 < confidence < 1:
        raise InputError(f"The confidence must lie between 0 and 1, not {confidence}; write 0.95 for 95%.")
    defined = samples[np.isfinite(samples)]
    if 2 * len(defined) < len(samples):
        return float("nan"), float("nan")
    tail = 50 * (1 - confidence)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)


def mean_interval(values, *, n_boot=1000, confidence=0.95, seed=0):
    """Interval of a mean over objects, such as a matching rate from per-object hits.

    Parameters
    ----------
    values : (n,) array
        One number per object (booleans for hits).
    n_boot : int
        Number of resamples.
    confidence : float
        Coverage aimed at, in (0, 1).
    seed : int or numpy.random.Generator

    Returns
    -------
    (low, high) : floats, in the units of `values`.
    """
    values = np.asarray(values, dtype=np.float64)
    weights = resample_weights(np.random.default_rng(seed), n_boot, len(values))
    return percentile_interval(weights @ values / len(values), confidence)


def rsa_interval(rdm_a, rdm_b, method="spearman", *, n_boot=1000, confidence=0.95, seed=0):
    """Interval of a representational similarity over objects.

    Objects are drawn with replacement; a pair of two draws of one object is excluded, since its dissimilarity of 0
    would inflate the correlation [1]. Ranks are those of the full sample.

    Parameters
    ----------
    rdm_a, rdm_b : (n, n) arrays
        Symmetric dissimilarities of the same objects.
    method : str
        `spearman` or `pearson`.
    n_boot, confidence, seed
        As in `mean_interval`.

    Returns
    -------
    (low, high) : floats

    References
    ----------
    [1] Schuett, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12, e82566.
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"There is no interval for the RSA method '{method}'; choose spearman or pearson.")
    a, b = (_pair_values(rdm, method) for rdm in (rdm_a, rdm_b))
    weights = resample_weights(np.random.default_rng(seed), n_boot, len(a))

    def total(matrix):
        # Sum over pairs i < j of w_i w_j m_ij, for every resample; the diagonal of m is 0.
        return np.einsum("bi,bi->b", weights @ matrix, weights) / 2

    pairs = (weights.sum(axis=1) ** 2 - np.einsum("bi,bi->b", weights, weights)) / 2
    mean_a, mean_b = total(a) / pairs, total(b) / pairs
    covariance = total(a * b) / pairs - mean_a * mean_b
    variances = (total(a * a) / pairs - mean_a**2) * (total(b * b) / pairs - mean_b**2)
    return percentile_interval(_ratio(covariance, variances), confidence)


def _pair_values(rdm, method):
    """Symmetric matrix of standardised dissimilarities or their ranks, with a zero diagonal."""
    rdm = np.asarray(rdm, dtype=np.float64)
    values = upper_triangle(rdm)
    if method == "spearman":
        values = ranks(values)
    values = values - values.mean()
    matrix = np.zeros_like(rdm)
    matrix[np.triu_indices(len(rdm), k=1)] = values / max(values.std(), np.finfo(float).tiny)
    return matrix + matrix.T


def _ratio(covariance, variances):
    """Correlation from a covariance and the product of two variances; NaN where one does not vary."""
    vary = variances > 1e-20
    return np.where(vary, covariance / np.sqrt(np.where(vary, variances, 1)), np.nan)


def odd_one_out_interval(
    correct, triplets, n_objects, over="objects", *, n_boot=1000, confidence=0.95, seed=0
):
    """Interval of the odd-one-out accuracy, over objects or over triplets.

    Over objects, a triplet counts w_i w_j w_k times, where w says how often each object was drawn: this asks how
    the accuracy would vary for other objects, and is the wider one. Over triplets, it asks how it would vary for
    other judgements about these objects.

    Parameters
    ----------
    correct : (n,) boolean array
        From `repalign.odd_one_out.correct_triplets`.
    triplets : (n, 3) integer array
    n_objects : int
        Number of objects of the embedding (those that no triplet names may be drawn too).
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


def odd_one_out_samples(correct, triplets, n_objects, *, n_boot=1000, seed=0):
    """Accuracies of several embeddings in the same resamples of objects; their differences are paired.

    Parameters
    ----------
    correct : (k, n) boolean array
        One row an embedding, from `repalign.odd_one_out.correct_triplets`.
    triplets, n_objects, n_boot, seed
        As in `odd_one_out_interval`.

    Returns
    -------
    (k, n_boot) float array; NaN where a resample holds no triplet
    """
    correct, triplets = np.asarray(correct, dtype=bool), check_triplets(triplets, n_objects)
    rng = np.random.default_rng(seed)
    weights = np.ascontiguousarray(resample_weights(rng, n_boot, n_objects).T, dtype=np.float32)
    # Triplets that the same embeddings get right are counted together, so that each is counted once.
    pattern = (1 << np.arange(len(correct))) @ correct
    hits, total = np.zeros((len(correct), n_boot)), np.zeros(n_boot)
    for code in np.unique(pattern):
        weight = _weighted_triplets(triplets[pattern == code], weights)
        total += weight
        hits[(code >> np.arange(len(correct)) & 1).astype(bool)] += weight
    return np.where(total > 0, hits / np.where(total > 0, total, 1), np.nan)


def _weighted_triplets(triplets, weights):
    """Sum over triplets of w_i w_j w_k for each resample; weights are (n_objects, n_boot)."""
    n_objects, n_boot = weights.shape
    total = np.zeros(n_boot)
    if not len(triplets):
        return total
    i, j, k = np.sort(triplets, axis=1).T.astype(np.int64)
    # One row per pair (i, j), one column per k: a sparse product replaces two of the three gathers.
    counts = sparse.csr_array(
        (np.ones(len(i), dtype=np.float32), (i * n_objects + j, k)), shape=(n_objects**2, n_objects)
    )
    for first in np.unique(i):
        rows = counts[first * n_objects : (first + 1) * n_objects]
        used = np.flatnonzero(np.diff(rows.indptr))
        partial = rows[used] @ weights
        partial *= weights[used]
        total += partial.sum(axis=0, dtype=np.float64) * weights[first]
    return total


# Fewer clusters than this are too few to draw from.
FEWEST_CLUSTERS = 3


@dataclass(frozen=True)
class Correlation:
    """A correlation with its bootstrap interval; `n` points from `n_clusters` independent clusters."""

    value: float
    low: float
    high: float
    n: int
    n_clusters: int


def correlation(x, y, clusters, method="pearson", *, given=None, n_boot=1000, confidence=0.95, seed=0):
    """Correlation over layers, with an interval that respects that layers of one model are not independent.

    Whole clusters (models) are drawn with replacement. Where there are fewer than 3 of them, which is too few to
    draw from, blocks of adjacent points are drawn within each instead (the circular block bootstrap [1], with blocks
    of ceil(sqrt(n)) points), so the points of a cluster must come in their order of depth. Spearman ranks anew in
    each resample.

    Parameters
    ----------
    x, y : (n,) arrays
        Pairs with a NaN are left out.
    clusters : (n,) array of labels
        The model of each point, or its family of models.
    method : str
        `pearson` or `spearman`.
    given : (n,) array, optional
        Take out what x and y have in common with it: the partial correlation.
    n_boot, confidence, seed
        As in `mean_interval`.

    Returns
    -------
    Correlation
        NaN where fewer than 3 points remain (4 for a partial correlation) or one side does not vary.

    References
    ----------
    [1] Politis & Romano (1992), in Exploring the limits of bootstrap, 263-270.
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"Unknown correlation '{method}'; choose pearson or spearman.")
    x, y, clusters = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), np.asarray(clusters)
    if not x.shape == y.shape == clusters.shape or x.ndim != 1:
        raise InputError(f"x, y and clusters need one length, not {x.shape}, {y.shape} and {clusters.shape}.")
    columns = [x, y] if given is None else [x, y, np.asarray(given, dtype=np.float64)]
    keep = np.isfinite(columns).all(axis=0)
    columns, clusters = [column[keep] for column in columns], clusters[keep]
    x = columns[0]
    names, cluster = np.unique(clusters, return_inverse=True)
    if len(x) <= len(columns):
        return Correlation(float("nan"), float("nan"), float("nan"), len(x), len(names))
    rng = np.random.default_rng(seed)
    if len(names) < FEWEST_CLUSTERS:
        weights = np.empty((n_boot, len(x)))
        for number in range(len(names)):
            own = cluster == number
            weights[:, own] = _block_weights(rng, n_boot, own.sum())
    else:
        weights = resample_weights(rng, n_boot, len(names))[:, cluster]
    value = float(_partial_correlation(columns, np.ones((1, len(x))), method)[0])
    low, high = percentile_interval(_partial_correlation(columns, weights, method), confidence)
    return Correlation(value, low, high, len(x), len(names))


def _block_weights(rng, n_boot, n):
    """Counts of a circular block bootstrap of n points in order."""
    length = int(np.ceil(np.sqrt(n)))
    n_blocks = int(np.ceil(n / length))
    starts = rng.integers(n, size=(n_boot, n_blocks, 1))
    drawn = ((starts + np.arange(length)) % n).reshape(n_boot, -1)[:, :n]
    weights = np.zeros((n_boot, n))
    np.add.at(weights, (np.arange(n_boot)[:, None], drawn), 1)
    return weights


def _partial_correlation(columns, weights, method):
    """Correlation of the first two columns in each resample, given the third where there is one."""
    if len(columns) == 2:
        return _weighted_correlation(*columns, weights, method)
    x, y, given = columns
    xy, xz, yz = (_weighted_correlation(*pair, weights, method) for pair in ((x, y), (x, given), (y, given)))
    left = (1 - xz**2) * (1 - yz**2)
    return np.where(left > 1e-12, (xy - xz * yz) / np.sqrt(np.where(left > 1e-12, left, 1)), np.nan)


def _weighted_correlation(x, y, weights, method):
    """Correlation of each resample; (n_boot, n) integer weights."""
    if method == "spearman":
        x, y = _weighted_ranks(x, weights), _weighted_ranks(y, weights)
    else:
        x, y = np.broadcast_to(x, weights.shape), np.broadcast_to(y, weights.shape)
    total = weights.sum(axis=1, keepdims=True)

    def standardised(values):
        values = values - (weights * values).sum(axis=1, keepdims=True) / total
        scale = np.sqrt((weights * values**2).sum(axis=1, keepdims=True))
        constant = scale <= 1e-12 * np.abs(values).max(axis=1, keepdims=True)
        return np.where(constant, np.nan, values / np.where(constant, 1, scale))

    return (weights * standardised(x) * standardised(y)).sum(axis=1)


def _weighted_ranks(values, weights):
    """Mid-ranks of each resample: a unit drawn w times fills w ranks."""
    below = (values[:, None] < values[None, :]).astype(np.float64)
    equal = (values[:, None] == values[None, :]).astype(np.float64)
    return weights @ (below + equal / 2) + 0.5
