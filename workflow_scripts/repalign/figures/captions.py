"""Captions written from templates, settings and the numbers that a figure shows."""

from pathlib import Path

import jinja2

from repalign.labels import shown

WORDS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def render_caption(template, data, **facts):
    """Fill a caption template.

    Parameters
    ----------
    template : str or path
        Jinja: `data` is the data frame that the figure shows; the filters `percent`, `number`, `count`, `names` and
        `name` write what people read. An undefined name is an error.
    data : data frame
    facts : further values for the template

    Returns
    -------
    str, one paragraph of plain text.
    """
    text = template.read_text(encoding="utf-8") if isinstance(template, Path) else template
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.globals["len"] = len
    environment.filters |= {
        "percent": percent,
        "number": number,
        "count": count,
        "names": names,
        "name": shown,
    }
    return " ".join(environment.from_string(text).render(data=data, **facts).split())


def percent(value, places=1):
    """A fraction as a percentage."""
    return f"{100 * float(value):.{places}f}%"


def number(value, places=2):
    """A number to so many places."""
    return f"{float(value):.{places}f}"


def count(value, what="", plural=None):
    """A count and its noun: `one model`, `27 models`."""
    value = int(value)
    word = WORDS[value] if value < len(WORDS) else f"{value:,}"
    return f"{word} {what if value == 1 else plural or what + 's'}" if what else word


def names(identifiers):
    """Identifiers as an enumeration: `a, b and c`."""
    words = [shown(name) for name in identifiers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
