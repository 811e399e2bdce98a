"""The one error that users meet."""


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one sentence that names the file, row, field or layer and the way out.
    """


def listed(names, limit=5):
    """Join names for a message: the first `limit`, and how many more there are."""
    names = [str(name) for name in names]
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
