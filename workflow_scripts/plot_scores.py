"""Scores by model, at its readout layer and over its depth."""

from repalign.analysis.layer_scores import readouts
from repalign.figures import panels
from repalign.figures.fine_coarse import plot_fine_coarse
from repalign.figures.forest import plot_forest
from repalign.figures.layers import plot_layers
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    params, style, files = snakemake.params, snakemake.params.style, snakemake.output
    layers, k = read_table(snakemake.input[0]), min(params.top_k)
    table = readouts(layers, params.models)

    shown = panels.agreement(params.method)
    figure, data = plot_forest(table, shown, style, "Agreement with people", means=True)
    save_figure(figure, files.agreement, data, style, method=params.method)

    shown = panels.matching(params.top_k)
    figure, data = plot_forest(table, shown, style, "Unsupervised alignment with people", means=True)
    save_figure(figure, files.matching, data, style, top_k=sorted(params.top_k))

    figure, data = plot_forest(table, panels.category_matching(k), style, "Category matching", means=True)
    save_figure(figure, files.category_matching, data, style, k=k)

    figure, data = plot_forest(table, panels.clustering(table), style, "Clusters", means=True)
    save_figure(figure, files.clustering, data, style, n_init=params.n_init)

    figure, data = plot_fine_coarse(table, style)
    save_figure(figure, files.fine_coarse, data, style)

    at = {name: row["readout"] for name, row in params.models.items()}
    figure, data = plot_layers(layers, panels.layers(params.method), at, style)
    save_figure(figure, files.layers, data, style)
