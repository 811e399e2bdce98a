"""The columns that every score has before it is aggregated."""

import pandas as pd

COLUMNS = (
    "model",
    "layer",
    "human",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "chance",
    "chance_low",
    "chance_high",
    "n",
    "seed",
    "status",
)


def score_table(rows):
    """A data frame of score rows, every column present; a failed score has a status other than `ok`."""
    return pd.DataFrame([{"status": "ok", **row} for row in rows], columns=list(COLUMNS))
