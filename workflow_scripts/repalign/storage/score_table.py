"""The columns that every score has before it is aggregated, and how what was measured is named."""

import pandas as pd

from repalign.storage.artefacts import read_table

# What was measured: the measure, which version of it, and what the model is compared with.
KEYS = ("metric", "variant", "reference")
VALUES = ("value", "ci_low", "ci_high", "chance", "chance_low", "chance_high")
COLUMNS = ("model", "layer", *KEYS, *VALUES, "n", "seed", "status")
# References that are no representation of a human: odd-one-out judgements, and the categories of the objects.
TRIPLETS, CATEGORIES = "triplets", "categories"


def score_table(rows):
    """A data frame of score rows, every column present.

    Parameters
    ----------
    rows : list of dict
        A row without `variant` has the empty one; one without `status` is `ok`. A failed score has another status.
    """
    return pd.DataFrame([{"variant": "", "status": "ok", **row} for row in rows], columns=list(COLUMNS))


def read_scores(path):
    """A table with the columns `KEYS`; an empty variant, which a TSV cannot tell from none, is the empty text."""
    table = read_table(path)
    return table.assign(variant=table["variant"].astype(object).where(table["variant"].notna(), ""))


def column_name(metric, variant="", reference=""):
    """The name of a column of a wide table, never to be taken apart: `rsa_spearman`, `gwot_top1.people`.

    Identifiers have no dot, so different keys have different names.
    """
    name = f"{metric}_{variant}" if variant else metric
    return f"{name}.{reference}" if reference else name
