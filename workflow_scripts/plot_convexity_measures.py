"""Every main measure over the depth of every model."""

from repalign.artefacts import read_table
from repalign.figures.depth import plot_measures
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    figure, data = plot_measures(
        read_table(snakemake.input[0]), params.models, params.finetuned, params.style
    )
    save_figure(figure, snakemake.output, data, params.style)
