"""How well convexity and other measures predict GWOT matching of categories and objects over layers."""

import pandas as pd

from repalign.analysis.correlations import correlate, main_columns
from repalign.labels import shown
from repalign.measures.registry import CATEGORY_MATCHING, MATCHING, measure_of
from repalign.storage.score_table import CATEGORIES

# What is predicted: categories (coarse) and, to tell whether a predictor is about them, single objects (fine).
OUTCOMES = {CATEGORY_MATCHING.metric: "categories", MATCHING.metric: "objects"}
COLUMNS = ["matching", "human", "predictor", "kind", "x", "y", "method"]
KINDS = ("overall", "within models", "given RSA")


def matching_predictors(table, columns, finetuned, *, confidence):
    """How far every other measure predicts the matching of categories and of objects, over layers.

    Parameters
    ----------
    table, columns : data frames of `repalign.analysis.correlations.joined`
    finetuned : dict of pretrained models to their fine-tuned versions
    confidence : of the intervals; families of models are the clusters

    Returns
    -------
    data frame: matching (`categories` or `objects`), human, predictor (in words), kind, and Pearson correlation with
    interval. kind is `overall`; `within models` (both sides less the mean of their model: does a layer with more
    predict more than other layers of its model do?) or `given RSA` (the partial correlation: does it say more than RSA
    does?)
    """
    measures = main_columns(columns)
    names = list(measures["column"])
    records = measures.to_dict("records")
    within = table.copy()
    several = table.groupby("model")["layer"].transform("size") > 1
    within[names] = table[names] - table.groupby("model")[names].transform("mean")
    rows = []
    for outcome in (record for record in records if record["metric"] in OUTCOMES):
        human = outcome["reference"]
        own_rsa = measures[(measures["metric"] == "rsa") & (measures["reference"] == human)]["column"]
        rsa = next(iter(own_rsa), None)
        for predictor in (record for record in records if record["metric"] not in OUTCOMES):
            if not _comparable(predictor, human, measures):
                continue
            for kind in KINDS:
                if kind == "given RSA" and rsa in (None, predictor["column"]):
                    continue
                found = correlate(
                    within[several] if kind == "within models" else table,
                    predictor["column"],
                    outcome["column"],
                    finetuned,
                    given=rsa if kind == "given RSA" else None,
                    confidence=confidence,
                )
                about = {
                    "matching": OUTCOMES[outcome["metric"]],
                    "human": human,
                    "predictor": _label(predictor, human, measures),
                }
                rows.append(about | {"kind": kind} | found)
    return pd.DataFrame(rows, columns=[*COLUMNS, "value", "ci_low", "ci_high", "n", "n_models"])


def _references(predictor, measures):
    """Everything that the measure of a predictor is compared with."""
    return set(measures.loc[measures["metric"] == predictor["metric"], "reference"])


def _comparable(predictor, human, measures):
    """Whether a predictor is to be compared with the matching against this human.

    A measure with one reference is about the model alone, or about this study's only human; of several, clusters are
    compared with categories as well as with people, and all else with one and the same human.
    """
    return len(_references(predictor, measures)) == 1 or predictor["reference"] in (human, CATEGORIES)


def _label(predictor, human, measures):
    name = measure_of(predictor["metric"]).name
    alone = len(_references(predictor, measures)) == 1
    return name if alone or predictor["reference"] == human else f"{name}, {shown(predictor['reference'])}"
