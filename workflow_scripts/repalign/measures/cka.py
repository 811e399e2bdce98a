"""Centred kernel alignment (CKA)."""

import numpy as np
from numpy.typing import NDArray

from repalign.errors import InputError
from repalign.statistics.bootstrap import (
    distinct_tuples,
    pair_sums,
    percentile_interval,
    resample_weights,
)


def linear_cka(a: NDArray, b: NDArray, debiased: bool = True) -> float:
    """Similarity of two embeddings up to rotation and scale: centred kernel alignment with linear kernels.

    CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with K = a a', L = b b' [1]. The biased estimate grows with the
    number of features, and is far from 0 for unrelated embeddings with more features than objects. The debiased one
    [2, 3] is close to 0 for them on average, and may be slightly negative.

    Parameters
    ----------
    a, b : (n, d_a), (n, d_b) arrays
        The same objects in the same order, n >= 4.
    debiased : bool

    Returns
    -------
    float, at most 1; NaN where all rows of an embedding are equal.

    References
    ----------
    [1] Kornblith, Norouzi, Lee & Hinton (2019), ICML.
    [2] Song, Smola, Gretton, Bedo & Borgwardt (2012), JMLR 13, 1393-1434.
    [3] Nguyen, Raghu & Kornblith (2021), ICLR.
    """
    if len(a) != len(b) or len(a) < 4:
        raise InputError(
            f"CKA compares two embeddings of the same 4 or more objects, not of {len(a)} and {len(b)}."
        )
    first, second = _kernel(a, debiased), _kernel(b, debiased)
    own = [max(_hsic(kernel, kernel, debiased), 0) for kernel in (first, second)]
    scale = np.sqrt(own[0]) * np.sqrt(own[1])
    return float(_hsic(first, second, debiased) / scale) if scale > 0 else float("nan")


def _kernel(x: NDArray, debiased: bool) -> NDArray[np.float64]:
    x = np.asarray(x, dtype=np.float64)
    x = x - x.mean(axis=0)
    # CKA does not depend on the scale; a unit scale keeps the products in range.
    x = x / max(np.abs(x).max(), np.finfo(float).tiny)
    kernel = x @ x.T
    if debiased:
        np.fill_diagonal(kernel, 0)
    return kernel


def _hsic(first: NDArray, second: NDArray, debiased: bool) -> float:
    """Hilbert-Schmidt independence criterion (HSIC) of two kernels, up to a factor that cancels in CKA."""
    product = np.vdot(first, second)
    if not debiased:
        return product
    n = len(first)
    rows = first.sum(axis=1) @ second.sum(axis=1)
    return product + first.sum() * second.sum() / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)


class ResampledCka:
    """Debiased CKA of embeddings with one reference, in bootstrap resamples of the objects.

    The debiased estimate is a mean over pairs, triples and quadruples of different objects. Draws of the same object
    are not different (see `repalign.statistics.bootstrap.distinct_tuples`). Features are centred once, over all
    objects.

    Parameters
    ----------
    reference : (n, d) array, n >= 4
    n_boot : int
    seed : int
    """

    def __init__(self, reference: NDArray, *, n_boot: int = 1000, seed: int = 0) -> None:
        weights = resample_weights(np.random.default_rng(seed), n_boot, len(reference))
        # The kernels have unit scale, and single precision is far finer than the width of an interval.
        self._weights, self._squares = weights.astype(np.float32), (weights**2).astype(np.float32)
        self._n_pairs, self._n_triples, self._n_quadruples = distinct_tuples(weights)
        self._reference = self._prepare(reference)
        self._own = self._hsic(self._reference, self._reference)

    def samples(self, embedding: NDArray) -> NDArray[np.float64]:
        """(n_boot,) values of `linear_cka(embedding, reference)`; NaN where all rows of a resample are equal."""
        if len(embedding) != self._weights.shape[1]:
            raise InputError(
                f"The reference has {self._weights.shape[1]} objects, but the embedding has {len(embedding)}; give "
                "both for the same objects."
            )
        prepared = self._prepare(embedding)
        shared, own = self._hsic(prepared, self._reference), self._hsic(prepared, prepared)
        scale = np.sqrt(np.maximum(own, 0) * np.maximum(self._own, 0))
        return np.where(scale > 0, shared / np.where(scale > 0, scale, 1), np.nan)

    def interval(self, embedding: NDArray, confidence: float = 0.95) -> tuple[float, float]:
        """(low, high) of the percentile bootstrap over objects."""
        return percentile_interval(self.samples(embedding), confidence)

    def _prepare(self, x: NDArray) -> tuple[NDArray, NDArray]:
        kernel = _kernel(x, debiased=True).astype(np.float32)
        return kernel, self._weights @ kernel

    def _hsic(self, first: tuple[NDArray, NDArray], second: tuple[NDArray, NDArray]) -> NDArray:
        """Mean over pairs + mean over quadruples - 2 mean over triples, all of different objects, in each resample."""
        product = first[0] * second[0]

        def total(a: NDArray, b: NDArray) -> NDArray:
            return np.einsum("bi,bi->b", a, b, dtype=np.float64)

        rows = first[1] * second[1]
        squares = self._squares @ product
        pairs = pair_sums(product, self._weights)
        triples = total(rows, self._weights) - total(squares, self._weights)
        grand = total(first[1], self._weights) * total(second[1], self._weights)
        quadruples = grand - 4 * total(rows, self._squares) + 2 * total(squares, self._squares)
        return pairs / self._n_pairs + quadruples / self._n_quadruples - 2 * triples / self._n_triples
