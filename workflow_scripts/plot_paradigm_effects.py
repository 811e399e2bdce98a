"""Effects of the learning paradigm, with intervals."""

from repalign.figures import panels
from repalign.figures.effects import plot_effects
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.output
    labels = panels.effects(params.method)
    figure, data = plot_effects(read_table(snakemake.input[0]), labels, params.style)
    save_figure(figure, files.paradigm_effects, data, params.style)
