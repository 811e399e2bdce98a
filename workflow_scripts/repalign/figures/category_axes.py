"""Axes whose objects are sorted by category."""

from repalign.figures.style import INK


def label_categories(axis, edges, names, font_size, *, rows=True, columns=True, lines=0.2, room=0.85):
    """Draw borders between categories, and the names of those whose labels have `room` (in font sizes)."""
    for edge in edges[1:-1]:
        axis.axhline(edge, color=INK, lw=lines, alpha=0.4)
        axis.axvline(edge, color=INK, lw=lines, alpha=0.4)
    centres = (edges[:-1] + edges[1:]) / 2
    height = axis.get_position().height * axis.figure.get_figheight() * 72
    # A category is left unnamed where its label would touch the one before.
    gap, last, kept = room * font_size / height, -1.0, []
    for index, centre in enumerate(centres):
        if centre - last >= gap:
            kept.append(index)
            last = centre
    axis.set_yticks(centres[kept] if rows else [], names[kept] if rows else [], fontsize=font_size * 0.8)
    axis.set_xticks(
        centres[kept] if columns else [],
        names[kept] if columns else [],
        fontsize=font_size * 0.8,
        rotation=90,
    )
    axis.tick_params(length=0, pad=1)
