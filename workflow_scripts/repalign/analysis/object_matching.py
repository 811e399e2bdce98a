"""Which objects a transport plan finds: one row per object, with its closest partners."""

import numpy as np
import pandas as pd

from repalign.gwot.matching import category_hits, largest
from repalign.gwot.truth import ranks_of_truth
from repalign.inputs.things import OTHERS, membership_matrix


def object_matches(plan, concepts, partners=5):
    """What the plan says of every object, in both directions.

    Parameters
    ----------
    plan : (n, n) array
        Rows human, columns model.
    concepts : data frame
        The n objects in the order of the plan: object, category (exclusive).
    partners : int
        How many of the largest entries of each row (and column) to keep.

    Returns
    -------
    data frame, n rows for each direction: direction (`rows`: from human to model), object, category, rank (0 where
    the true object comes first, ties counted in half), matched and category_matched (0 or 1; the latter NaN for objects
    in no category), partner_1 ... and mass_1 ... (the partner's share of the object's mass).
    """
    names = concepts["object"].to_numpy()
    exclusive, categories = membership_matrix(concepts, "category")
    named = exclusive[:, [name != OTHERS for name in categories]]
    frames = []
    for direction in ("rows", "columns"):
        mass = plan if direction == "rows" else plan.T
        chosen = largest(plan, partners, direction)
        share = np.take_along_axis(mass, chosen, axis=1) / mass.sum(axis=1, keepdims=True)
        rank = ranks_of_truth(plan, direction)
        frame = pd.DataFrame(
            {"direction": direction, "object": names, "category": concepts["category"].to_numpy()}
        )
        frame["rank"] = rank
        frame["matched"] = (rank < 1).astype(np.int8)
        hits = category_hits(plan, named, 1, direction).astype(float)
        frame["category_matched"] = np.where(named.any(axis=1), hits, np.nan)
        for k in range(chosen.shape[1]):
            frame[f"partner_{k + 1}"] = names[chosen[:, k]]
            frame[f"mass_{k + 1}"] = share[:, k].astype(np.float32)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def outcomes(plan, category):
    """What each of the model's objects is matched to: itself (`object`), another of its `category`, or `neither`."""
    category = np.asarray(category)
    chosen = largest(plan, 1, "columns")[:, 0]
    alike = (category[chosen] == category) & (category != OTHERS)
    return np.where(ranks_of_truth(plan, "columns") < 1, "object", np.where(alike, "category", "neither"))


def category_summary(matches):
    """Matching rates within every category, from human to model.

    Parameters
    ----------
    matches : data frame of `object_matches` with the columns human and model

    Returns
    -------
    data frame: human, model, category, matched, category_matched (rates), n
    """
    rows = matches[(matches["direction"] == "rows") & (matches["category"] != OTHERS)]
    grouped = rows.groupby(["human", "model", "category"], sort=False, observed=True)
    return grouped.agg(
        matched=("matched", "mean"), category_matched=("category_matched", "mean"), n=("object", "size")
    ).reset_index()
