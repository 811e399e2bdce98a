"""Tables that people read: rates as percentages, one row per model."""

import pandas as pd

from repalign.analysis.layer_scores import readouts
from repalign.measures.registry import in_role, measure_of
from repalign.storage.score_table import TRIPLETS, column_name


def model_table(scores, models):
    """Scores of every model at its readout layer, one column per metric, variant and reference.

    Parameters
    ----------
    scores : tidy table of `repalign.analysis.layer_scores.layer_scores`
    models : dict of model to its descriptive fields

    Returns
    -------
    data frame of strings: model, paradigm, layer, then `value [low, high]` per column; rates in percent. Diagnostics
    and what has no chance, such as changes, are left out.
    """
    table = readouts(scores, models)
    compared = {measure.metric for measure in in_role("main", "detail")}
    table = table[table["chance"].notna() & table["metric"].isin(compared) & (table["status"] == "ok")]
    records = table.to_dict("records")
    table = table.assign(
        column=[_heading(record) for record in records], cell=[_cell(record) for record in records]
    )
    wide = table.pivot(index="model", columns="column", values="cell")
    wide = wide[list(dict.fromkeys(table["column"]))].reindex(list(models)).fillna("")
    described = pd.DataFrame(
        {"model": list(models), "paradigm": [row["paradigm"] for row in models.values()]}
        | {"layer": [row["readout"] for row in models.values()]}
    )
    return described.merge(wide.reset_index(), on="model")


def _heading(record):
    name = column_name(record["metric"], record["variant"])
    return name if record["reference"] == TRIPLETS else f"{name} ({record['reference']})"


def _cell(record):
    is_rate = measure_of(record["metric"]).is_rate
    number = (lambda x: f"{100 * x:.2f}") if is_rate else (lambda x: f"{x:.4f}")
    if pd.isna(record["ci_low"]):
        return number(record["value"])
    return f"{number(record['value'])} [{number(record['ci_low'])}, {number(record['ci_high'])}]"


def formatted(table):
    """A data frame of strings: numbers to two places, empty where there are none."""
    return table.map(lambda x: "" if pd.isna(x) else f"{x:.2f}" if isinstance(x, float) else str(x))


def to_latex(table):
    """A booktabs `tabular` of a data frame of strings, special characters escaped."""
    style = table.style.hide(axis="index").format(escape="latex").format_index(axis="columns", escape="latex")
    return style.to_latex(hrules=True, column_format="l" * table.shape[1])
