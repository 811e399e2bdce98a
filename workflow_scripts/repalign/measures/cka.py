"""Centred kernel alignment (CKA)."""

import numpy as np

from repalign.errors import InputError
from repalign.statistics.bootstrap import percentile_interval, resample_weights


def linear_cka(a, b, debiased=True):
    """Similarity of two embeddings up to rotation and scale: centred kernel alignment with linear kernels.

    CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with K = a a', L = b b' [1]. The plain estimate grows with the
    number of features and is far from 0 for unrelated embeddings with more features than objects; the debiased one
    [2, 3] is 0 in expectation for them, and may be slightly negative.

    Parameters
    ----------
    a, b : (n, d_a), (n, d_b) arrays
        The same objects in the same order, n >= 4.
    debiased : bool

    Returns
    -------
    float, at most 1; NaN where an embedding does not vary.

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


def _kernel(x, debiased):
    x = np.asarray(x, dtype=np.float64)
    x = x - x.mean(axis=0)
    # CKA does not depend on the scale; a unit scale keeps the products in range.
    x = x / max(np.abs(x).max(), np.finfo(float).tiny)
    kernel = x @ x.T
    if debiased:
        np.fill_diagonal(kernel, 0)
    return kernel


def _hsic(first, second, debiased):
    """Hilbert-Schmidt independence criterion of two kernels, up to a factor that cancels in CKA."""
    product = np.vdot(first, second)
    if not debiased:
        return product
    n = len(first)
    rows = first.sum(axis=1) @ second.sum(axis=1)
    return product + first.sum() * second.sum() / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)


class ResampledCka:
    """Debiased CKA of embeddings with one reference, in resamples of the objects.

    Objects are drawn with replacement. The debiased estimate is a mean over distinct objects; two draws of one object
    are not distinct and are left out, or copies would raise every similarity [1]. Features are centred once, over
    all objects.

    Parameters
    ----------
    reference : (n, d) array, n >= 4
    n_boot : int
    seed : int

    References
    ----------
    [1] Schuett, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12, e82566.
    """

    def __init__(self, reference, *, n_boot=1000, seed=0):
        weights = resample_weights(np.random.default_rng(seed), n_boot, len(reference))
        # The kernels have unit scale, and single precision is far finer than the width of an interval.
        self._weights, self._squares = weights.astype(np.float32), (weights**2).astype(np.float32)
        s1, s2, s3, s4 = ((weights**power).sum(axis=1) for power in (1, 2, 3, 4))
        self._n_pairs = s1**2 - s2
        self._n_triples = s1**3 - 3 * s1 * s2 + 2 * s3
        self._n_quadruples = s1**4 - 6 * s1**2 * s2 + 3 * s2**2 + 8 * s1 * s3 - 6 * s4
        self._reference = self._prepare(reference)
        self._own = self._hsic(self._reference, self._reference)

    def samples(self, embedding):
        """(n_boot,) values of `linear_cka(embedding, reference)`; NaN where a resample does not vary."""
        if len(embedding) != self._weights.shape[1]:
            raise InputError(
                f"The reference has {self._weights.shape[1]} objects, but this embedding has {len(embedding)}."
            )
        prepared = self._prepare(embedding)
        shared, own = self._hsic(prepared, self._reference), self._hsic(prepared, prepared)
        scale = np.sqrt(np.maximum(own, 0) * np.maximum(self._own, 0))
        return np.where(scale > 0, shared / np.where(scale > 0, scale, 1), np.nan)

    def interval(self, embedding, confidence=0.95):
        """(low, high) of the percentile bootstrap."""
        return percentile_interval(self.samples(embedding), confidence)

    def _prepare(self, x):
        kernel = _kernel(x, debiased=True).astype(np.float32)
        return kernel, self._weights @ kernel

    def _hsic(self, first, second):
        """Weighted means over pairs, triples and quadruples of distinct objects, for every resample."""
        product = first[0] * second[0]

        def total(a, b):
            return np.einsum("bi,bi->b", a, b, dtype=np.float64)

        rows = first[1] * second[1]
        squares = self._squares @ product
        pairs = total(self._weights @ product, self._weights)
        triples = total(rows, self._weights) - total(squares, self._weights)
        grand = total(first[1], self._weights) * total(second[1], self._weights)
        quadruples = grand - 4 * total(rows, self._squares) + 2 * total(squares, self._squares)
        return pairs / self._n_pairs + quadruples / self._n_quadruples - 2 * triples / self._n_triples
