"""The leaderboard: a row a model, the main measures with their intervals."""

import pandas as pd

from repalign.labels import shown
from repalign.report.payload import MAIN, is_rate


def leaderboard(scores, models):
    """Rows and columns of the leaderboard.

    Parameters
    ----------
    scores : tidy table, one layer a model (`repalign.analysis.layer_scores.readouts`)
    models : dict of model to its sheet row

    Returns
    -------
    (list of column dict: metric, human, label; list of row dict: model, paradigm, fields, cells)

    A cell has `value` (number to sort by), `text`, `interval`; the best model of a column (people left out) has `best`.
    """
    kept = scores[(scores["status"] == "ok") & scores["metric"].isin(list(MAIN))]
    keys = kept[["metric", "human"]].drop_duplicates().to_records(index=False).tolist()
    keys.sort(key=lambda key: list(MAIN).index(key[0]))
    several = {metric for metric, _ in keys if sum(other == metric for other, _ in keys) > 1}
    columns = [
        {
            **{"metric": metric, "human": human, "rate": is_rate(metric)},
            "label": MAIN[metric][0] + (f", {shown(human)}" if metric in several else ""),
        }
        for metric, human in keys
    ]
    found = {(r["model"], r["metric"], r["human"]): r for r in kept.to_dict("records")}
    rows = []
    for name, row in models.items():
        cells = [_cell(found.get((name, metric, human))) for metric, human in keys]
        rows.append({"model": name, "row": row, "cells": cells})
    for index in range(len(columns)):
        ranked = [r for r in rows if r["cells"][index] and r["row"]["paradigm"] not in ("human", "random")]
        if ranked:
            max(ranked, key=lambda r: r["cells"][index]["value"])["cells"][index]["best"] = True
    return columns, rows


def _cell(record):
    if record is None:
        return None
    factor, places = (100, 1) if is_rate(record["metric"]) else (1, 3)
    interval = ""
    if pd.notna(record["ci_low"]):
        interval = f"{factor * record['ci_low']:.{places}f}–{factor * record['ci_high']:.{places}f}"
    return {"value": record["value"], "text": f"{factor * record['value']:.{places}f}", "interval": interval}
