"""Correlations of all measures over layers."""

from repalign.artefacts import read_table
from repalign.figures.correlations import plot_matrix
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    figure, data = plot_matrix(read_table(snakemake.input[0]), snakemake.params.style)
    save_figure(figure, snakemake.output, data, snakemake.params.style)
