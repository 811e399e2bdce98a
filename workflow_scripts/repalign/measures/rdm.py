"""Representational dissimilarity matrices (RDMs)."""

import numpy as np

from repalign.errors import InputError, listed


def _unit_rows(x, what):
    norms = np.linalg.norm(x, axis=1)
    if (zero := np.flatnonzero(norms == 0)).size:
        raise InputError(
            f"Row {listed(zero)} of the embedding is {what}, so its direction is undefined; drop the object or "
            "use the metric euclidean."
        )
    return x / norms[:, None]


def _sqeuclidean(x):
    x = x - x.mean(axis=0)
    squares = np.einsum("ij,ij->i", x, x)
    distances = squares[:, None] + squares[None, :] - 2 * (x @ x.T)
    np.maximum(distances, 0, out=distances)
    return distances


def _cosine(x):
    unit = _unit_rows(x, "zero")
    return 1 - unit @ unit.T


def _correlation(x):
    unit = _unit_rows(x - x.mean(axis=1, keepdims=True), "constant")
    return 1 - unit @ unit.T


def _triplet_choice(x):
    """1 - P, where P_ij = mean over k of softmax(s_ij, s_ik, s_jk)[0] and s are dot products."""
    n = len(x)
    if n < 3:
        raise InputError("The metric triplet_choice needs at least 3 objects.")
    similarity = x @ x.T
    # One exponential a pair serves all triplets, unless it would underflow.
    spread = similarity.max() - similarity.min()
    odds = np.exp(similarity - similarity.max()) if spread < 600 else None
    choice = np.zeros((n, n))
    for i in range(n - 1):
        rest = slice(i + 1, n)
        if odds is None:
            own = similarity[i, rest, None]
            with np.errstate(over="ignore"):
                kept = 1 / (1 + np.exp(similarity[i] - own) + np.exp(similarity[rest] - own))
        else:
            own = odds[i, rest, None]
            kept = odds[rest] + odds[i]
            kept += own
            np.divide(own, kept, out=kept)
        kept[:, i] = 0
        kept[np.arange(n - i - 1), np.arange(i + 1, n)] = 0
        choice[i, rest] = kept.sum(axis=1) / (n - 2)
    return 1 - choice - choice.T


METRICS = {
    "cosine": _cosine,
    "correlation": _correlation,
    "dot": lambda x: -(x @ x.T),
    "euclidean": lambda x: np.sqrt(_sqeuclidean(x)),
    "sqeuclidean": _sqeuclidean,
    "triplet_choice": _triplet_choice,
}


def dissimilarity(embedding, metric="cosine"):
    """Dissimilarity of every pair of objects.

    Parameters
    ----------
    embedding : (n, d) array
        One row per object; computed in float64.
    metric : str
        `cosine` (1 - cosine), `correlation` (1 - Pearson over features), `euclidean`, `sqeuclidean`, `dot` (minus
        the inner product; its diagonal is not zero) or `triplet_choice` (1 - the mean probability that the pair is
        kept in a triplet with each third object, under a softmax over dot products, as in SPoSE [1]).

    Returns
    -------
    (n, n) float64 array, symmetric; zero diagonal for every metric but `dot`.

    Raises
    ------
    InputError
        Unknown metric, or a row without a direction under `cosine` and `correlation`.

    References
    ----------
    [1] Hebart, Zheng, Pereira & Baker (2020), Nature Human Behaviour 4, 1173-1185.
    """
    if metric not in METRICS:
        raise InputError(f"Unknown metric '{metric}'; choose one of {', '.join(METRICS)}.")
    rdm = METRICS[metric](np.asarray(embedding, dtype=np.float64))
    rdm = (rdm + rdm.T) / 2
    if metric != "dot":
        np.fill_diagonal(rdm, 0)
    return rdm


def upper_triangle(rdm):
    """The n (n - 1) / 2 entries above the diagonal, row by row."""
    rdm = np.asarray(rdm)
    return rdm[np.triu_indices(len(rdm), k=1)]
