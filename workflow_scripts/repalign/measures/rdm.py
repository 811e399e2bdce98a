"""Representational dissimilarity matrices (RDMs)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError, listed


def unit_rows(x: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    """Rows of length 1, whose inner products are cosines or, for the metric `correlation`, Pearson correlations.

    Parameters
    ----------
    x : (n, d) array
    metric : str
        `cosine` or `correlation`.

    Raises
    ------
    InputError
        A row of zeros, or a constant one under `correlation`.
    """
    if metric == "correlation":
        x = x - x.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(x, axis=1)
    if (zero := np.flatnonzero(norms == 0)).size:
        what = "all zeros" if metric == "cosine" else "constant"
        rows, verb, its, objects = ("Row", "is", "its", "this object")
        if len(zero) > 1:
            rows, verb, its, objects = ("Rows", "are", "their", "these objects")
        raise InputError(
            f"{rows} {listed(zero)} of the embedding {verb} {what}, so {its} {metric} with other rows is undefined; "
            f"drop {objects} or use the metric euclidean."
        )
    return x / norms[:, None]


def _sqeuclidean(x: NDArray) -> NDArray:
    x = x - x.mean(axis=0)
    squares = np.einsum("ij,ij->i", x, x)
    distances = squares[:, None] + squares[None, :] - 2 * (x @ x.T)
    np.maximum(distances, 0, out=distances)
    return distances


def _one_minus_cosine(x: NDArray, metric: str) -> NDArray:
    unit = unit_rows(x, metric)
    return 1 - unit @ unit.T


def _triplet_choice(x: NDArray) -> NDArray:
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


METRICS: dict[str, Callable[[NDArray], NDArray]] = {
    "cosine": lambda x: _one_minus_cosine(x, "cosine"),
    "correlation": lambda x: _one_minus_cosine(x, "correlation"),
    "dot": lambda x: -(x @ x.T),
    "euclidean": lambda x: np.sqrt(_sqeuclidean(x)),
    "sqeuclidean": _sqeuclidean,
    "triplet_choice": _triplet_choice,
}


def dissimilarity(embedding: ArrayLike, metric: str = "cosine") -> NDArray[np.float64]:
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
        Unknown metric; a row of zeros under `cosine`; a constant row under `correlation`.

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


def upper_triangle(rdm: ArrayLike) -> NDArray:
    """The n (n - 1) / 2 entries above the diagonal, row by row."""
    rdm = np.asarray(rdm)
    return rdm[np.triu_indices(len(rdm), k=1)]
