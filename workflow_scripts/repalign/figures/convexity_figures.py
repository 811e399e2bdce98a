"""The figures that `plot_convexity` draws, each a function of the name of the figure.

A function takes a namespace of tables (`scores`, `joined`, `columns`, `groups`, `depths`, `matrix`, `matching`,
`spaces`) and the params of the rule; it returns the figure and the data frame of exactly what it shows.
"""

from repalign.figures.correlations import plot_alignment, plot_matrix
from repalign.figures.depth import plot_depth, plot_measures, plot_neighbours
from repalign.figures.matching_predictors import plot_matching_predictors


def convexity_depth(tables, params):
    """Convexity, accuracy and their correlation over depth."""
    return plot_depth(tables.scores, tables.depths, params.models, params.finetuned, params.style)


def convexity_alignment(tables, params):
    """Convexity against accuracy, by groups of layers."""
    return plot_alignment(tables.joined, tables.groups, params.finetuned, params.style)


def convexity_neighbours(tables, params):
    """Convexity over the number of neighbours."""
    return plot_neighbours(tables.spaces, params.models, params.finetuned, params.style)


def convexity_correlations(tables, params):
    """Correlations of all measures."""
    return plot_matrix(tables.matrix, tables.columns, params.style)


def convexity_measures(tables, params):
    """All measures over depth."""
    return plot_measures(tables.scores, params.models, params.finetuned, params.style)


def convexity_matching(tables, params):
    """Matching of categories and of objects against convexity."""
    return plot_matching_predictors(
        tables.joined, tables.columns, tables.matching, params.finetuned, params.style
    )
