"""Names of layers, and the nearest to a misspelt one."""

import difflib

from repalign.errors import InputError


def check(wanted, present, model):
    """Raise `InputError` naming the nearest layers where `model` lacks one that is wanted."""
    present_set = set(present)
    for name in wanted:
        if name not in present_set:
            raise InputError(f"Model {model} has no layer '{name}'; {nearest(name, present)}.")


def nearest(name, names, limit=3):
    """A clause that offers the names nearest to `name`."""
    close = difflib.get_close_matches(name, names, n=limit, cutoff=0.5)
    if not close:
        tail = name.rsplit(".", 1)[-1]
        close = [other for other in names if tail and tail in other][:limit] or list(names)[-limit:]
    return f"the nearest are {', '.join(close)}"
