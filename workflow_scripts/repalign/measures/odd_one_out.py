"""Odd-one-out accuracy (OOOA): is the pair of each triplet that people kept the most similar one?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.rdm import METRICS, dissimilarity
from repalign.statistics.ceilings import Ceiling

CHANCE = 1 / 3

# Answers per repeated triplet from which a noise ceiling says much.
ENOUGH_ANSWERS = 20

# Similarities that differ by less than this share of the largest one differ by rounding alone: they tie.
TIE_TOLERANCE = 1e-12

# Triplets handled at once, so that their arrays fit the cache.
CHUNK = 2**14


@dataclass(frozen=True)
class OddOneOut:
    """Odd-one-out accuracy of one embedding.

    Attributes
    ----------
    accuracy : float
        Share of triplets whose kept pair is more similar than both others, in [0, 1]. Ties count as wrong.
    n : int
        Number of triplets.
    n_ties : int
        Triplets whose highest similarity is shared by two or three pairs, so that the embedding gives no answer.
    """

    accuracy: float
    n: int
    n_ties: int


def similarity_matrix(
    embedding: ArrayLike, similarity: str = "cosine", centre: bool = True
) -> NDArray[np.float64]:
    """Similarity of every pair of objects, as the odd-one-out task uses it.

    Parameters
    ----------
    embedding : (n, d) array
        One row per object; for `similarity="precomputed"` the symmetric (n, n) similarities themselves (give minus
        an RDM), which `centre` leaves alone.
    similarity : str
        `cosine`, `dot`, `precomputed`, or minus any other metric of `repalign.measures.rdm.dissimilarity`.
    centre : bool
        Subtract the mean of each feature over objects first. `dot` is never centred: it depends on the origin.

    Returns
    -------
    (n, n) float64 array, symmetric; the diagonal is not used.

    Raises
    ------
    InputError
        Unknown similarity, or a precomputed matrix that is not square, finite and symmetric.
    """
    x = np.asarray(embedding, dtype=np.float64)
    if similarity == "precomputed":
        if x.ndim != 2 or x.shape[0] != x.shape[1] or not np.allclose(x, x.T, rtol=1e-6, atol=1e-9):
            raise InputError(
                f"A precomputed similarity must be a finite symmetric (n, n) matrix, but this one has shape {x.shape} "
                "or differs from its transpose; average it with its transpose or give the embedding."
            )
        return x
    if similarity not in METRICS:
        raise InputError(
            f"Unknown similarity '{similarity}'; choose precomputed or one of {', '.join(METRICS)}."
        )
    if centre and similarity != "dot":
        x = x - x.mean(axis=0)
    return -dissimilarity(x, similarity)


def check_triplets(triplets: ArrayLike, n_objects: int) -> NDArray[np.integer]:
    """Return triplets as an (n, 3) integer array whose entries are distinct objects, or raise `InputError`."""
    triplets = np.asarray(triplets)
    if triplets.ndim != 2 or triplets.shape[1] != 3 or not len(triplets) or triplets.dtype.kind not in "iu":
        raise InputError(
            f"Triplets must be integers of shape (n, 3) with n > 0, not {triplets.dtype} of shape {triplets.shape}."
        )
    low, high = triplets.min(), triplets.max()
    if low < 0 or high >= n_objects:
        what = f"index {low}" if low < 0 else f"object {high}"
        raise InputError(
            f"The triplets name {what}, but the embedding has {n_objects} objects, 0 to {n_objects - 1}; "
            "check the object order and that indices are 0-based."
        )
    first, second, odd = triplets.T
    repeated = (first == second) | (first == odd) | (second == odd)
    if repeated.any():
        raise InputError(f"Triplet {repeated.argmax()} (0-based) names the same object twice; remove it.")
    return triplets


def _answers(similarity: NDArray, triplets: NDArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Per triplet: is the kept pair more similar than both others, and do two pairs share the highest similarity?"""
    correct, ties = np.empty((2, len(triplets)), dtype=bool)
    flat, n = similarity.ravel(), len(similarity)
    tolerance = TIE_TOLERANCE * np.abs(similarity[~np.eye(n, dtype=bool)]).max()
    for start in range(0, len(triplets), CHUNK):
        part = slice(start, start + CHUNK)
        first, second, odd = triplets[part].T.astype(np.intp)
        kept, *others = (flat.take(i * n + j) for i, j in ((first, second), (first, odd), (second, odd)))
        margin = kept - np.maximum(*others)
        correct[part] = margin > tolerance
        ties[part] = np.abs(margin) <= tolerance
        ties[part] |= (margin < 0) & (np.abs(others[0] - others[1]) <= tolerance)
    return correct, ties


