"""Tables that people read: rates as percentages, one row a model."""

import pandas as pd

from repalign.analysis.layer_scores import readouts


def model_table(scores, models):
    """Scores of every model at its readout layer, one column per measure and human.

    Parameters
    ----------
    scores : tidy table of `repalign.analysis.layer_scores.layer_scores`
    models : dict of model to its descriptive fields

    Returns
    -------
    data frame of strings: model, paradigm, layer, then `value [low, high]` per column; rates in percent
    """
    shown = readouts(scores, models)
    shown = shown[
        shown["chance"].notna() & ~shown["metric"].str.endswith("_columns") & (shown["status"] == "ok")
    ]
    shown = shown.assign(
        column=[_heading(*pair) for pair in zip(shown["metric"], shown["human"], strict=True)]
    )
    shown = shown.assign(cell=[_cell(record) for record in shown.to_dict("records")])
    wide = shown.pivot(index="model", columns="column", values="cell")
    wide = wide[list(dict.fromkeys(shown["column"]))].reindex(list(models)).fillna("")
    described = pd.DataFrame(
        {"model": list(models), "paradigm": [row["paradigm"] for row in models.values()]}
        | {"layer": [row["readout"] for row in models.values()]}
    )
    return described.merge(wide.reset_index(), on="model")


def _heading(metric, human):
    return metric if human == "triplets" else f"{metric} ({human})"


def _cell(record):
    is_rate = not record["metric"].startswith(("rsa", "cka", "clustering"))
    number = (lambda x: f"{100 * x:.2f}") if is_rate else (lambda x: f"{x:.4f}")
    if pd.isna(record["ci_low"]):
        return number(record["value"])
    return f"{number(record['value'])} [{number(record['ci_low'])}, {number(record['ci_high'])}]"


def formatted(table):
    """A data frame of strings: numbers to two places, empty where there are none."""
    return table.map(lambda x: "" if pd.isna(x) else f"{x:.2f}" if isinstance(x, float) else str(x))


ESCAPES = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    character: f"\\{character}" for character in "&%$#_{}"
}


def to_latex(table):
    """A booktabs `tabular` of a data frame of strings, special characters escaped."""

    def line(cells):
        return " & ".join("".join(ESCAPES.get(c, c) for c in str(cell)) for cell in cells) + r" \\"

    columns = "l" * table.shape[1]
    body = [line(row) for row in table.itertuples(index=False)]
    head = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", line(table.columns), r"\midrule"]
    return "\n".join([*head, *body, r"\bottomrule", r"\end{tabular}", ""])
