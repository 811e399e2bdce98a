"""Intervals of the odd-one-out accuracy and of its change, over objects or over triplets."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.odd_one_out import check_triplets
from repalign.statistics.intervals import quantile, wilson_interval
from repalign.statistics.shared_objects import triplet_variance


def odd_one_out_interval(
    correct: ArrayLike,
    triplets: ArrayLike,
    n_objects: int,
    over: str = "objects",
    *,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Interval of the odd-one-out accuracy, over objects or over triplets.

    The interval over objects is about other objects: triplets that share an object are dependent. It is the wider
    one; that over triplets is about other judgements of the same objects, which are independent. Both are Wilson's.

    Parameters
    ----------
    correct : (m,) boolean array
        From `repalign.measures.odd_one_out.correct_triplets`.
    triplets : (m, 3) integer array
    n_objects : int
        Number of objects that the triplets index.
    over : str
        `objects` or `triplets`.
    confidence : float

    Returns
    -------
    (low, high) : floats in [0, 1]
    """
    correct = np.asarray(correct, dtype=np.float64)
    rate, m = float(correct.mean()), len(correct)
    if over == "triplets":
        return wilson_interval(rate, m, confidence)
    if over != "objects":
        raise InputError(f"An interval over '{over}' does not exist; choose objects or triplets.")
    error, freedom, groups = _error_over_objects(correct, triplets, n_objects)
    # Where all triplets are right, or all wrong, only triplets without a common object are known to be independent.
    return wilson_interval(rate, rate * (1 - rate) / error**2 if error > 0 else groups, confidence, freedom)


def change_interval(
    before: ArrayLike, after: ArrayLike, triplets: ArrayLike, n_objects: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval over objects of the change in accuracy between two embeddings on the same triplets.

    Parameters
    ----------
    before, after : (m,) boolean arrays
        From `repalign.measures.odd_one_out.correct_triplets`.
    triplets, n_objects, confidence
        As in `odd_one_out_interval`.

    Returns
    -------
    (low, high) : floats in [-1, 1]
    """
    change = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    error, freedom, _ = _error_over_objects(change, triplets, n_objects)
    half = quantile(confidence, freedom) * error
    return float(max(change.mean() - half, -1)), float(min(change.mean() + half, 1))


def _error_over_objects(values: NDArray, triplets: ArrayLike, n_objects: int) -> tuple[float, float, float]:
    """Standard error of a mean over triplets, its degrees of freedom, and how many triplets can share no object."""
    triplets = check_triplets(triplets, n_objects)
    used = len(np.unique(triplets))
    groups = max(min(used // 3, len(triplets)), 1)
    variance = triplet_variance(values - values.mean(), triplets, n_objects)
    return float(np.sqrt(variance)), max(used / 3 - 1, 1), groups
