"""One system of objects as Gromov-Wasserstein sees it: its dissimilarities split into constants and a core."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from repalign.errors import InputError, listed
from repalign.measures.rdm import METRICS, dissimilarity, unit_rows

PRECOMPUTED = "precomputed"
LOW_RANK = ("cosine", "correlation", "dot", "sqeuclidean")


@dataclass(frozen=True)
class Dissimilarities:
    """Dissimilarities C_ik = mean + linear_i + linear_k + core_ik, where weights @ linear = 0, weights @ core = 0.

    Marginals are fixed, so `mean` drops out of the gradient and `linear` enters as one rank; only the core costs time.
    For cosine, correlation, dot and squared Euclidean dissimilarities the core is -F F' with one row of F per object.

    Attributes
    ----------
    weights : (n,) array
    mean : float
    linear : (n,) array
    factor : (n, r) array or None
        F, where the metric has one.
    dense : (n, n) array or None
        The core, where it has not.
    """

    weights: np.ndarray
    mean: float
    linear: np.ndarray
    factor: np.ndarray | None = None
    dense: np.ndarray | None = None

    def __len__(self):
        return len(self.weights)

    @property
    def matrix(self):
        """C itself, (n, n)."""
        return self.rows(slice(None))

    def rows(self, index):
        """Some rows of C."""
        core = self.dense[index] if self.factor is None else -self.factor[index] @ self.factor.T
        return self.mean + self.linear[index, None] + self.linear + core

    def apply(self, matrix):
        """The core times a matrix (n, m)."""
        return self.dense @ matrix if self.factor is None else -self.factor @ (self.factor.T @ matrix)

    @cached_property
    def core_square(self):
        """Weighted mean square of the core."""
        return float(self.weights @ self.core_square_rows)

    @cached_property
    def core_square_rows(self):
        """(n,) weighted mean square of each row of the core."""
        if self.factor is not None:
            gram = self.factor.T @ (self.weights[:, None] * self.factor)
            return np.einsum("ij,ij->i", self.factor @ gram, self.factor)
        return (self.dense * self.dense) @ self.weights

    @property
    def spread(self):
        """Weighted standard deviation of C."""
        return float(np.sqrt(2 * self.weights @ self.linear**2 + self.core_square))

    @cached_property
    def scale(self):
        """Largest eigenvalue of the core as an operator under the weights, in size."""
        root = np.sqrt(self.weights)
        if self.factor is not None:
            scaled = root[:, None] * self.factor
            gram = scaled.T @ scaled if scaled.shape[1] <= len(scaled) else scaled @ scaled.T
            return float(np.linalg.eigvalsh(gram)[-1])
        vector = np.random.default_rng(0).standard_normal(len(root))
        for _ in range(30):
            vector = root * (self.dense @ (root * vector))
            size = np.linalg.norm(vector)
            vector /= size
        return float(size)


def make_system(array, weights=None, *, metric="cosine", name="source"):
    """Split the dissimilarities of an embedding, or a dissimilarity matrix, into `Dissimilarities`.

    Parameters
    ----------
    array : (n, d) array
        Embedding; or a symmetric (n, n) matrix where `metric` is "precomputed".
    weights : (n,) array, optional
        Uniform by default.
    metric : str
        One of `repalign.measures.rdm.METRICS`, or "precomputed".
    name : str
        What to call it in errors.

    Raises
    ------
    InputError
        Wrong shape, NaN, infinities, asymmetric or constant dissimilarities, weights that are not a distribution.
    """
    array = np.asarray(array, dtype=np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise InputError(f"The {name} has shape {array.shape}; give at least two rows of a 2-d array.")
    if (bad := np.flatnonzero(~np.isfinite(array).all(axis=1))).size:
        raise InputError(
            f"Row {listed(bad)} of the {name} holds NaN or infinity; drop or repair these objects."
        )
    weights = _checked_weights(weights, len(array), name)
    if metric in LOW_RANK:
        system = _factored(array, metric, weights)
    elif metric == PRECOMPUTED:
        system = centred(_symmetric(array, name), weights)
    elif metric in METRICS:
        system = centred(dissimilarity(array, metric), weights)
    else:
        raise InputError(f"Unknown metric '{metric}'; choose one of {', '.join(METRICS)} or {PRECOMPUTED}.")
    if not system.spread > 1e-9 * (abs(system.mean) + np.finfo(float).tiny):
        raise InputError(
            f"All dissimilarities of the {name} are equal, so nothing can be aligned; check its features."
        )
    return system


def centred(matrix, weights):
    """Split a symmetric matrix: weighted double centring."""
    rows = matrix @ weights
    mean = float(weights @ rows)
    linear = rows - mean
    return Dissimilarities(weights, mean, linear, dense=matrix - mean - linear[:, None] - linear)


def _factored(embedding, metric, weights):
    x = embedding
    if metric in ("cosine", "correlation"):
        x = unit_rows(x, metric)
    centre = weights @ x
    x = x - centre
    if metric == "sqeuclidean":
        squares = np.einsum("ij,ij->i", x, x)
        mean = weights @ squares
        return Dissimilarities(weights, float(2 * mean), squares - mean, factor=_thin(np.sqrt(2) * x))
    offset = 0.0 if metric == "dot" else 1.0
    return Dissimilarities(weights, float(offset - centre @ centre), -(x @ centre), factor=_thin(x))


def _thin(factor):
    """The same F F' with at most n columns."""
    n, d = factor.shape
    if d <= n:
        return factor
    left, values, _ = np.linalg.svd(factor, full_matrices=False)
    return left * values


def _symmetric(array, name):
    if array.shape[0] != array.shape[1]:
        raise InputError(
            f"The {name} has shape {array.shape}, but metric 'precomputed' needs a square dissimilarity matrix; "
            "name the metric to compute one from an embedding."
        )
    if not np.allclose(array, array.T, rtol=1e-5, atol=1e-8 * np.abs(array).max()):
        raise InputError(f"The {name} matrix is not symmetric; give one dissimilarity per pair.")
    return (array + array.T) / 2


def _checked_weights(weights, n, name):
    if weights is None:
        return np.full(n, 1 / n)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n,) or not (weights > 0).all() or not np.isclose(weights.sum(), 1, atol=1e-6):
        raise InputError(f"The weights of the {name} must be {n} positive numbers that sum to 1.")
    return weights / weights.sum()
