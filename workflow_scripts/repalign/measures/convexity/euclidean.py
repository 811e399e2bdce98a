"""Euclidean convexity: does a classifier assign the segment between two members of a class to that class?"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.convexity.classes import (
    Convexity,
    PairScores,
    all_pairs,
    check_pairs,
    membership,
    sample_pairs,
    summarise,
)

Classifier = Callable[[NDArray], NDArray]


def linear_classifier(weights: ArrayLike, bias: ArrayLike | None = None) -> Classifier:
    """The classifier of a linear head, for `euclidean_convexity`.

    Parameters
    ----------
    weights : (n_outputs, d) array
    bias : (n_outputs,) array, optional

    Returns
    -------
    Function from (m, d) points to (m,) indices of the largest output.
    """
    weights = np.asarray(weights, dtype=np.float64)
    bias = np.zeros(len(weights)) if bias is None else np.asarray(bias, dtype=np.float64)
    return lambda points: np.argmax(points @ weights.T + bias, axis=1)


def euclidean_convexity(
    features: ArrayLike,
    labels: ArrayLike,
    predict: Classifier,
    pairs: str | int = 5000,
    seed: int = 0,
    *,
    n_steps: int = 10,
    classes: Sequence | None = None,
    batch: int = 8192,
) -> Convexity:
    """Euclidean convexity of each class under a classifier, as first defined [1].

    `n_steps` inner points divide the segment between two members of a class evenly. The pair scores the share of
    these points that the classifier assigns to the class. Pairs are unordered.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) integers, or (n, n_classes) memberships
        See `repalign.measures.convexity.classes.membership`. The classifier returns these integers, or the indices of
        the columns of memberships.
    predict : callable
        From (m, d) points of this layer to (m,) integer classes: the rest of the model, or `linear_classifier`.
    pairs : "all" or int
        All pairs, or this many of each class, drawn without replacement.
    seed : int
    n_steps : int
        Points on each segment.
    classes : sequence, optional
        As in `membership`: the labels to use, or the names of the columns of memberships.
    batch : int
        Points handed to `predict` at once.

    Returns
    -------
    Convexity
        Its chance is NaN: permuted labels do not change a fixed classifier.

    Raises
    ------
    InputError
        Labels that do not fit, no class with two points, or predictions of a wrong shape.

    References
    ----------
    [1] Tetkova, Bruesch, Scheidt, Mager, Aagaard, Foldager, Alstrom & Hansen (2023), On convex decision regions in
        deep network representations, arXiv:2305.17154.
    """
    check_pairs(pairs)
    x = np.asarray(features, dtype=np.float64)
    members, names = membership(labels, len(x), classes)
    answers = (
        np.arange(members.shape[1]) if np.ndim(labels) == 2 else np.array(names, dtype=float).astype(np.int64)
    )
    if pairs == "all":
        first, second, which = all_pairs(members, np.arange(len(x)))
        first, second, which = (column[first < second] for column in (first, second, which))
    else:
        first, second, which = sample_pairs(members, int(pairs), np.random.default_rng(seed), ordered=False)

    share = np.arange(1, n_steps + 1)[:, None] / (n_steps + 1)
    scores = np.empty(len(first))
    step = max(1, batch // n_steps)
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        ends, starts = x[second[part], None], x[first[part], None]
        points = starts + share * (ends - starts)
        answer = np.asarray(predict(points.reshape(-1, x.shape[1])))
        if answer.shape != (points.shape[0] * n_steps,):
            raise InputError(f"predict must return one class per point, but returned shape {answer.shape}.")
        scores[part] = (answer.reshape(-1, n_steps) == answers[which[part], None]).mean(axis=1)

    n_points = members.sum(axis=0)
    sums, squares, counts = (
        np.bincount(which, values, minlength=len(names))
        for values in (scores, scores**2, np.ones_like(scores))
    )
    per_class, sems = summarise(sums, squares, counts, n_points)
    with_pairs = counts > 0
    return Convexity(
        classes=names,
        per_class=per_class,
        sem_per_class=sems,
        n_points=n_points,
        n_pairs=counts.astype(np.intp),
        mean=float(per_class[with_pairs].mean()),
        sem=float(np.nanmean(sems[with_pairs])),
        chance=float("nan"),
        chance_sd=float("nan"),
        chance_per_class=np.full(len(names), np.nan),
        pairs=PairScores(first, second, which, scores),
    )
