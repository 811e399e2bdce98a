"""All scores of a study in one tidy table."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.measures.registry import measure_of
from repalign.storage.score_table import KEYS, VALUES, column_name

COLUMNS = [
    *("study", "model", "paradigm", "layer", "depth", *KEYS),
    *(*VALUES, "ceiling", "n", "seed", "status"),
]
HUMAN_PARADIGM = "human"


def layer_scores(scores, models, study, noise_ceiling=np.nan):
    """Join the scores of all models with their rows of the model sheet.

    Parameters
    ----------
    scores : list of data frames with the columns of `repalign.storage.score_table`
    models : dict of model to its descriptive fields; `paradigm` and `layers` are required
    study : str
    noise_ceiling : float, of the odd-one-out accuracy

    Returns
    -------
    data frame, one row per model, layer, metric, variant and reference, in the order of the sheet. `depth` runs from 0
    (first layer listed) to 1 (last); `ceiling` is the noise ceiling for odd-one-out accuracy, and elsewhere the mean
    over people's own representations (`paradigm` human) of the same metric and variant against the same reference,
    without the representation that is scored; NaN where there is no other.
    """
    table = pd.concat([frame for frame in scores if len(frame)], ignore_index=True)
    if unknown := sorted(set(table["model"]) - set(models)):
        raise InputError(
            f"The scores name the model {unknown[0]}, which is not in the model sheet; rerun them."
        )
    table.insert(0, "study", study)
    table["paradigm"] = [models[name]["paradigm"] for name in table["model"]]
    table["depth"] = [
        _depth(models[m]["layers"], x) for m, x in zip(table["model"], table["layer"], strict=True)
    ]
    table["ceiling"] = _ceilings(table, noise_ceiling)
    rank = {name: position for position, name in enumerate(models)}
    names = [column_name(*pair) for pair in zip(table["metric"], table["variant"], strict=True)]
    order = table.assign(name=names, rank=table["model"].map(rank)).sort_values(
        ["name", "reference", "rank", "depth"], kind="stable"
    )
    return table.loc[order.index].reindex(columns=COLUMNS).reset_index(drop=True)


def _depth(layers, layer):
    return layers.index(layer) / (len(layers) - 1) if len(layers) > 1 else 1.0


def _ceilings(table, noise_ceiling):
    people = table[(table["paradigm"] == HUMAN_PARADIGM) & (table["status"] == "ok")]
    everyone = _sums(people, table, list(KEYS))
    # Nobody is the ceiling of themselves.
    self_alone = _sums(people, table, [*KEYS, "model"])
    totals = everyone - self_alone
    bounded = table["chance"].notna()
    with np.errstate(invalid="ignore"):
        ceiling = np.where(totals[:, 1] > 0, totals[:, 0] / totals[:, 1], np.nan)
    ceiling[[measure_of(metric).noise_ceiling for metric in table["metric"]]] = noise_ceiling
    return np.where(bounded, ceiling, np.nan)


def _sums(people, table, keys):
    """(n, 2): sum and number of the scores of people that share the keys of each row of the table."""
    sums = people.groupby(keys)["value"].agg(["sum", "count"])
    return sums.reindex(pd.MultiIndex.from_frame(table[keys])).fillna(0).to_numpy(dtype=np.float64)


def readouts(table, models):
    """The rows of each model's readout layer."""
    keep = [models[m]["readout"] == layer for m, layer in zip(table["model"], table["layer"], strict=True)]
    return table[keep]
