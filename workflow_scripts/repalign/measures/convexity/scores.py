"""Convexity of one layer: one row per category and number of neighbours, and the mean."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.inputs.things import OTHERS, membership_matrix
from repalign.measures.convexity.graph import graph_convexity
from repalign.measures.convexity.intervals import graph_convexity_samples, subset_intervals
from repalign.storage.score_table import CATEGORIES, score_table

MEAN = "MEAN"
# What the config calls the memberships, and the column of the concepts that holds them.
MEMBERSHIPS = {"exclusive": "category", "multiple": "categories"}


def category_members(concepts, objects, column="category"):
    """Memberships of points in categories.

    Parameters
    ----------
    concepts : data frame of `repalign.inputs.things.read_concepts`
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


def study_memberships(setting):
    """The memberships that the config asks for, the study's own first: `both` means exclusive, then multiple."""
    return list(MEMBERSHIPS) if setting == "both" else [setting]


def convexity_scores(
    labels, features, concepts, objects, settings, *, original=None, confidence, seed, workers=1
):
    """Graph convexity under the study's settings and for every other number of neighbours asked for.

    Parameters
    ----------
    labels : dict, columns that every row shares (model, layer, space)
    features : (n, d) array
    concepts, objects : see `category_members`
        Points in no class are left out of the graph, as the convexity study does.
    settings : the config key `convexity`
    original : (n, d_0) array, optional
        The points before a transform: the change from them is reported too.
    confidence, seed : see `repalign.statistics.subsampling`
    workers : int

    Returns
    -------
    data frame: the shared columns, memberships, n_neighbours, category (`MEAN` last), value, sem, ci_low, ci_high,
    chance, change, change_low, change_high, n (points), pairs, seed; the study's memberships and number of neighbours
    come first. Intervals, over points (see `repalign.measures.convexity.intervals`), and changes are those of the
    study's number of neighbours.
    """
    tables = []
    for memberships in study_memberships(settings["categories"]):
        members, classes = category_members(concepts, objects, MEMBERSHIPS[memberships])
        inside = members.any(axis=1)
        members = members[inside]
        # A small study has too few points for the largest numbers, which are for a figure only.
        others = [number for number in settings["sensitivity"] if number < inside.sum()]
        for n_neighbours in dict.fromkeys([settings["n_neighbours"], *others]):
            exact = n_neighbours == settings["n_neighbours"]
            options = {"metric": settings["metric"], "workers": workers}
            shared = (members, n_neighbours, settings["pairs"], seed)
            result = graph_convexity(
                features[inside], *shared, **options, n_permutations=settings["permutations"]
            )
            table = class_rows(result, classes, len(members))
            if exact:
                samples, m = graph_convexity_samples(features[inside], *shared, **options)
                own = (len(members), m, confidence)
                table[["ci_low", "ci_high"]] = subset_intervals(table["value"], samples, *own)
            if exact and original is not None:
                before = graph_convexity(original[inside], *shared, **options)
                table["change"] = table["value"] - [*before.per_class, before.mean]
                samples = samples - graph_convexity_samples(original[inside], *shared, **options)[0]
                changes = subset_intervals(table["change"], samples, *own, lowest=-1)
                table[["change_low", "change_high"]] = changes
            tables.append(
                table.assign(**labels, memberships=memberships, n_neighbours=n_neighbours, seed=seed)
            )
    columns = [*labels, *COLUMNS]
    return pd.concat([table.reindex(columns=columns) for table in tables], ignore_index=True)


COLUMNS = [
    *("memberships", "n_neighbours", "category", "value", "sem", "ci_low", "ci_high", "chance"),
    *("change", "change_low", "change_high", "n", "pairs", "seed"),
]


def class_rows(result, classes, n_all):
    """The columns of one `Convexity` of n_all points, one row per class and their mean."""
    return pd.DataFrame(
        {
            "category": [*classes, MEAN],
            "value": [*result.per_class, result.mean],
            "sem": [*result.sem_per_class, result.sem],
            "chance": [*result.chance_per_class, result.chance],
            "n": [*result.n_points, n_all],
            "pairs": [*result.n_pairs, result.n_pairs.sum()],
        }
    )


def summary_rows(table, n_neighbours):
    """The means of one layer as rows of the tidy table, metric `convexity`.

    The study's own memberships in the original space are the empty variant. Other memberships and the space after a
    transform give theirs their name (`multiple`, `naive`, `multiple_naive`), and `change` is that from the original
    space (`naive_change`).
    """
    means = table[(table["category"] == MEAN) & (table["n_neighbours"] == n_neighbours)]
    rows = []
    for position, row in enumerate(means.to_dict("records")):
        words = [] if position == 0 else [row["memberships"]]
        words += [] if row["space"] == "original" else [row["space"]]
        shared = {key: row[key] for key in ("model", "layer", "n", "seed")}
        shared |= {"metric": "convexity", "reference": CATEGORIES}
        scores = {key: row[key] for key in ("value", "ci_low", "ci_high", "chance")}
        rows.append(shared | scores | {"variant": "_".join(words)})
        if pd.notna(row["change"]):
            change = {"value": row["change"], "ci_low": row["change_low"], "ci_high": row["change_high"]}
            rows.append(shared | change | {"variant": "_".join([*words, "change"])})
    return score_table(rows)
