"""How alike the models, and people, are among each other."""

from repalign.artefacts import read_table
from repalign.figures.model_map import plot_model_map
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    alignments = read_table(files.alignments) if files.alignments else None
    figure, data = plot_model_map(read_table(files.similarity), params.paradigms, params.style, alignments)
    save_figure(
        figure, snakemake.output, data, params.style, metric=params.metric, paradigms=params.paradigms
    )
