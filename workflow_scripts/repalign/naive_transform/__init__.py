"""Affine transforms of embeddings towards human odd-one-out choices: naive, global and gLocal."""

from importlib import import_module

_HOME = {
    "NaiveTransform": "repalign.naive_transform.apply",
    "fit": "repalign.naive_transform.transform",
    "select": "repalign.naive_transform.transform",
}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
