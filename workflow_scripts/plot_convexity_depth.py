"""Convexity and odd-one-out accuracy over the depth of every model (published figure 2, a and b)."""

from repalign.artefacts import read_table
from repalign.figures.depth import plot_depth
from repalign.figures.forest import Panel
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    panels = [
        Panel("convexity", "graph convexity (%)", 100),
        Panel("odd_one_out", "odd-one-out accuracy (%)", 100),
    ]
    figure, data = plot_depth(
        read_table(snakemake.input[0]), panels, params.models, params.finetuned, params.style
    )
    save_figure(figure, snakemake.output, data, params.style)
