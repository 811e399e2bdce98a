"""Which points belong to which class, and which pairs of points are scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError


@dataclass(frozen=True)
class PairScores:
    """Scores of single pairs: the two points, the number of the class and the score, (n_pairs,) arrays."""

    first: NDArray
    second: NDArray
    which: NDArray
    score: NDArray


@dataclass(frozen=True)
class Convexity:
    """Convexity of the classes of one set of points, in [0, 1].

    Attributes
    ----------
    classes : tuple of str
    per_class : (n_classes,) float array
        Mean over the pairs of the class; NaN for a class with fewer than two points.
    sem : float
        Mean of `sem_per_class`.
    sem_per_class : (n_classes,) float array
        Standard deviation over pairs / sqrt(points in the class): pairs that share a point are not independent.
    n_points, n_pairs : (n_classes,) int arrays
    mean : float
        Unweighted mean over the classes with two points or more.
    chance, chance_sd : float
        Mean and standard deviation of `mean` under permuted labels; NaN where none were asked for.
    chance_per_class : (n_classes,) float array
    pairs : PairScores or None
        Where they were asked for.
    """

    classes: tuple[str, ...]
    per_class: NDArray
    sem_per_class: NDArray
    n_points: NDArray
    n_pairs: NDArray
    mean: float
    sem: float
    chance: float
    chance_sd: float
    chance_per_class: NDArray
    pairs: PairScores | None = None


def membership(
    labels: ArrayLike, n_points: int, classes: Sequence | None = None
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Turn labels into a table of memberships.

    Parameters
    ----------
    labels : (n,) array or (n, n_classes) array
        One label per point (negative numbers, empty strings, None and NaN: in no class), or memberships of 0 and 1,
        with any number of classes per point.
    n_points : int
        n, to check against.
    classes : sequence of str, optional
        Names of the columns of memberships; for labels, the classes to use, in this order.

    Returns
    -------
    members : (n, n_classes) boolean array
    classes : tuple of str
    """
    labels = np.asarray(labels)
    if labels.ndim not in (1, 2) or len(labels) != n_points:
        raise InputError(
            f"There are {n_points} points, but the labels have shape {labels.shape}; give one label per point."
        )
    if labels.ndim == 2:
        if not np.isin(labels, (0, 1)).all():
            raise InputError(
                "Memberships must be 0 or 1; give one label per point or a table of memberships."
            )
        names = (
            [str(i) for i in range(labels.shape[1])] if classes is None else [str(name) for name in classes]
        )
        if len(names) != labels.shape[1]:
            raise InputError(
                f"There are {len(names)} class names for {labels.shape[1]} columns of memberships; give one name per "
                "column."
            )
        members = labels.astype(bool)
    else:
        present = [label for label in labels.tolist() if not _is_none(label)]
        wanted = sorted(set(present)) if classes is None else list(classes)
        members = labels[:, None] == np.array(wanted, dtype=labels.dtype)[None, :]
        names = [str(name) for name in wanted]
    if (members.sum(axis=0) < 2).all():
        raise InputError(
            "No class has two points, so there are no pairs to score; check that the labels belong to these points."
        )
    return members, tuple(names)


def _is_none(label: Any) -> bool:
    return label is None or label == "" or label != label or (not isinstance(label, str) and label < 0)


def summarise(sums: NDArray, squares: NDArray, counts: NDArray, n_points: NDArray) -> tuple[NDArray, NDArray]:
    """Mean of each class and its standard error, sd / sqrt(points), from sums over pairs; NaN without pairs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
        variances = np.where(counts > 1, (squares - counts * means**2) / (counts - 1), np.nan)
        return means, np.sqrt(np.maximum(variances, 0)) / np.sqrt(n_points)


def check_pairs(pairs: str | int) -> None:
    """Raise `InputError` unless pairs is "all" or a positive whole number."""
    if pairs != "all" and (isinstance(pairs, bool) or not isinstance(pairs, int | np.integer) or pairs < 1):
        raise InputError(f"pairs must be 'all' or a positive whole number of pairs per class, not {pairs!r}.")


def all_pairs(members: NDArray[np.bool_], sources: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Every ordered pair of a source with another point of one of its classes: sources, targets, class numbers."""
    row, number = np.nonzero(members[sources])
    points = [np.flatnonzero(column) for column in members.T]
    targets = np.concatenate([points[c] for c in number]) if len(number) else np.empty(0, dtype=np.intp)
    sizes = members.sum(axis=0)[number]
    first, which = np.repeat(np.asarray(sources)[row], sizes), np.repeat(number, sizes)
    others = targets != first
    return first[others], targets[others], which[others]


def sample_pairs(
    members: NDArray[np.bool_], n_pairs: int, rng: np.random.Generator, ordered: bool = True
) -> tuple[NDArray, NDArray, NDArray]:
    """At most `n_pairs` pairs per class, drawn without replacement: sources (sorted), targets, class numbers."""
    drawn = []
    for number, column in enumerate(members.T):
        points = np.flatnonzero(column)
        m = len(points)
        if m < 2:
            continue
        chosen = rng.permutation(m * (m - 1)) if ordered else rng.permutation(m * (m - 1) // 2)
        chosen = chosen[:n_pairs]
        if ordered:
            first, second = np.divmod(chosen, m - 1)
            second = second + (second >= first)  # skip the point itself
        else:
            first, second = (indices[chosen] for indices in np.triu_indices(m, k=1))
        drawn.append((points[first], points[second], np.full(len(chosen), number)))
    first, second, which = (np.concatenate(column) for column in zip(*drawn, strict=True))
    order = np.argsort(first, kind="stable")
    return first[order], second[order], which[order]
