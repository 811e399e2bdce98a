"""Convexity against odd-one-out accuracy, by variant and half of the network (published figure 3)."""

from repalign.artefacts import read_table
from repalign.figures.correlations import plot_alignment
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    figure, data = plot_alignment(
        read_table(files.joined), read_table(files.correlations), params.finetuned, params.style
    )
    save_figure(figure, snakemake.output, data, params.style)
