"""The method in one picture."""

from repalign.figures.method import plot_method
from repalign.figures.style import save_figure
from repalign.jobs.job import job

with job(snakemake) as log:
    params = snakemake.params
    figure, data = plot_method(params.style)
    save_figure(figure, snakemake.output.method, data, params.style, settings=params.settings)
