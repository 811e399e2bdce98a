"""Matching rates of one transport plan."""

from functools import partial

import numpy as np
import pandas as pd

from repalign.gwot.matching import (
    category_hits,
    category_rates,
    largest,
    matching_chance,
)
from repalign.gwot.truth import object_hits, ranks_of_truth
from repalign.inputs.things import OTHERS, membership_matrix
from repalign.statistics.intervals import share_interval
from repalign.storage.score_table import column_name, score_table

DIRECTIONS = ("rows", "columns")


def category_tables(concepts):
    """Category tables by the metric that matches by them, each an (n, c) membership matrix.

    `gwot_category` is the exclusive table without `others` (an object of `others` has no category and is left out),
    `gwot_category_others` the same with `others` as a category, `gwot_category_any` multi-membership.
    """
    exclusive, names = membership_matrix(concepts, "category")
    named = exclusive[:, [name != OTHERS for name in names]]
    return {
        "gwot_category": named,
        "gwot_category_others": exclusive,
        "gwot_category_any": membership_matrix(concepts, "categories")[0],
    }


def matching_scores(shared, plan, loss, concepts, *, ks, n_boot, confidence, seed):
    """Top-k and category matching rates in both directions, with intervals over objects and analytic chance.

    Parameters
    ----------
    shared : dict, the columns model, layer and reference
    plan : (n, n) array, rows are the human's objects, columns the model's
    loss : float, unregularised loss of the plan
    concepts : data frame of these n objects, see `repalign.inputs.things.read_concepts`
    ks : list of int, larger ones than n are left out
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`

    Returns
    -------
    data frame with the metrics `gwot_loss`, `gwot` and those of `category_tables`, the variants `top1`, `top5`, ...;
    matching from model to human is another metric, see `repalign.measures.registry.from_model_to_human`
    """
    rows = [{**shared, "metric": "gwot_loss", "value": loss, "n": len(plan), "seed": seed}]
    for metric, variant, hits, chance in _kinds(plan, concepts, ks):
        low, high = share_interval(hits, confidence)
        score = {"value": hits.mean(), "ci_low": low, "ci_high": high, "chance": chance(), "n": len(hits)}
        rows.append({**shared, "metric": metric, "variant": variant, **score, "seed": seed})
    return score_table(rows)


def matching_rates(plan, concepts, ks):
    """The rates of `matching_scores` alone, by the name of their column in a wide table: `gwot_top1`, ..."""
    return {
        column_name(metric, variant): float(hits.mean())
        for metric, variant, hits, _ in _kinds(plan, concepts, ks)
    }


def _kinds(plan, concepts, ks):
    """Every kind of match: its metric and variant, hits of the objects that count, and its chance as a function."""
    tables = {"gwot": None, **category_tables(concepts)}
    for k in (k for k in ks if k <= len(plan)):
        for metric, table in tables.items():
            for direction in DIRECTIONS:
                if table is None:
                    hits = object_hits(plan, k, direction)
                else:
                    hits = category_hits(plan, table, k, direction)[table.any(axis=1)]
                # Not by the declarations: a new measure would rerun the scores of every plan.
                name = metric if direction == "rows" else f"{metric}_columns"
                yield name, f"top{k}", hits, partial(matching_chance, len(plan), k, table)


def object_table(plan, concepts):
    """What a plan says of every object, in both directions.

    Returns
    -------
    data frame with one row per object: object, category, rank and rank_columns (how many partners beat the true one,
    ties counted in half; 0 is a hit), partner and partner_columns (the object with the largest entry)
    """
    objects = concepts["object"].to_numpy()
    columns = {"object": objects, "category": concepts["category"].to_numpy()}
    for direction, suffix in zip(DIRECTIONS, ("", "_columns"), strict=True):
        columns[f"rank{suffix}"] = ranks_of_truth(plan, direction)
        columns[f"partner{suffix}"] = objects[largest(plan, 1, direction)[:, 0]]
    return pd.DataFrame(columns)


def category_table(plan, concepts, ks):
    """Matching rates within every category of the exclusive table (`others` too).

    Returns
    -------
    data frame with one row per category, k and direction: category, n, k, direction, object_rate, category_rate
    """
    members, names = membership_matrix(concepts, "category")
    rows = []
    for k in (k for k in ks if k <= len(plan)):
        for direction in DIRECTIONS:
            found, shared = category_rates(plan, members, k, direction)
            rows.append(
                pd.DataFrame(
                    {
                        "category": names,
                        "n": np.asarray(members).sum(axis=0).astype(int),
                        "k": k,
                        "direction": direction,
                        "object_rate": found,
                        "category_rate": shared,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)
