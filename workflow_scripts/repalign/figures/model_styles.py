"""Styles of models in the figures of layers: colour by paradigm, shape by family, dashed if fine-tuned."""

from matplotlib.lines import Line2D

from repalign.analysis.correlations import families, variant_of
from repalign.figures.style import INK, MARKERS, legend_below, paradigm_colours, paradigm_legend
from repalign.labels import paradigm_order, shown

CHANCE = {"color": INK, "lw": 0.7, "ls": (0, (1, 1.5)), "zorder": 1}
# With more models than these the legend names the paradigms instead.
MOST_NAMES = 24


def table_styles(table, finetuned):
    """(paradigm of every model of a table with `model` and `paradigm`, their styles as `model_styles` has them)."""
    paradigms = dict(zip(table["model"], table["paradigm"], strict=True))
    return paradigms, model_styles(paradigms, finetuned)


def model_styles(paradigms, finetuned):
    """Colour, line, marker and fill of every model, by name.

    Parameters
    ----------
    paradigms : dict of model to paradigm
    finetuned : dict of pretrained models to their fine-tuned versions, which share a shape: dashed and hollow
    """
    colours = paradigm_colours(paradigms.values())
    family = dict(zip(paradigms, families(list(paradigms), finetuned), strict=True))
    # Sorted by name, so that a family has the same shape in every figure.
    ranks = {name: rank for rank, name in enumerate(sorted(set(family.values())))}
    styles = {}
    for name, paradigm in paradigms.items():
        colour, tuned = colours[paradigm], variant_of(name, finetuned) == "finetuned"
        styles[name] = {
            "color": colour,
            "ls": "--" if tuned else "-",
            "marker": MARKERS[ranks[family[name]] % len(MARKERS)],
            "mfc": "white" if tuned else colour,
        }
    return styles


def model_legend(figure, styles, paradigms, extra=(), lines=True):
    """A legend below the figure that names the models that are drawn, sorted by paradigm, then `extra` handles.

    Parameters
    ----------
    styles : dict of `model_styles`
    paradigms : dict of every model that is drawn to its paradigm
    lines : whether the models are lines, not points alone
    """
    if len(paradigms) > MOST_NAMES:
        paradigm_legend(figure, paradigms.values(), extra)
        return
    order = [n for p in paradigm_order(paradigms.values()) for n in paradigms if paradigms[n] == p]
    handles = [
        Line2D([], [], **styles[name] | ({} if lines else {"ls": "none"}), ms=3, mew=0.7, label=shown(name))
        for name in order
    ]
    handles += extra
    legend_below(figure, handles, handlelength=2.8 if lines else 1)
