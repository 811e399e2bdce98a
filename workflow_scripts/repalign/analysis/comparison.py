"""Two studies side by side: what changed beyond the intervals."""

import numpy as np
import pandas as pd

from repalign.storage.score_table import KEYS as MEASURED
from repalign.storage.score_table import column_name

KEYS = ["model", "layer", *MEASURED]
SIDES = ("first", "second")
VERDICTS = (
    "higher",
    "lower",
    "within the intervals",
    "no interval",
    "only in the first",
    "only in the second",
)


def compare_studies(first, second):
    """Join the scores of two studies and say which differ by more than chance would.

    A difference counts where it is larger than the root of the summed squares of both half intervals, the interval
    that a difference of independent estimates has. Two studies of the same objects are not independent, so that real
    differences may be missed rather than invented.

    Parameters
    ----------
    first, second : tidy tables of `repalign.analysis.layer_scores.layer_scores`; failed scores are left out

    Returns
    -------
    data frame, the largest differences in units of their interval first: model, layer, metric, variant, reference;
    value, ci_low and ci_high of both, `difference` (second minus first), `half_interval` of the difference, `verdict`,
    one of `VERDICTS`
    """
    tables = []
    for name, table in zip(SIDES, (first, second), strict=True):
        kept = table.loc[table["status"] == "ok", [*KEYS, "value", "ci_low", "ci_high"]]
        tables.append(
            kept.rename(columns={field: f"{field}_{name}" for field in ("value", "ci_low", "ci_high")})
        )
    joined = tables[0].merge(tables[1], on=KEYS, how="outer", sort=False, validate="one_to_one")
    joined["difference"] = joined["value_second"] - joined["value_first"]
    halves = [(joined[f"ci_high_{name}"] - joined[f"ci_low_{name}"]) / 2 for name in SIDES]
    joined["half_interval"] = np.sqrt(halves[0] ** 2 + halves[1] ** 2)
    joined["verdict"] = [_verdict(row) for row in joined.to_dict("records")]
    size = (joined["difference"].abs() / joined["half_interval"]).fillna(-1)
    order = joined.assign(size=size).sort_values("size", ascending=False, kind="stable").index
    return joined.loc[order].reset_index(drop=True)


def _verdict(row):
    if np.isnan(row["value_second"]):
        return "only in the first"
    if np.isnan(row["value_first"]):
        return "only in the second"
    if np.isnan(row["half_interval"]):
        return "no interval"
    if abs(row["difference"]) <= row["half_interval"]:
        return "within the intervals"
    return "higher" if row["difference"] > 0 else "lower"


def summary(comparison, names, rows=12):
    """What changed, as lines of text: counts of every verdict, then the largest differences.

    Parameters
    ----------
    comparison : data frame of `compare_studies`
    names : (first, second), names of the studies
    rows : int, how many differences to spell out
    """
    counts = comparison["verdict"].value_counts()
    lines = [f"{names[1]} against {names[0]}: {len(comparison)} scores"]
    lines += [f"  {counts[verdict]:6d} {verdict}" for verdict in VERDICTS if verdict in counts]
    beyond = comparison[comparison["verdict"].isin(["higher", "lower"])]
    if len(beyond):
        lines.append("The largest differences beyond the intervals:")
    for row in beyond.head(rows).to_dict("records"):
        measured = column_name(row["metric"], row["variant"])
        where = f"{row['model']} {row['layer']} {row['reference']} {measured}"
        values = f"{row['value_first']:.4f} -> {row['value_second']:.4f}"
        lines.append(f"  {where}: {values} ({row['difference']:+.4f} ± {row['half_interval']:.4f})")
    return lines


def load_scores(folder):
    """The tidy table of a study by its results folder."""
    return pd.read_parquet(f"{folder}/aggregate/layer_scores.parquet")
