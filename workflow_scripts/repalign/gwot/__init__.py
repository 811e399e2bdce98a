"""Unsupervised alignment of two systems by Gromov-Wasserstein optimal transport (GWOT).

`align` finds a plan between the objects of two systems from their dissimilarities alone; `matching_rate` says how
often that plan finds the right object or category. Both load on first use.
"""

from importlib import import_module

_HOMES = {"align": "alignment", "Alignment": "alignment", "matching_rate": "matching"}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
