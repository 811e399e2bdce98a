"""Are the regions of concepts convex? Graph convexity and Euclidean convexity."""

from importlib import import_module

_HOME = {
    "Convexity": "repalign.convexity.graph",
    "graph_convexity": "repalign.convexity.graph",
    "euclidean_convexity": "repalign.convexity.euclidean",
}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
