"""Effects of the learning paradigm, with intervals."""

from repalign.figures import panels
from repalign.figures.effects import plot_effects
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.score_table import read_scores

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.output
    effects = read_scores(snakemake.input[0])
    figure, data = plot_effects(effects, panels.effects(params.method), params.style)
    save_figure(figure, files.paradigm_effects, data, params.style)
