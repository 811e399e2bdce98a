"""Draw what the rooms of the library import: `python docs/draw_architecture.py` after an import between rooms changed.

The imports are read from the code. `architecture.tsv` beside the picture lists them; a test compares it with the code.
"""

import sys
from pathlib import Path

import grimp
import matplotlib
import networkx
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

DOCS = Path(__file__).resolve().parent
TABLE, PICTURE = DOCS / "architecture.tsv", DOCS / "images/architecture.svg"
# Imported by nearly every room, so arrows to them would say nothing.
BASE = ("storage", "errors", "labels", "devices")
# Where a room stands from left to right, and what is in it; how high it stands follows from its imports.
ROOMS = {
    "report": (2.85, "the page"),
    "figures": (2.85, "drawing, captions"),
    "__main__": (4, "command line"),
    "analysis": (2.85, "tidy table, tables,\ncorrelations, maps"),
    "world": (-0.24, "the demo's objects,\npeople and networks"),
    "jobs": (4, "frame of a script"),
    "models": (-0.24, "networks of every\nsource, extraction"),
    "naive_transform": (0.66, "fit, apply"),
    "gwot": (1.57, "align: solver,\nsearch, starts"),
    "study": (4, "config, sheets,\nresources"),
    "inputs": (3.4, "THINGS, features,\nimages"),
    "measures": (1.5, "RSA, CKA, convexity,\nodd one out, ..."),
    "fetch": (-0.24, "downloads"),
    "statistics": (2.85, "bootstrap, correlation,\nmixed model"),
}
WIDTH, HEIGHT = 0.86, 0.62


def imports_between_rooms(folder):
    """Sorted (room, room that it imports) of the package below a folder."""
    sys.path.insert(0, str(folder))
    try:
        graph = grimp.build_graph("repalign", cache_dir=None)
    finally:
        sys.path.remove(str(folder))

    def room(module):
        return module.split(".")[1] if "." in module else module

    pairs = {
        (room(module), room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return sorted((source, target) for source, target in pairs if source != target)


def table(pairs):
    """The text of `architecture.tsv`."""
    return "room\timports\n" + "".join(f"{source}\t{target}\n" for source, target in pairs)


def heights(pairs):
    """Row of every room, 0 at the bottom: above all that it imports; rooms that import each other share a row."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(name for pair in pairs for name in pair if name not in BASE)
    graph.add_edges_from(pair for pair in pairs if not {*pair} & {*BASE})
    circles = networkx.condensation(graph)
    rows = {}
    for circle in reversed(list(networkx.topological_sort(circles))):
        rows[circle] = 1 + max((rows[below] for below in circles.successors(circle)), default=0)
    return {name: rows[circle] for name, circle in circles.graph["mapping"].items()}


def draw(pairs):
    """The picture: a box a room, an arrow from each to what it imports."""
    rows = heights(pairs)
    top = max(rows.values()) + 1
    figure = Figure(figsize=(7.4, 0.95 * (top + 1)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.72, 4.48), ylim=(-0.45, top + 0.45))
    axes.axis("off")

    def box(x, y, name, words, width=WIDTH, colour="#eaf1f8"):
        corner = (x - width / 2, y - HEIGHT / 2)
        look = {"boxstyle": "round,pad=0,rounding_size=0.06", "facecolor": colour, "edgecolor": "#47617d"}
        axes.add_patch(FancyBboxPatch(corner, width, HEIGHT, linewidth=0.8, zorder=2, **look))
        lift = 0.05 + 0.045 * (1 + words.count("\n")) if words else 0
        axes.text(x, y + lift, name, ha="center", va="center", fontsize=9, weight="bold", zorder=3)
        axes.text(x, y + lift - 0.1, words, ha="center", va="top", fontsize=7, zorder=3, linespacing=1.05)

    place = {name: (ROOMS.get(name, (1.5, ""))[0], row) for name, row in rows.items()}
    for name, (x, y) in place.items():
        box(x, y, name, ROOMS.get(name, (0, ""))[1])
    box(
        1.88,
        top,
        "scripts",
        "one for each rule, of the same name; use every room, are imported by none",
        5,
        "#f3ede0",
    )
    box(
        1.88,
        0,
        "storage   errors   labels",
        "imported by every room: arrows to them are left out",
        5,
        "#eeeeee",
    )
    for source, target in pairs:
        if source in place and target in place:
            axes.add_patch(_arrow(place[source], place[target], (target, source) in pairs))
    return figure


def _arrow(start, end, mutual):
    (x, y), (u, v) = start, end
    if y == v:  # between rooms that stand side by side
        side = WIDTH / 2 if u > x else -WIDTH / 2
        ends = (x + side, y), (u - side, v)
    else:
        # Arrows leave and arrive a little towards each other, so that they are told apart.
        shift = max(-0.3, min(0.3, 0.2 * (u - x)))
        ends = (x + shift, y - HEIGHT / 2), (u - shift, v + HEIGHT / 2)
    look = {"arrowstyle": "<|-|>" if mutual else "-|>", "mutation_scale": 9, "shrinkA": 0, "shrinkB": 0}
    return FancyArrowPatch(*ends, linewidth=0.9, color="#47617d", zorder=1, **look)


def main():
    pairs = imports_between_rooms(DOCS.parent / "workflow_scripts")
    TABLE.write_text(table(pairs), encoding="utf-8")
    # The same bytes on every run.
    with matplotlib.rc_context({"svg.hashsalt": "repalign", "svg.fonttype": "path"}):
        draw(pairs).savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
