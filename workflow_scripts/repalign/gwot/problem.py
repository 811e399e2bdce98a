"""The data of one alignment: two systems, and how good a plan between them is."""

from dataclasses import dataclass

import numpy as np

from repalign.gwot.loss import marginals, square_loss
from repalign.gwot.system import PRECOMPUTED, Dissimilarities, centred, make_system


@dataclass(frozen=True)
class Problem:
    """Two systems to align, and the loss of a plan between them."""

    source: Dissimilarities
    target: Dissimilarities

    @property
    def shape(self):
        return len(self.source), len(self.target)

    @property
    def p(self):
        return self.source.weights

    @property
    def q(self):
        return self.target.weights

    @property
    def spread(self):
        """Product of the standard deviations of C and D, the scale on which epsilon means something."""
        return self.source.spread * self.target.spread

    @property
    def critical_epsilon(self):
        """Epsilon above which the cores alone pull no plan away from the independent one, p q'.

        Linearising one projected-gradient step around p q' multiplies a perturbation by 4 s t / epsilon, s and t
        being the largest eigenvalues of the cores.
        """
        return 4 * self.source.scale * self.target.scale

    def loss(self, plan):
        """Unregularised square loss of a plan: sum over i, j, k, l of (C_ik - D_jl)^2 T_ij T_kl; see `square_loss`."""
        return square_loss(self.source, self.target, plan)

    def gradient(self, plan):
        """Gradient of the loss at a plan, (n1, n2), up to constants per row and column."""
        return -4 * (
            np.outer(self.source.linear, self.target.linear) + self.source.apply(self.target.apply(plan.T).T)
        )

    def marginal_error(self, plan):
        """Largest of the two L1 distances between the plan's marginals and p, q (total mass is 1)."""
        rows, columns = marginals(plan)
        return float(max(np.abs(rows - self.p).sum(), np.abs(columns - self.q).sum()))


def make_problem(source, target, *, metric="cosine", histogram_matching=False, p=None, q=None):
    """Turn two embeddings, or two matrices, into a `Problem`.

    Parameters
    ----------
    source, target : (n1, d1), (n2, d2) arrays
        Embeddings, or square dissimilarity matrices where `metric` is "precomputed".
    metric : str
        One of `repalign.measures.rdm.METRICS`, or "precomputed".
    histogram_matching : bool
        Give the target's dissimilarities the distribution of the source's: each value off the diagonal is replaced
        by the source's value of the same rank (interpolated where the sizes differ). Uses no labels.
    p, q : (n1,), (n2,) arrays, optional
        Weights of the objects; uniform by default.

    Raises
    ------
    InputError
        Unusable arrays, metric or weights: see `make_system`.
    """
    left = make_system(source, p, metric=metric, name="source")
    right = make_system(target, q, metric=metric, name="target")
    if histogram_matching:
        right = centred(match_histogram(right.matrix, left.matrix), right.weights)
    return Problem(left, right)


def aligned_inputs(first, second, metric):
    """Source, target and metric for `align`, where either may be known by a dissimilarity matrix alone.

    Parameters
    ----------
    first, second : `repalign.inputs.representations.System`
    metric : str
    """
    if "dissimilarity" in (first.kind, second.kind):
        return first.rdm(metric), second.rdm(metric), PRECOMPUTED
    return first.array, second.array, metric


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
