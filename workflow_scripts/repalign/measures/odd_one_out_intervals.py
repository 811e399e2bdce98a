"""Bootstrap intervals of the odd-one-out accuracy, over objects or over triplets."""

import numpy as np
from scipy import sparse

from repalign.errors import InputError
from repalign.measures.odd_one_out import check_triplets
from repalign.statistics.bootstrap import percentile_interval, resample_weights


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
        From `repalign.measures.odd_one_out.correct_triplets`.
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
        One row an embedding, from `repalign.measures.odd_one_out.correct_triplets`.
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
