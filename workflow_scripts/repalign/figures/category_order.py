"""Objects sorted by category."""

import numpy as np

from repalign.inputs.things import OTHERS


def category_order(category):
    """Indices that sort objects by category, `others` last, and keep their order within."""
    category = np.asarray(category, dtype=str)
    return np.lexsort((np.arange(len(category)), category, category == OTHERS))


def category_edges(category):
    """Borders in [0, 1] of the runs of equal categories, and the category of each run."""
    category = np.asarray(category, dtype=str)
    first = np.flatnonzero(np.r_[True, category[1:] != category[:-1]])
    return np.r_[first, len(category)] / len(category), category[first]
