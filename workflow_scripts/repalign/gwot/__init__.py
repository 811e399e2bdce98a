"""Unsupervised alignment of two systems by Gromov-Wasserstein optimal transport (GWOT).

`align` finds a plan between the objects of two systems from their dissimilarities alone; `matching_rate` says how
often that plan finds the right object or category. Both load on first use.
"""

from importlib import import_module

_HOMES = {"align": "align", "Alignment": "align", "matching_rate": "matching"}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_HOMES[name]}")
    # The module `align` is itself callable, so that the name means the same however it was imported.
    return module if name == "align" else getattr(module, name)
