"""The data of the page's charts, as one JSON document."""

import base64
import gzip
import json
from collections import Counter

import numpy as np
import pandas as pd

from repalign.figures.style import paradigm_colours
from repalign.labels import paradigm_order, shown, spaced
from repalign.measures.registry import (
    MATCHING,
    headline_rows,
    in_leaderboard,
    is_headline,
    measure_of,
)
from repalign.storage.score_table import KEYS, column_name

SCORE_COLUMNS = [
    "model",
    "layer",
    "depth",
    "measure",
    "value",
    "ci_low",
    "ci_high",
    "chance",
    "ceiling",
]
TRIAL_COLUMNS = ["human", "model", "layer", "epsilon", "loss", "status", "start", "best", "top1", "seconds"]
RUN_COLUMNS = ["human", "model", "layer", "epsilon", "seed", "loss", "top1"]
MASS_STEPS = 1000


def payload(scores, models, matches, trials, runs, thumbnails):
    """The document of the page.

    Parameters
    ----------
    scores : tidy table of `repalign.analysis.layer_scores.layer_scores`
    models : dict of model to its sheet row, with `readout`
    matches : data frame of `repalign.analysis.object_matching.object_matches` with human, model and layer
    trials, runs : data frames of all trials, and of the sensitivity maps
    thumbnails : dict of object to a data URL; empty where no image may be shown

    Returns
    -------
    dict that `json` can write; NaN are null
    """
    names = dict.fromkeys(row["paradigm"] for row in models.values())
    colours = paradigm_colours(names)
    scores = scores[scores["status"] == "ok"]
    measures = menu(scores)
    ids = [measures[key]["id"] for key in zip(*(scores[name] for name in KEYS), strict=True)]
    return {
        "paradigms": [{"id": p, "label": shown(p), "colour": colours[p]} for p in paradigm_order(names)],
        "models": {name: _described(row) for name, row in models.items()},
        "measures": list(measures.values()),
        "scores": _columns(scores.assign(measure=ids), SCORE_COLUMNS),
        "trials": _columns(trials, TRIAL_COLUMNS),
        "runs": _columns(runs, RUN_COLUMNS),
        "explorer": _explorer(matches, thumbnails),
    }


def packed(document):
    """JSON, gzipped, in base64: nothing in it can be taken for markup."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")


def _described(row):
    return {field: ", ".join(value) if isinstance(value, list) else value for field, value in row.items()}


def menu(scores):
    """What the menus offer: (metric, variant, reference) to id, metric, label and whether it is a rate.

    The leaderboard's measures come first, in its order. A measure goes by its name, its other variants by their
    column's; the reference is named where there are several.
    """
    board = [measure.metric for measure in in_leaderboard()]
    keys = list(scores[list(KEYS)].drop_duplicates().itertuples(index=False, name=None))
    place = {metric: position for position, metric in enumerate(board)}
    keys.sort(key=lambda key: place.get(key[0], len(board)) if is_headline(*key[:2]) else len(board))
    several = Counter(key[:2] for key in keys)
    found = {}
    for metric, variant, reference in keys:
        measure = measure_of(metric)
        name = measure.name if is_headline(metric, variant) else spaced(column_name(metric, variant))
        label = name + (f", {shown(reference)}" if several[metric, variant] > 1 else "")
        label += " (%)" if measure.is_rate else ""
        key = metric, variant, reference
        found[key] = {"id": "|".join(key), "metric": metric, "label": label, "rate": measure.is_rate}
    return found


def _columns(frame, names):
    """A table as a dict of lists; texts as indices into their levels, numbers to six digits, NaN as null."""
    found = {}
    for name in (name for name in names if name in frame):
        column = frame[name]
        if pd.api.types.is_bool_dtype(column):
            found[name] = {"values": [int(x) for x in column]}
        elif pd.api.types.is_numeric_dtype(column):
            found[name] = {
                "values": [None if not np.isfinite(x) else float(f"{x:.6g}") for x in column.astype(float)]
            }
        else:
            levels = list(dict.fromkeys(column.astype(str)))
            place = {level: i for i, level in enumerate(levels)}
            found[name] = {"levels": levels, "values": [place[x] for x in column.astype(str)]}
    return found


def _explorer(matches, thumbnails):
    objects = matches.drop_duplicates("object").set_index("object")["category"]
    place = {name: i for i, name in enumerate(objects.index)}
    partners = [name for name in matches if name.startswith("partner_")]
    plans = []
    for (human, model, layer), own in matches.groupby(["human", "model", "layer"], sort=False):
        plan = {"human": human, "model": model, "layer": layer}
        for direction, rows in own.groupby("direction", sort=False):
            plan["objects"] = [place[name] for name in rows["object"]]
            plan[direction] = [[place[name] for name in rows[field]] for field in partners]
            mass = rows[[field.replace("partner", "mass") for field in partners]].to_numpy(dtype=float)
            plan[f"{direction}_mass"] = np.rint(MASS_STEPS * mass.T).astype(int).tolist()
        plans.append(plan)
    return {
        "objects": list(objects.index),
        "categories": [str(name) for name in objects],
        "images": [thumbnails.get(name) for name in objects.index] if thumbnails else [],
        "plans": plans,
    }


def study_facts(scores, matches, models, times):
    """The sentence below the title and the numbers beside it.

    Parameters
    ----------
    scores : tidy table, one layer per model
    matches : data frame of `repalign.analysis.object_matching.object_matches` with human and model
    models : dict of model to its sheet row
    times : data frame of `repalign.report.made_by.runtimes`
    """
    systems = [name for name, row in models.items() if row["paradigm"] not in ("human", "random")]
    top = headline_rows(scores[scores["model"].isin(systems) & (scores["status"] == "ok")], [MATCHING])
    summary = "How far these models see objects the way people do: unsupervised alignment, representational "
    summary += "similarity, odd-one-out agreement and convexity."
    if len(top):
        best = top.loc[top["value"].idxmax()]
        summary += (
            f" At best, {shown(best['model'])} has {best['value']:.1%} of the objects matched without labels"
        )
        summary += f" (against {shown(best['reference'])}; chance {best['chance']:.2%})."
    facts = [
        *(("models", len(systems)), ("people and controls", len(models) - len(systems))),
        *(("human representations", matches["human"].nunique()), ("objects", matches["object"].nunique())),
        *(
            ("measures", len(scores[["metric", "variant"]].drop_duplicates())),
            ("CPU hours", f"{times['cpu_hours'].sum():.2f}"),
        ),
        ("GPU hours", f"{times['gpu_hours'].sum():.2f}"),
    ]
    return {"summary": summary, "facts": facts}
