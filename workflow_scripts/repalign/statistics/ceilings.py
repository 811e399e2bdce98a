"""Noise ceilings: how well the best model could do, given how far people agree with each other."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from repalign.errors import InputError

Member = TypeVar("Member")


class Ceiling(NamedTuple):
    """Bounds of a noise ceiling from `n` members of a group."""

    lower: float
    upper: float
    n: int


def group_ceiling(
    members: Sequence[Member],
    average: Callable[[Sequence[Member]], Member],
    similarity: Callable[[Member, Member], float],
) -> Ceiling:
    """Noise ceiling of a measure from the members of one group [1].

    The lower bound compares each member with the average of the others, which holds nothing of itself. The upper bound
    compares it with the average of all, which does. The true model reaches a value between the two.

    Parameters
    ----------
    members : sequence
        What people gave, one entry per person: RDMs, kernels, embeddings on common axes.
    average : callable
        From several members to one of their kind (for RDMs `repalign.measures.rsa.average_rdm`).
    similarity : callable
        The measure, from two members to a float.

    Returns
    -------
    Ceiling

    Raises
    ------
    InputError
        Fewer than two members.

    References
    ----------
    [1] Nili, Wingfield, Walther, Su, Marslen-Wilson & Kriegeskorte (2014), PLoS Computational Biology 10, e1003553.
    """
    if len(members) < 2:
        raise InputError(
            f"A noise ceiling needs at least two members of a group, not {len(members)}; leave it out."
        )
    everyone = average(members)
    lower = [
        similarity(member, average([*members[:number], *members[number + 1 :]]))
        for number, member in enumerate(members)
    ]
    upper = [similarity(member, everyone) for member in members]
    return Ceiling(float(np.mean(lower)), float(np.mean(upper)), len(members))


def spearman_brown(reliability: float, factor: float = 2) -> float:
    """Reliability of `factor` times as many answers, from that between two equal parts of them.

    Parameters
    ----------
    reliability : float
        Correlation between the halves of a group (`factor` 2 gives that of the whole group).
    factor : float

    References
    ----------
    Spearman (1910) and Brown (1910), British Journal of Psychology 3, 271-295 and 296-322.
    """
    return factor * reliability / (1 + (factor - 1) * reliability)
