"""The tables of the convexity study, and published numbers beside ours."""

import numpy as np
import pandas as pd

from repalign.correlations import variant_of
from repalign.sheets import ALIASES, resolve_layer

MEASURES = {"oooa": "odd_one_out", "convexity": "convexity"}


def transform_table(scores, models, finetuned):
    """Odd-one-out accuracy and convexity of every transformed layer, before and after (published tables 1, 4-8).

    Parameters
    ----------
    scores : tidy table of `repalign.aggregate.layer_scores`
    models : dict of model to its descriptive fields
    finetuned : dict of pretrained models to their fine-tuned versions

    Returns
    -------
    data frame, in percent: model, variant, layer, position (first, middle, last or ''), then for each measure its
    value before and the change; held-out accuracy before and after
    """
    values = scores.pivot_table(index=["model", "layer"], columns="metric", values="value", sort=False)
    rows = []
    for (model, layer), row in values.iterrows():
        if not np.isfinite(row.get("odd_one_out_naive", np.nan)):
            continue
        before, after = row["odd_one_out_held_out"], row["odd_one_out_naive_held_out"]
        rows.append(
            {
                **{"model": model, "variant": variant_of(model, finetuned), "layer": layer},
                "position": position(layer, models[model]["layers"]),
                "oooa": row["odd_one_out"],
                "oooa_change": row["odd_one_out_naive"] - row["odd_one_out"],
                "oooa_held_out": before,
                "oooa_held_out_change": after - before,
                "convexity": row["convexity"],
                "convexity_change": row["convexity_naive"] - row["convexity"],
            }
        )
    columns = ["model", "variant", "layer", "position", "oooa", "oooa_change", "oooa_held_out"]
    table = pd.DataFrame(rows, columns=[*columns, "oooa_held_out_change", "convexity", "convexity_change"])
    table.iloc[:, 4:] *= 100
    return table


def position(layer, layers):
    """first, middle or last, or '' for a layer between; the last where a model has a single one."""
    names = [alias for alias in ALIASES if resolve_layer(alias, layers) == layer]
    return names[-1] if names else ""


def finetuning_table(scores, models, finetuned):
    """Convexity and odd-one-out accuracy of the last layer and their change by fine-tuning (published table 2)."""
    values = scores.pivot_table(index=["model", "layer"], columns="metric", values="value", sort=False)
    rows = []
    for before, after in finetuned.items():
        pair = [values.loc[(name, models[name]["layers"][-1])] for name in (before, after)]
        row = {"model": before, "finetuned": after}
        for name, metric in reversed(MEASURES.items()):
            row[name] = 100 * pair[0][metric]
            row[f"{name}_change"] = 100 * (pair[1][metric] - pair[0][metric])
        rows.append(row)
    return pd.DataFrame(
        rows, columns=["model", "finetuned", "convexity", "convexity_change", "oooa", "oooa_change"]
    )


def compare_published(published, scores, correlations, models, finetuned):
    """Every published number with ours, its interval and a verdict.

    Parameters
    ----------
    published : data frame with the columns source, kind (`value`, `transform`, `finetuning` or `correlation`), model
        (or group of layers), position, metric, value, unit; None where there are none
    scores, correlations : tidy table and output of `repalign.correlations.grouped_correlations`
    models, finetuned : as in `transform_table`

    Returns
    -------
    data frame: the published columns, ours, ci_low, ci_high, verdict: `agrees` where the published number lies within
    our interval (a change: where it has our sign and lies within the interval of the value after, minus ours before),
    `differs`, or `not run`
    """
    rows = []
    records = [] if published is None else published.to_dict("records")
    for record in records:
        ours = _ours(record, scores, correlations, models, finetuned)
        verdict = "not run"
        if ours is not None:
            # Published to one decimal (percent) or two (correlations): half a unit of the last place is no difference.
            margin = 0.005 if record["kind"] == "correlation" else 0.05
            low, high = (ours[1], ours[2]) if np.isfinite(ours[1]) else (ours[0], ours[0])
            verdict = "agrees" if low - margin <= record["value"] <= high + margin else "differs"
        value, low, high = ours or (np.nan, np.nan, np.nan)
        rows.append({**record, "ours": value, "ci_low": low, "ci_high": high, "verdict": verdict})
    columns = ["source", "kind", "model", "position", "metric", "value", "unit"]
    return pd.DataFrame(rows, columns=[*columns, "ours", "ci_low", "ci_high", "verdict"])


def _ours(record, scores, correlations, models, finetuned):
    """(value, low, high) in the unit of the published number, or None where it was not run."""
    if record["kind"] == "correlation":
        pearson = correlations[
            (correlations["method"] == "pearson") & (correlations["group"] == record["model"])
        ]
        found = pearson[["value", "ci_low", "ci_high"]].to_numpy()
        return tuple(map(float, found[0])) if len(found) and np.isfinite(found[0][0]) else None
    model, metric = record["model"], MEASURES[record["metric"]]
    if model not in models:
        return None
    before = _score(scores, models, model, record["position"], metric)
    if record["kind"] == "value":
        return before and tuple(100 * x for x in before)
    other = finetuned.get(model) if record["kind"] == "finetuning" else model
    if other is None or other not in models:
        return None
    after = _score(
        scores,
        models,
        other,
        record["position"],
        metric if record["kind"] == "finetuning" else f"{metric}_naive",
    )
    return before and after and tuple(100 * (x - before[0]) for x in after)


def _score(scores, models, model, alias, metric):
    layer = resolve_layer(alias, models[model]["layers"])
    found = scores[(scores["model"] == model) & (scores["layer"] == layer) & (scores["metric"] == metric)]
    found = found[found["status"] == "ok"]
    return tuple(found[["value", "ci_low", "ci_high"]].to_numpy(dtype=float)[0]) if len(found) else None
