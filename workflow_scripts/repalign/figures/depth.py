"""Curves over the depth of models, and over the number of neighbours."""

import matplotlib.pyplot as plt

from repalign.correlations import variant_of
from repalign.errors import InputError
from repalign.figures.style import EXTRA, INK, MM, PALETTE, styled

COLOURS = (*(PALETTE[name] for name in ("supervised", "self_supervised", "clip", "self_sup_sup")), *EXTRA)


def family_looks(models, finetuned):
    """Colour, line and fill of every model; a pretrained model and its fine-tuned version (dashed) share a colour."""
    base = {after: before for before, after in finetuned.items()}
    # By name, so that a model has one colour in every figure, whatever the order of its table.
    families = sorted({base.get(name, name) for name in models})
    looks = {}
    for name in models:
        colour = COLOURS[families.index(base.get(name, name)) % len(COLOURS)]
        tuned = variant_of(name, finetuned) == "finetuned"
        looks[name] = {"color": colour, "ls": "--" if tuned else "-", "mfc": "white" if tuned else colour}
    return looks


def plot_depth(table, panels, models, finetuned, style):
    """One panel a measure, one curve a model, over relative depth; with interval, chance and ceiling.

    Parameters
    ----------
    table : tidy table of `repalign.aggregate.layer_scores`
    panels : list of repalign.figures.forest.Panel
    models : dict of the models to draw
    finetuned : dict of pretrained models to their fine-tuned versions
    style : dict, see `repalign.figures.style.styled`

    Returns
    -------
    (figure, data frame of what it shows)
    """
    metrics = [panel.metric for panel in panels]
    data = table[
        table["metric"].isin(metrics) & table["model"].isin(list(models)) & (table["status"] == "ok")
    ]
    if data.empty:
        raise InputError(f"There are no scores {', '.join(metrics)} to draw; run the convexity study.")
    looks = family_looks(models, finetuned)
    with styled(style):
        size = (style["width_mm"] * MM, style["width_mm"] * 0.42 * MM)
        figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, layout="constrained")
        for axis, panel in zip(axes[0], panels, strict=True):
            own = data[data["metric"] == panel.metric]
            for model, rows in own.groupby("model", sort=False):
                rows = rows.sort_values("depth")
                axis.plot(
                    rows["depth"],
                    panel.factor * rows["value"],
                    marker="o",
                    ms=2.5,
                    label=model,
                    **looks[model],
                )
                low, high = panel.factor * rows["ci_low"], panel.factor * rows["ci_high"]
                axis.fill_between(rows["depth"], low, high, color=looks[model]["color"], alpha=0.12, lw=0)
            axis.axhline(panel.factor * own["chance"].mean(), color=INK, lw=0.7, ls=(0, (1, 1.5)))
            if own["ceiling"].notna().any():
                axis.axhline(panel.factor * own["ceiling"].mean(), color=INK, lw=0.8)
            axis.set_xlabel("relative depth")
            axis.set_ylabel(panel.label)
        _legend(figure, axes[0][0])
    return figure, data


def plot_neighbours(table, models, finetuned, style):
    """Mean convexity over layers against the number of neighbours: one curve a model, one panel a space.

    Parameters
    ----------
    table : data frame of all tables of `repalign.scoring.convexity.convexity_scores`
    models, finetuned, style : as in `plot_depth`
    """
    means = table[table["category"] == "MEAN"]
    data = (
        means.groupby(["space", "model", "n_neighbours"], sort=False)[["value", "chance"]]
        .mean()
        .reset_index()
    )
    spaces = [space for space in ("original", "naive") if (data["space"] == space).any()]
    looks = family_looks(models, finetuned)
    with styled(style):
        size = (style["width_mm"] * MM, style["width_mm"] * 0.42 * MM)
        figure, axes = plt.subplots(
            1, len(spaces), figsize=size, squeeze=False, sharey=True, layout="constrained"
        )
        for axis, space in zip(axes[0], spaces, strict=True):
            own = data[data["space"] == space]
            for model, rows in own.groupby("model", sort=False):
                rows = rows.sort_values("n_neighbours")
                axis.plot(
                    rows["n_neighbours"], 100 * rows["value"], marker="o", ms=2.5, label=model, **looks[model]
                )
            chance = own.groupby("n_neighbours")["chance"].mean()
            axis.plot(chance.index, 100 * chance, color=INK, lw=0.7, ls=(0, (1, 1.5)))
            axis.set_xscale("log")
            axis.set_xticks(sorted(own["n_neighbours"].unique()))
            axis.xaxis.set_major_formatter("{x:.0f}")
            axis.minorticks_off()
            axis.set_xlabel({"original": "neighbours", "naive": "neighbours, after the transform"}[space])
        axes[0][0].set_ylabel("graph convexity, mean over layers (%)")
        _legend(figure, axes[0][0])
    return figure, data


def _legend(figure, axis):
    handles, labels = axis.get_legend_handles_labels()
    names = [label.replace("_", " ") for label in labels]
    figure.legend(handles, names, loc="outside lower center", ncols=min(6, len(names)), handlelength=2.4)
