"""The data of one alignment: two dissimilarity matrices, their marginals, and how good a plan is."""

from dataclasses import dataclass

import numpy as np

from repalign.errors import InputError, listed
from repalign.rdm import METRICS, dissimilarity

PRECOMPUTED = "precomputed"


@dataclass(frozen=True)
class Problem:
    """Dissimilarities C (n1, n1) and D (n2, n2), float64, with marginals p (n1,) and q (n2,)."""

    source: np.ndarray
    target: np.ndarray
    p: np.ndarray
    q: np.ndarray

    @property
    def shape(self):
        return len(self.p), len(self.q)

    @property
    def spread(self):
        """Product of the standard deviations of C and D, the scale on which epsilon means something."""
        return _weighted_std(self.source, self.p) * _weighted_std(self.target, self.q)

    def loss(self, plan):
        """Unregularised square loss: sum over i, j, k, l of (C_ik - D_jl)^2 T_ij T_kl.

        Uses the plan's own marginals, so it is exact for any non-negative plan.
        """
        plan = np.asarray(plan, dtype=np.float64)
        rows, columns = plan.sum(axis=1), plan.sum(axis=0)
        # Subtracting one number from both matrices leaves the loss alone and spares digits.
        centre = rows @ self.source @ rows / max(rows.sum() ** 2, np.finfo(float).tiny)
        c, d = self.source - centre, self.target - centre
        squares = rows @ (c * c) @ rows + columns @ (d * d) @ columns
        return float(squares - 2 * np.vdot(c @ plan @ d, plan))

    def marginal_error(self, plan):
        """Largest of the two L1 distances between the plan's marginals and p, q (total mass is 1)."""
        rows, columns = np.sum(plan, axis=1, dtype=np.float64), np.sum(plan, axis=0, dtype=np.float64)
        return float(max(np.abs(rows - self.p).sum(), np.abs(columns - self.q).sum()))


def _weighted_std(matrix, weights):
    mean = weights @ matrix @ weights
    return float(np.sqrt(max(weights @ (matrix - mean) ** 2 @ weights, 0)))


def make_problem(source, target, *, metric="cosine", histogram_matching=False, p=None, q=None):
    """Turn two embeddings, or two matrices, into a `Problem`.

    Parameters
    ----------
    source, target : (n1, d1), (n2, d2) arrays
        Embeddings, or square dissimilarity matrices where `metric` is "precomputed".
    metric : str
        One of `repalign.rdm.METRICS`, or "precomputed".
    histogram_matching : bool
        Give the target's dissimilarities the distribution of the source's: each value off the diagonal is replaced
        by the source's value of the same rank (interpolated where the sizes differ). Uses no labels.
    p, q : (n1,), (n2,) arrays, optional
        Weights of the objects; uniform by default.

    Raises
    ------
    InputError
        Wrong shape, NaN, infinities, asymmetric or constant dissimilarities, weights that are not a distribution.
    """
    matrices = []
    for name, array in (("source", source), ("target", target)):
        array = np.asarray(array, dtype=np.float64)
        if array.ndim != 2 or len(array) < 2:
            raise InputError(f"The {name} has shape {array.shape}; give at least two rows of a 2-d array.")
        if (bad := np.flatnonzero(~np.isfinite(array).all(axis=1))).size:
            raise InputError(
                f"Row {listed(bad)} of the {name} holds NaN or infinity; drop or repair these objects."
            )
        matrices.append(
            _precomputed(array, name) if metric == PRECOMPUTED else _computed(array, metric, name)
        )
    if histogram_matching:
        matrices[1] = match_histogram(matrices[1], matrices[0])
    sizes = [len(matrix) for matrix in matrices]
    return Problem(*matrices, _weights(p, sizes[0], "p"), _weights(q, sizes[1], "q"))


def _computed(array, metric, name):
    if metric not in METRICS:
        raise InputError(f"Unknown metric '{metric}'; choose one of {', '.join(METRICS)} or {PRECOMPUTED}.")
    return _varied(dissimilarity(array, metric), name)


def _precomputed(array, name):
    if array.shape[0] != array.shape[1]:
        raise InputError(
            f"The {name} has shape {array.shape}, but metric 'precomputed' needs a square dissimilarity matrix; "
            "name the metric to compute one from an embedding."
        )
    if not np.allclose(array, array.T, rtol=1e-5, atol=1e-8 * np.abs(array).max()):
        raise InputError(f"The {name} matrix is not symmetric; give one dissimilarity per pair.")
    return _varied((array + array.T) / 2, name)


def _varied(matrix, name):
    off_diagonal = matrix[~np.eye(len(matrix), dtype=bool)]
    if np.ptp(off_diagonal) <= 1e-12 * np.abs(off_diagonal).max():
        raise InputError(
            f"All dissimilarities of the {name} are equal, so nothing can be aligned; check its features."
        )
    return matrix


def _weights(weights, n, name):
    if weights is None:
        return np.full(n, 1 / n)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n,) or not (weights > 0).all() or not np.isclose(weights.sum(), 1, atol=1e-6):
        raise InputError(f"The weights {name} must be {n} positive numbers that sum to 1.")
    return weights / weights.sum()


def match_histogram(matrix, reference):
    """Replace each value off the diagonal of `matrix` by the value of the same rank in `reference`.

    Both are symmetric; ranks are over pairs i < j, ties broken by position. Returns a new symmetric matrix with the
    diagonal kept.
    """
    upper = np.triu_indices(len(matrix), k=1)
    values = np.sort(reference[np.triu_indices(len(reference), k=1)])
    order = np.argsort(matrix[upper], kind="stable")
    matched = np.empty(len(order))
    if len(values) == len(order):
        matched[order] = values
    else:
        ranks = (np.arange(len(order)) + 0.5) / len(order)
        matched[order] = np.interp(ranks, (np.arange(len(values)) + 0.5) / len(values), values)
    out = np.diag(np.diag(matrix)).astype(np.float64)
    out[upper] = matched
    return out + np.triu(out, k=1).T
