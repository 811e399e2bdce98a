"""The leaderboard: one row per model, the main measures with their intervals."""

import pandas as pd

from repalign.labels import shown
from repalign.measures.registry import headline_rows, in_leaderboard, measure_of
from repalign.storage.score_table import KEYS


def leaderboard(scores, models):
    """Rows and columns of the leaderboard.

    Parameters
    ----------
    scores : tidy table, one layer per model (`repalign.analysis.layer_scores.readouts`)
    models : dict of model to its sheet row

    Returns
    -------
    (list of column dict: metric, variant, reference, rate, label; list of row dict: model, paradigm, fields, cells)

    A cell has `value` (number to sort by), `text`, `interval`; the best model of a column (people left out) has `best`.
    """
    kept = headline_rows(scores[scores["status"] == "ok"], in_leaderboard())
    order = [measure.metric for measure in in_leaderboard()]
    kept = kept.sort_values("metric", key=lambda metrics: metrics.map(order.index), kind="stable")
    keys = kept[list(KEYS)].drop_duplicates()
    several = keys.groupby(["metric", "variant"])["reference"].transform("size") > 1
    columns = [
        {
            **key,
            "rate": measure_of(key["metric"]).is_rate,
            "label": measure_of(key["metric"]).name + (f", {shown(key['reference'])}" if many else ""),
        }
        for key, many in zip(keys.to_dict("records"), several, strict=True)
    ]
    found = {tuple(record[name] for name in ("model", *KEYS)): record for record in kept.to_dict("records")}
    rows = []
    for name, row in models.items():
        cells = [_cell(found.get((name, *(column[key] for key in KEYS)))) for column in columns]
        rows.append({"model": name, "row": row, "cells": cells})
    for index in range(len(columns)):
        ranked = [r for r in rows if r["cells"][index] and r["row"]["paradigm"] not in ("human", "random")]
        if ranked:
            best = max if measure_of(columns[index]["metric"]).higher_is_better else min
            best(ranked, key=lambda r: r["cells"][index]["value"])["cells"][index]["best"] = True
    return columns, rows


def _cell(record):
    if record is None:
        return None
    factor, places = (100, 1) if measure_of(record["metric"]).is_rate else (1, 3)
    interval = ""
    if pd.notna(record["ci_low"]):
        interval = f"{factor * record['ci_low']:.{places}f}–{factor * record['ci_high']:.{places}f}"
    return {"value": record["value"], "text": f"{factor * record['value']:.{places}f}", "interval": interval}
