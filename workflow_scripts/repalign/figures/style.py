"""The style that all figures share: sizes, fonts, a colour per paradigm, a marker per human representation."""

from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from repalign.figures.captions import render_caption
from repalign.figures.fitting import fit_labels
from repalign.labels import paradigm_order, shown
from repalign.storage.artefacts import atomic, write_table, write_text

MM = 1 / 25.4
# The font size, in points, for which sizes of markers and lines are written; they grow with the font.
POINTS = 7

# After Okabe & Ito (2008); green darker and grey lighter than theirs, which a deuteranope takes for one another.
PALETTE = {
    "supervised": "#0072B2",
    "self_supervised": "#D55E00",
    "self_sup_sup": "#CC79A7",
    "clip": "#007A5A",
    "human": "#000000",
    "random": "#A6A6A6",
}
EXTRA = ("#56B4E9", "#E69F00", "#8C6D31", "#6A3D9A")
# Shapes and positions tell paradigms apart too, for prints in grey and readers who cannot see the colours.
SHAPES = {
    "supervised": "o",
    "self_supervised": "s",
    "self_sup_sup": "D",
    "clip": "^",
    "human": "P",
    "random": "X",
}
EXTRA_SHAPES = ("v", "P", "p", "h")
MARKERS = ("o", "s", "D", "^", "v", "P")
FONTS = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")
INK, FAINT = "#222222", "#BBBBBB"
# Outcomes of matching: the object, another of its category, neither. Distinct from paradigms, and in grey.
OUTCOMES = {"object": "#0B3C5D", "category": "#4A9CC7", "neither": "#F0B95A"}


def paradigm_colours(paradigms):
    """A colour per paradigm: the fixed palette, then spare colours for tags of the user's own."""
    own = [name for name in dict.fromkeys(paradigms) if name not in PALETTE]
    return {**PALETTE, **{name: EXTRA[i % len(EXTRA)] for i, name in enumerate(own)}}


def paradigm_markers(paradigms):
    """A shape per paradigm, for figures whose points no position or label sets apart: colour is not enough in grey."""
    own = [name for name in dict.fromkeys(paradigms) if name not in SHAPES]
    return {**SHAPES, **{name: EXTRA_SHAPES[i % len(EXTRA_SHAPES)] for i, name in enumerate(own)}}


@contextmanager
def styled(style):
    """The matplotlib settings of a figure; `style` has width_mm, font_size and titles."""
    size = style["font_size"]
    scale = size / POINTS
    settings = {
        "figure.dpi": 150,
        "savefig.dpi": 300,
        "font.family": "sans-serif",
        "font.sans-serif": list(style.get("fonts", FONTS)),
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
        "axes.linewidth": 0.6 * scale,
        "xtick.major.width": 0.6 * scale,
        "ytick.major.width": 0.6 * scale,
        "xtick.major.size": 2.5 * scale,
        "ytick.major.size": 2.5 * scale,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 0.9,
        "figure.constrained_layout.w_pad": 3 / 72 * scale,
        "figure.constrained_layout.h_pad": 3 / 72 * scale,
        # Text stays text in vector formats, and equal data gives equal bytes.
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "repalign",
    }
    with mpl.rc_context(settings):
        yield


