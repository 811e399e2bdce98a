"""Matching rates without correspondence, by simulation: structure-free noise."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from repalign.gwot.alignment import align
from repalign.gwot.matching import matching_rate
from repalign.gwot.problem import make_problem


@dataclass(frozen=True)
class SimulatedChance:
    """Matching rates under no correspondence: one per simulation, their mean, and an interval of the mean."""

    rates: np.ndarray
    mean: float
    low: float
    high: float


def chance_of_noise(
    n, features, pairs, *, relative_epsilon, k=1, categories=None, seed=0, confidence=0.99, **settings
):
    """Align pairs of independent Gaussian embeddings: the rate that the method makes of no structure at all.

    Parameters
    ----------
    n, features, pairs : int
    relative_epsilon : (float, float)
        Range of epsilon in units of each pair's critical epsilon.
    k, categories :
        Of `matching_rate`.
    confidence : float
        Of the exact (Clopper-Pearson) binomial interval over the n * pairs objects.
    settings :
        Of `align`; the metric is cosine unless it names another.
    """
    rng = np.random.default_rng(seed)
    rates = []
    for number in range(pairs):
        source, target = rng.standard_normal((2, n, features))
        critical = make_problem(source, target, metric=settings.get("metric", "cosine")).critical_epsilon
        epsilon = tuple(critical * share for share in relative_epsilon)
        result = align(source, target, seed=number, epsilon=epsilon, **settings)
        rates.append(matching_rate(result.plan, k, categories))
    return _summary(rates, n * pairs, confidence)


def _summary(rates, draws, confidence):
    mean = float(np.mean(rates))
    interval = binomtest(round(mean * draws), draws).proportion_ci(confidence, method="exact")
    return SimulatedChance(np.array(rates), mean, float(interval.low), float(interval.high))
