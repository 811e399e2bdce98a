"""Convexity of one layer: one row per category and number of neighbours, and the mean."""

import numpy as np
import pandas as pd

from repalign.convexity.graph import graph_convexity
from repalign.errors import InputError
from repalign.scoring.rows import score_table
from repalign.statistics import mean_interval
from repalign.things import OTHERS, membership_matrix

MEAN = "MEAN"
JUDGES = "categories"


def category_members(concepts, objects, column="category"):
    """Memberships of points in categories.

    Parameters
    ----------
    concepts : data frame of `repalign.things.read_concepts`
    objects : names of the points' objects, one a point (several images may show one object)
    column : str
        `category` (exclusive) or `categories` (an object may be in several).

    Returns
    -------
    (n, n_categories) boolean array and the names; `others` is no category
    """
    members, names = membership_matrix(concepts, column)
    row = {name: index for index, name in enumerate(concepts["object"])}
    if missing := sorted(set(objects) - set(row)):
        raise InputError(
            f"The embedding holds the object {missing[0]}, which the concepts lack; rerun its extraction."
        )
    keep = [index for index, name in enumerate(names) if name != OTHERS]
    points = [row[name] for name in objects]
    return members[np.ix_(points, keep)], [names[index] for index in keep]


def convexity_scores(labels, features, members, classes, settings, *, n_boot, confidence, seed, workers=1):
    """Graph convexity under the study's settings and for every other number of neighbours asked for.

    Parameters
    ----------
    labels : dict, columns that every row shares (model, layer, space)
    features : (n, d) array
    members : (n, n_classes) boolean array
        Points in no class are left out of the graph, as the convexity study does.
    classes : names of the classes
    settings : the config key `convexity`
    n_boot, confidence, seed : see `repalign.statistics`; the interval of the mean is over classes
    workers : int

    Returns
    -------
    data frame: the shared columns, n_neighbours, category (`MEAN` last), value, sem, ci_low, ci_high, chance,
    n (points), pairs, seed; the study's number of neighbours comes first
    """
    inside = members.any(axis=1)
    # A small study has too few points for the largest numbers, which are for a figure only.
    others = [number for number in settings["sensitivity"] if number < inside.sum()]
    numbers = dict.fromkeys([settings["n_neighbours"], *others])
    rows = []
    for n_neighbours in numbers:
        result = graph_convexity(
            features[inside],
            members[inside],
            n_neighbours,
            settings["pairs"],
            seed,
            metric=settings["metric"],
            classes=classes,
            n_permutations=settings["permutations"],
            workers=workers,
        )
        shared = {**labels, "n_neighbours": n_neighbours, "seed": seed}
        for index, name in enumerate(result.classes):
            rows.append(
                {
                    **shared,
                    "category": name,
                    "value": result.per_class[index],
                    "sem": result.sem_per_class[index],
                    "chance": result.chance_per_class[index],
                    "n": int(result.n_points[index]),
                    "pairs": int(result.n_pairs[index]),
                }
            )
        scored = result.per_class[np.isfinite(result.per_class)]
        low, high = mean_interval(scored, n_boot=n_boot, confidence=confidence, seed=seed)
        rows.append(
            {
                **shared,
                "category": MEAN,
                "value": result.mean,
                "sem": result.sem,
                "ci_low": low,
                "ci_high": high,
                "chance": result.chance,
                "n": int(inside.sum()),
                "pairs": int(result.n_pairs.sum()),
            }
        )
    return pd.DataFrame(rows)


def summary_rows(table, n_neighbours):
    """The mean of one layer as a row of the tidy table: metric `convexity`, or `convexity_naive` in that space."""
    row = table[(table["category"] == MEAN) & (table["n_neighbours"] == n_neighbours)].iloc[0]
    metric = "convexity" if row["space"] == "original" else f"convexity_{row['space']}"
    keys = ("model", "layer", "value", "ci_low", "ci_high", "chance", "n", "seed")
    return score_table([{**{key: row[key] for key in keys}, "metric": metric, "human": JUDGES}])
