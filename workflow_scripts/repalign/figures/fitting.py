"""Break labels that are longer than their axes into lines."""

from textwrap import wrap

from matplotlib.text import Text


def fit_labels(figure):
    """Break the labels and titles of axes that would run into those of the next axes, and lay out again.

    The layout of the figure must be settled (`Figure.draw_without_rendering`).
    """
    broken = [_fit(text, length, room) for axis in figure.axes for text, length, room in _measured(axis)]
    if any(broken):
        figure.draw_without_rendering()


def _measured(axis):
    """(text, its length, the room for it) of the labels and titles of axes."""
    # Beside a colour bar, which is shorter than the panel, a label may be longer.
    spare = 1.6 if axis.get_label() == "<colorbar>" else 1.05
    frame = axis.get_window_extent()
    titles = [axis.get_title(place) for place in ("left", "center", "right")]
    headings = [text for text in axis.get_children() if isinstance(text, Text) and text.get_text() in titles]
    for text in (axis.xaxis.label, *headings):
        yield text, text.get_window_extent().width, spare * frame.width
    yield axis.yaxis.label, axis.yaxis.label.get_window_extent().height, spare * frame.height


def _fit(text, length, room):
    lines = text.get_text().split("\n")
    if length <= room or not any(lines):
        return False
    letters = int(0.9 * max(map(len, lines)) * room / length)
    text.set_text("\n".join(_balanced(line, letters) for line in lines))
    return text.get_text().split("\n") != lines


def _balanced(line, letters):
    """A line in as few lines as its letters allow, of about equal length; formulas are left whole."""
    if "$" in line or len(line) <= letters:
        return line
    options = {"break_long_words": False, "break_on_hyphens": False}
    count = len(wrap(line, max(letters, 1), **options))
    tries = (wrap(line, width, **options) for width in range(max(1, len(line) // count), len(line) + 1))
    return "\n".join(next(lines for lines in tries if len(lines) <= count))
