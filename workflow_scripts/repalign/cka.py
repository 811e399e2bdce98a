"""Centred kernel alignment (CKA)."""

import numpy as np

from repalign.errors import InputError


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