def correct_triplets(
    embedding: ArrayLike, triplets: ArrayLike, similarity: str = "cosine", centre: bool = True
) -> NDArray[np.bool_]:
    """Whether an embedding agrees with people, triplet by triplet; for intervals and breakdowns.

    Parameters are those of `accuracy`.

    Returns
    -------
    (n,) boolean array.
    """
    matrix = similarity_matrix(embedding, similarity, centre)
    return _answers(matrix, check_triplets(triplets, len(matrix)))[0]


def accuracy(
    embedding: ArrayLike, triplets: ArrayLike, similarity: str = "cosine", centre: bool = True
) -> OddOneOut:
    """Odd-one-out accuracy: the share of triplets in which the kept pair is the most similar one [1].

    Parameters
    ----------
    embedding : (n_objects, d) array
        One row per object, in the order that the triplets index. See `similarity_matrix` for `precomputed`.
    triplets : (n, 3) integer array
        0-based; columns 0 and 1 are the pair people kept, column 2 the odd one.
    similarity : str
        See `similarity_matrix`.
    centre : bool
        Subtract the mean of each feature over objects first, as [2] does; never for `dot`.

    Returns
    -------
    OddOneOut

    Raises
    ------
    InputError
        Triplets out of range, with a repeated object or of a wrong shape; see also `similarity_matrix`.

    References
    ----------
    [1] Muttenthaler, Dippel, Linhardt, Vandermeulen & Kornblith (2023), ICLR.
    [2] Dorszewski, Tetkova, Linhardt & Hansen (2025), Connecting concept convexity and human-machine alignment.
    """
    matrix = similarity_matrix(embedding, similarity, centre)
    correct, ties = _answers(matrix, check_triplets(triplets, len(matrix)))
    return OddOneOut(accuracy=float(correct.mean()), n=len(correct), n_ties=int(ties.sum()))


def noise_ceiling(responses: ArrayLike) -> Ceiling:
    """Noise ceiling of the odd-one-out accuracy from repeated triplets.

    The upper bound is the best accuracy that one fixed answer per triplet can reach: the mean share of the modal answer
    [1]. It is fitted to these very responses, so it lies above what guessing people deserve (.43 with 25 answers per
    triplet, at a chance of 1/3). The lower bound predicts each response by the modal answer of the others, which knows
    nothing of it; modal answers that tie count in equal shares.

    Parameters
    ----------
    responses : (n, >= 4) integer array
        One row per response: objects i, j, k in the order shown, the position of the odd one (1-3), then anything
        (such as the subject). The same three objects in another order are the same triplet. Triplets with one
        response are left out.

    Returns
    -------
    Ceiling
        Each repeated triplet counts equally; `n` is their number. With fewer than `ENOUGH_ANSWERS` per triplet
        (`median_answers`) the bounds lie far apart.

    Raises
    ------
    InputError
        Wrong shape, a position other than 1-3, or no triplet with two responses.

    References
    ----------
    [1] Hebart, Zheng, Pereira & Baker (2020), Nature Human Behaviour 4, 1173-1185.
    """
    votes = _repeated_votes(responses)
    answers = votes.sum(axis=1)
    upper = votes.max(axis=1) / answers
    lower = np.zeros(len(votes))
    for choice in range(3):
        others = votes - (np.arange(3) == choice)
        modal = others == others.max(axis=1, keepdims=True)
        lower += votes[:, choice] * modal[:, choice] / modal.sum(axis=1)
    return Ceiling(float((lower / answers).mean()), float(upper.mean()), len(votes))


def median_answers(responses: ArrayLike) -> float:
    """Median number of answers per repeated triplet, see `noise_ceiling`."""
    return float(np.median(_repeated_votes(responses).sum(axis=1)))


def _repeated_votes(responses: ArrayLike) -> NDArray[np.int64]:
    """(n_triplets, 3) how often each object of a triplet was the odd one, of triplets with several responses."""
    responses = np.asarray(responses)
    if responses.ndim != 2 or responses.shape[1] < 4:
        raise InputError(
            f"Repeated responses need at least 4 columns (i, j, k, position of the odd one), not {responses.shape}."
        )
    objects, position = responses[:, :3].astype(np.int64), responses[:, 3].astype(np.int64)
    if ((position < 1) | (position > 3)).any():
        row = int(((position < 1) | (position > 3)).argmax())
        raise InputError(
            f"Response {row} (0-based) has the odd one at position {position[row]}; write 1, 2 or 3."
        )
    chosen = objects[np.arange(len(objects)), position - 1]
    ordered = np.sort(objects, axis=1)
    _, triplet = np.unique(ordered, axis=0, return_inverse=True)
    votes = np.zeros((triplet.max(initial=-1) + 1, 3), dtype=np.int64)
    np.add.at(votes, (triplet.ravel(), (ordered < chosen[:, None]).sum(axis=1)), 1)
    repeated = votes.sum(axis=1) > 1
    if not repeated.any():
        raise InputError(
            "No triplet has two responses, so there is no noise ceiling; give the set of repeated triplets."
        )
    return votes[repeated]
