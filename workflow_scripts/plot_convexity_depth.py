"""Convexity, odd-one-out accuracy and their correlation over the depth of models (published figure 2)."""

from repalign.artefacts import read_table
from repalign.figures.depth import plot_depth
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    figure, data = plot_depth(
        read_table(files.scores),
        read_table(files.correlations),
        params.models,
        params.finetuned,
        params.style,
    )
    save_figure(figure, snakemake.output, data, params.style)