def panel_columns(count, style, least=6.0):
    """How many panels stand side by side: rows as full as they can be.

    `least` is the width of a panel in millimetres per point of the font.
    """
    most = max(1, min(count, int(style["width_mm"] / (least * style["font_size"]))))
    rows = -(-count // most)
    return -(-count // rows)


def panel_grid(count, style, height, least=6.0, **options):
    """A figure with `count` panels of a height in millimetres, wrapped to the width of the style.

    Returns (figure, list of axes); unused cells of the grid are removed.
    """
    columns = panel_columns(count, style, least)
    rows = -(-count // columns)
    size = (style["width_mm"] * MM, rows * height * MM)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **options)
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, list(axes.flat[:count])


def paradigm_legend(figure, paradigms, extra=(), shapes=False):
    """A legend below the figure: a dot (or the shape) of every paradigm, then further handles."""
    colours, marks = paradigm_colours(paradigms), paradigm_markers(paradigms)
    handles = [
        Line2D(
            [],
            [],
            marker=marks[name] if shapes else "o",
            ls="none",
            ms=3.6,
            color=colours[name],
            label=shown(name),
        )
        for name in paradigm_order(paradigms)
    ]
    handles += extra
    legend_below(figure, handles)


def legend_below(figure, handles, handlelength=2.0):
    """A legend below the figure, in as many columns as fit: people read it row by row."""
    size = mpl.rcParams["font.size"]
    # In points: the handle, the longest name at half the font a letter, what lies between.
    width = size * (handlelength + 0.5 * max(len(handle.get_label()) for handle in handles) + 1.7)
    most = max(1, int(72 * figure.get_figwidth() // width))
    rows = -(-len(handles) // most)
    columns = -(-len(handles) // rows)
    # matplotlib fills a legend column by column.
    handles = [handles[i] for column in range(columns) for i in range(column, len(handles), columns)]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=columns,
        handlelength=handlelength,
        handletextpad=0.4,
        columnspacing=1.2,
    )


def logarithmic(which):
    """Make an axis with data logarithmic, with ticks at 1, 2 and 5 where it spans few decades."""
    which.axes.set(**{f"{which.axis_name}scale": "log"})
    low, high = which.get_view_interval()
    # Within less than a decade there may be no 1, 2 or 5: a few round numbers, for more would run into each other.
    which.set_major_locator(MaxNLocator(3) if high < 5 * low else LogLocator(subs=(1, 2, 5), numticks=5))
    which.set_major_formatter(lambda value, _: f"{value:g}")
    which.set_minor_locator(NullLocator())


def save_figure(figure, paths, data, style, **facts):
    """Write a figure in every format asked for; its data as the `.tsv`, its caption as the `.rst` among the paths.

    The caption is the template `<folder of style["captions"]>/<name of the figure>.j2`, filled from the data and
    the `facts`.
    """
    settle(figure, style)
    for path in map(Path, paths):
        if path.suffix == ".tsv":
            write_table(path, data)
            continue
        if path.suffix == ".rst":
            template = Path(style["captions"]) / f"{path.stem}.j2"
            if not template.is_file():
                template = template.with_name("default.j2")
            caption = render_caption(template, data, style=style, figure=path.stem, **facts)
            write_text(path, caption + "\n")
            continue
        with atomic(path) as temporary, styled(style):
            _print(figure, temporary, path.suffix[1:])
    plt.close(figure)


def settle(figure, style):
    """Fix the layout of a figure, so that every format shows the same."""
    _scale_marks(figure, style["font_size"] / POINTS)
    with styled(style):
        figure.draw_without_rendering()
        fit_labels(figure)
    figure.set_layout_engine("none")


def _scale_marks(figure, scale):
    legends = [*figure.legends, *filter(None, (axis.get_legend() for axis in figure.axes))]
    artists = [handle for legend in legends for handle in legend.legend_handles] + figure.artists
    artists += [mark for axis in figure.axes for mark in (*axis.lines, *axis.collections, *axis.patches)]
    for artist in artists if scale != 1 else ():
        artist.set_linewidth(scale * np.asarray(artist.get_linewidth()))
        if isinstance(artist, Line2D):
            artist.set_markersize(scale * artist.get_markersize())
            artist.set_markeredgewidth(scale * artist.get_markeredgewidth())
        elif hasattr(artist, "get_sizes"):
            artist.set_sizes(scale**2 * np.asarray(artist.get_sizes()))


def _print(figure, path, suffix):
    """Draw a figure, once: `savefig` draws everything twice. Not cropped, so that it is as wide as its column."""
    if suffix == "png":
        figure.set_dpi(mpl.rcParams["savefig.dpi"])
        FigureCanvasAgg(figure).print_png(path)
    elif suffix == "svg":
        FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None})
    else:
        FigureCanvasPdf(figure).print_pdf(path, metadata={"CreationDate": None})
