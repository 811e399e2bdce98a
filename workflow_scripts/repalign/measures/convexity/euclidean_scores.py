"""Euclidean convexity of the features that a model's own classifier reads."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.measures.convexity.classes import PairScores
from repalign.measures.convexity.euclidean import euclidean_convexity, linear_classifier
from repalign.measures.convexity.intervals import convexity_samples, layer_samples
from repalign.measures.convexity.scores import MEAN, category_members, class_rows
from repalign.statistics.bootstrap import percentile_interval
from repalign.storage.score_table import CATEGORIES, score_table

COLUMNS = ["category", "value", "sem", "ci_low", "ci_high", "chance", "n", "pairs", "seed"]


def head_members(concepts, objects, classes):
    """Memberships of points in the classes of a classifier that are named like categories or objects.

    Parameters
    ----------
    concepts : data frame of `repalign.inputs.things.read_concepts`
    objects : names of the points' objects, one a point
    classes : names of the classifier's outputs; `guitar, acoustic guitar` goes by any of its names

    Returns
    -------
    (n, n_outputs) boolean array: an output named like a category has its points as members, one named like an object
    the points of that object
    """
    members, names = category_members(concepts, objects, "categories")
    column = {_plain(name): members[:, index] for index, name in enumerate(names)}
    points = np.array([_plain(name) for name in objects])
    words = dict(
        zip(
            map(_plain, concepts["object"]),
            map(_plain, concepts.get("word", concepts["object"])),
            strict=True,
        )
    )
    called = np.array([words[name] for name in points])
    found = np.zeros((len(objects), len(classes)), dtype=bool)
    for index, name in enumerate(classes):
        for alias in {_plain(part) for part in str(name).split(",")}:
            found[:, index] |= column.get(alias, False) | (points == alias) | (called == alias)
    return found


def _plain(name):
    return " ".join(str(name).lower().replace("_", " ").replace("-", " ").split())


def euclidean_scores(labels, features, head, concepts, objects, settings, *, n_boot, confidence, seed):
    """Euclidean convexity of every class of a linear head, one row per class and their mean last.

    Only what the head reads has a score: from pooled features of an earlier layer the rest of the network cannot go
    on.

    Parameters
    ----------
    labels : dict, columns that every row shares (model, layer)
    features : (n, d) array, the input of the head; None where the model has no linear classifier
    head : dict of `weight` (n_outputs, d), `bias` (n_outputs,) and `classes` (names of the outputs, or none)
    concepts, objects : see `head_members`
    settings : dict with pairs and permutations, see the config key `convexity`, and members: `named` (see
        `head_members`) or `predicted` (the points that the classifier itself assigns to a class; their segments stay
        inside by theorem, whatever the head)
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`

    Returns
    -------
    data frame: the shared columns and `COLUMNS`, chance by permuted memberships; without rows where no class has two
    members
    """
    columns = [*labels, *COLUMNS]
    if features is None:
        return pd.DataFrame(columns=columns)
    if head["weight"].shape[1] != features.shape[1]:
        raise InputError(
            f"The classifier of {labels['model']} reads {head['weight'].shape[1]} features, but its layer "
            f"{labels['layer']} has {features.shape[1]}; extract both anew."
        )
    # The outputs of a linear head are linear along a segment, so they stand for the features.
    outputs = features.astype(np.float64) @ head["weight"].T.astype(np.float64) + head["bias"]
    winner = linear_classifier(np.eye(outputs.shape[1]))
    if settings["members"] == "predicted":
        members = winner(outputs)[:, None] == np.arange(outputs.shape[1])
    else:
        members = np.zeros((len(outputs), outputs.shape[1]), dtype=bool)
        if head["classes"]:
            members = head_members(concepts, objects, head["classes"])
    if (members.sum(axis=0) < 2).all():
        return pd.DataFrame(columns=columns)
    names = head["classes"] or range(members.shape[1])
    result = euclidean_convexity(outputs, members, winner, settings["pairs"], seed, classes=names)
    rng = np.random.default_rng(seed)
    permuted = [
        euclidean_convexity(
            outputs, members[rng.permutation(len(members))], winner, settings["pairs"], seed
        ).per_class
        for _ in range(settings["permutations"])
    ]
    used = np.flatnonzero(result.n_pairs)
    table = class_rows(result, result.classes, int(members.any(axis=1).sum()))
    table["chance"] = [*np.mean(permuted, axis=0), np.mean(permuted, axis=0)[used].mean()]
    both = _both_ways(result.pairs)
    samples = convexity_samples(both, members, n_boot=n_boot, seed=seed)
    samples = np.column_stack([samples, layer_samples(samples)])
    table[["ci_low", "ci_high"]] = [percentile_interval(column, confidence) for column in samples.T]
    return table.iloc[[*used, len(table) - 1]].assign(**labels, seed=seed)[columns]


def _both_ways(pairs):
    """Unordered pairs as ordered ones, as the samples need them."""
    first, second = np.concatenate([pairs.first, pairs.second]), np.concatenate([pairs.second, pairs.first])
    return PairScores(first, second, np.tile(pairs.which, 2), np.tile(pairs.score, 2))


def euclidean_summary(table, layers):
    """The mean as a row of the tidy table, none where there are no scores.

    What the classifier reads counts as the last of the model's `layers` (a dict by model) where it is none of them.
    """
    keys = ("model", "value", "ci_low", "ci_high", "chance", "n", "seed")
    rows = []
    for row in table[table["category"] == MEAN].to_dict("records"):
        own = layers[row["model"]]
        layer = row["layer"] if row["layer"] in own else own[-1]
        rows.append(
            {key: row[key] for key in keys}
            | {"layer": layer, "metric": "euclidean_convexity", "reference": CATEGORIES}
        )
    return score_table(rows)
