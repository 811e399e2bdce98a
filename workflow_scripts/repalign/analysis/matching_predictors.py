"""Does convexity predict how well categories are matched without labels? Predictors of GWOT matching over layers."""

import pandas as pd

from repalign.analysis.correlations import MEASURES, correlate, measure_of

# What is predicted: categories (coarse) and, to tell whether a predictor is about them, single objects (fine).
OUTCOMES = {"gwot_category_top1": "categories", "gwot_top1": "objects"}
COLUMNS = ["matching", "human", "predictor", "kind", "x", "y", "method"]
KINDS = ("overall", "within models", "given RSA")


def matching_predictors(table, finetuned, *, n_boot, confidence, seed):
    """How far every other measure predicts the matching of categories and of objects, over layers.

    Parameters
    ----------
    table : data frame of `repalign.analysis.correlations.joined`
    finetuned : dict of pretrained models to their fine-tuned versions
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`; families of models are the clusters

    Returns
    -------
    data frame: matching (`categories` or `objects`), human, predictor, kind, and Pearson correlation with interval.
    kind is `overall`; `within models` (both sides less the mean of their model: does a layer with more predict more
    than other layers of its model do?) or `given RSA` (the partial correlation: does it say more than RSA does?)
    """
    measures = {column: measure_of(column) for column in table.columns if measure_of(column)}
    within = table.copy()
    several = table.groupby("model")["layer"].transform("size") > 1
    within[list(measures)] = table[list(measures)] - table.groupby("model")[list(measures)].transform("mean")
    rows = []
    for outcome, (name, human) in measures.items():
        for predictor, (measure, other) in measures.items():
            if (
                name not in OUTCOMES
                or measure in OUTCOMES
                or (other and human and not _comparable(other, human))
            ):
                continue
            rsa = next((c for c, (m, h) in measures.items() if MEASURES[m] == "RSA" and h == human), None)
            for kind in KINDS:
                if kind == "given RSA" and rsa in (None, predictor):
                    continue
                found = correlate(
                    within[several] if kind == "within models" else table,
                    predictor,
                    outcome,
                    finetuned,
                    given=rsa if kind == "given RSA" else None,
                    n_boot=n_boot,
                    confidence=confidence,
                    seed=seed,
                )
                about = {
                    "matching": OUTCOMES[name],
                    "human": human,
                    "predictor": _label(measure, other, human),
                }
                rows.append(about | {"kind": kind} | found)
    return pd.DataFrame(rows, columns=[*COLUMNS, "value", "ci_low", "ci_high", "n", "n_models"])


def _comparable(predictor_human, human):
    """Clusters are compared with categories as well as with people; all else with one and the same human."""
    return predictor_human in (human, "categories")


def _label(measure, human, outcome_human):
    return MEASURES[measure] + (f", {human.replace('_', ' ')}" if human and human != outcome_human else "")
