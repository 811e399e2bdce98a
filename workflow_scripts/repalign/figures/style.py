"""One look for every figure: sizes, fonts, a colour per paradigm, a marker per human representation."""

from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from repalign.artefacts import atomic, write_table

MM = 1 / 25.4

# Okabe & Ito (2008), distinguishable with every common colour vision deficiency.
PALETTE = {
    "supervised": "#0072B2",
    "self_supervised": "#D55E00",
    "self_sup_sup": "#CC79A7",
    "clip": "#009E73",
    "human": "#000000",
    "random": "#888888",
}
EXTRA = ("#56B4E9", "#E69F00", "#8C6D31", "#6A3D9A")
LABELS = {
    "supervised": "supervised",
    "self_supervised": "self-supervised",
    "self_sup_sup": "self-sup. + sup.",
    "clip": "CLIP",
    "human": "human",
    "random": "random",
}
MARKERS = ("o", "s", "D", "^", "v", "P")
INK, FAINT = "#222222", "#BBBBBB"


def paradigm_colours(paradigms):
    """A colour per paradigm: the fixed palette, then spare colours for tags of the user's own."""
    own = [name for name in dict.fromkeys(paradigms) if name not in PALETTE]
    return {**PALETTE, **{name: EXTRA[i % len(EXTRA)] for i, name in enumerate(own)}}


def paradigm_order(paradigms):
    """Paradigms in the order in which every figure shows them."""
    present = list(dict.fromkeys(paradigms))
    return [name for name in PALETTE if name in present] + [name for name in present if name not in PALETTE]


@contextmanager
def styled(style):
    """The matplotlib settings of a figure; `style` has width_mm, font_size and titles."""
    size = style["font_size"]
    settings = {
        "figure.dpi": 150,
        "savefig.dpi": 300,
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "xtick.labelsize": size,
        "ytick.labelsize": size,
        "legend.fontsize": size,
        "legend.frameon": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 0.9,
        # Text stays text in vector formats, and equal data gives equal bytes.
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "repalign",
    }
    with mpl.rc_context(settings):
        yield


def save_figure(figure, paths, data, style):
    """Write a figure in every format asked for, and its data as the `.tsv` among the paths."""
    for path in map(Path, paths):
        if path.suffix == ".tsv":
            write_table(path, data)
            continue
        stamp = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(path.suffix[1:])
        with atomic(path) as temporary, styled(style):
            figure.savefig(
                temporary, format=path.suffix[1:], metadata=stamp, bbox_inches="tight", pad_inches=0.02
            )
    plt.close(figure)
