"""How alike the models, and people, are among each other."""

from repalign.artefacts import read_table
from repalign.figures.model_map import plot_model_map
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    figure, data = plot_model_map(read_table(snakemake.input[0]), params.paradigms, params.style)
    save_figure(
        figure, snakemake.output, data, params.style, metric=params.metric, paradigms=params.paradigms
    )
