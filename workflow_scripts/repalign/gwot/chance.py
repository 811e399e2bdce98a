"""Matching rates of a plan whose correspondence is lost: the same plan, the objects of one side relabelled."""

from dataclasses import dataclass

import numpy as np

from repalign.statistics.bootstrap import percentile_interval

RELABELLINGS = 500
ROUNDING = 1e-9


@dataclass(frozen=True)
class Chance:
    """The mean rate over all relabellings, and the band that holds most of them."""

    mean: float
    low: float
    high: float


def object_chance(partners, *, relabellings=RELABELLINGS, confidence=0.95, seed=0):
    """Rate of object hits that remains when the objects of one side are relabelled at random; the mean is k / n.

    Parameters
    ----------
    partners : `repalign.gwot.matching.Partners`
    relabellings : int
        For the band; the mean is exact.
    confidence : float
        Share of the relabellings in the band.
    seed : int

    Returns
    -------
    Chance
    """
    hits = partners.object_hits()
    rates = _seekers_relabelled(hits, np.full(len(hits), 1 / len(hits)), relabellings, seed)
    mean = float(hits.mean(dtype=np.float64))
    return _chance(mean, *percentile_interval(rates, confidence))


def category_chance(partners, members, *, relabellings=RELABELLINGS, confidence=0.95, seed=0):
    """Rate of category hits that remains when the objects of one side are relabelled at random.

    The mean is that over all labels of the objects that look for partners, while the partners keep theirs. Partners
    are often neighbours of one category, which hit or miss together; partners drawn one by one (`matching_chance`)
    would hit far more often. For the band, the objects that look and their partners are relabelled in turn, and the
    wider spread counts: neighbours on the side that keeps its labels hit together as well, which the relabelling of
    that side alone would not show.

    Parameters
    ----------
    partners : `repalign.gwot.matching.Partners`
    members : (n, c) bools
        Membership table; objects in no category do not count.
    relabellings, confidence, seed : as in `object_chance`

    Returns
    -------
    Chance
    """
    hits = partners.category_hits(members)
    weights = members.any(axis=1) / members.any(axis=1).sum()
    mean = float(hits.mean(axis=0, dtype=np.float64) @ weights)
    spreads = [
        percentile_interval(rates - rates.mean(), confidence)
        for rates in (
            _seekers_relabelled(hits, weights, relabellings, seed),
            _partners_relabelled(partners, members, weights, relabellings, seed),
        )
    ]
    low, high = mean + min(low for low, _ in spreads), mean + max(high for _, high in spreads)
    return _chance(mean, low, high)


def _chance(mean, low, high):
    """A band whose ends lie inside it, whatever the rounding of the last digit of a rate."""
    return Chance(mean, max(low - ROUNDING, 0.0), min(high + ROUNDING, 1.0))


def _seekers_relabelled(hits, weights, relabellings, seed):
    """Rates (relabellings,) if row i is object labels[i], for random labels."""
    rng, rows = np.random.default_rng(seed), np.arange(len(hits))
    rates = np.empty(relabellings)
    for number in range(relabellings):
        labels = rng.permutation(len(hits))
        rates[number] = hits[rows, labels] @ weights[labels]
    return rates


def _partners_relabelled(partners, members, weights, relabellings, seed):
    """Rates (relabellings,) if partner j is object labels[j], for random labels."""
    rng = np.random.default_rng(seed)
    numbers = members.astype(np.float32)
    together = numbers @ numbers.T > 0
    counted = np.flatnonzero(weights)
    rows, chosen = counted[:, None], partners.drawn(rng)[counted]
    rates = np.empty(relabellings)
    for number in range(relabellings):
        labels = rng.permutation(len(members))
        rates[number] = together[rows, labels[chosen]].any(axis=1).mean()
    return rates
