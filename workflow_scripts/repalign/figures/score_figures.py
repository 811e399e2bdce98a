"""The figures that `plot_scores` draws from the tidy table, each a function of the name of the figure.

A function takes the tidy table of all layers, its rows of the readout layers, and the params of the rule; it returns
the figure, the data frame of exactly what it shows, and further facts for its caption.
"""

from repalign.figures import panels
from repalign.figures.fine_coarse import plot_fine_coarse
from repalign.figures.forest import plot_forest
from repalign.figures.layers import plot_layers


def agreement(scores, readout, params):
    """RSA and odd-one-out accuracy of every model."""
    shown = panels.agreement(params.method)
    figure, data = plot_forest(readout, shown, params.style, "Agreement with people", means=True)
    return figure, data, {"method": params.method}


def matching(scores, readout, params):
    """Matching rates of objects and categories of every model."""
    shown = panels.matching(params.top_k)
    figure, data = plot_forest(readout, shown, params.style, "Unsupervised alignment with people", means=True)
    return figure, data, {"top_k": sorted(params.top_k)}


def category_matching(scores, readout, params):
    """The category tables side by side."""
    k = min(params.top_k)
    figure, data = plot_forest(
        readout, panels.category_matching(k), params.style, "Category matching", means=True
    )
    return figure, data, {"k": k}


def clustering(scores, readout, params):
    """Agreement of clusters of every model."""
    figure, data = plot_forest(readout, panels.clustering(readout), params.style, "Clusters", means=True)
    return figure, data, {"n_init": params.n_init}


def fine_coarse(scores, readout, params):
    """Matching of objects against matching of categories."""
    return *plot_fine_coarse(readout, params.style), {}


def layers(scores, readout, params):
    """Measures over the depth of every model."""
    at = {name: row["readout"] for name, row in params.models.items()}
    return *plot_layers(scores, panels.layers(params.method), at, params.style), {}
