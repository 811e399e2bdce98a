"""Names beside points, where there is room for them."""

import numpy as np

from repalign.labels import shown

# Offsets in points: corners, where no interval runs, then beside, above and below.
PLACES = [
    (3, 3, "left", "bottom"),
    (-3, 3, "right", "bottom"),
    (3, -3, "left", "top"),
    (-3, -3, "right", "top"),
    (5, 0, "left", "center"),
    (-5, 0, "right", "center"),
    (0, 5, "center", "bottom"),
    (0, -5, "center", "top"),
]


def label_points(axis, x, y, names, colours, size=None):
    """Write each name beside its point at the first place that is free; a name without a free place is left out.

    The layout of the figure must be settled (`Figure.draw_without_rendering`).

    Parameters
    ----------
    x, y : (n,) data coordinates
    names : (n,) identifiers
    colours : (n,) colours
    size : font size, default 0.85 of the axis labels'

    Returns
    -------
    list of the names that found no place
    """
    renderer = axis.figure.canvas.get_renderer()
    size = size or 0.85 * axis.xaxis.label.get_size()
    scale = size / 6  # of the marks, as `save_figure` draws them
    points = axis.transData.transform(np.column_stack([np.asarray(x, float), np.asarray(y, float)]))
    radius = 3 * scale * axis.figure.dpi / 72
    taken = [(px - radius, py - radius, px + radius, py + radius) for px, py in points]
    frame, left_out = axis.get_window_extent(renderer), []
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        at = (np.asarray(x, float)[number], np.asarray(y, float)[number])
        for dx, dy, ha, va in PLACES:
            text = axis.annotate(
                shown(name), at, (scale * dx, scale * dy), textcoords="offset points", ha=ha, va=va, fontsize=size,
                color=colour, annotation_clip=False,
            )  # fmt: skip
            text.set_in_layout(False)
            box = text.get_window_extent(renderer)
            inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
            others = [other for i, other in enumerate(taken) if i != number]
            if inside and not any(_overlap(box, other) for other in others):
                taken.append((box.x0, box.y0, box.x1, box.y1))
                break
            text.remove()
        else:
            left_out.append(name)
    return left_out


def _overlap(box, other):
    return box.x0 < other[2] and other[0] < box.x1 and box.y0 < other[3] and other[1] < box.y1
