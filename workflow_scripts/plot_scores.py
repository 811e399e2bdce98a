"""Scores by model, at its readout layer and over its depth."""

from repalign.analysis.layer_scores import readouts
from repalign.figures import score_figures
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    params = snakemake.params
    scores = read_table(snakemake.input[0])
    readout = readouts(scores, params.models)
    for name, files in snakemake.output.items():
        figure, data, facts = getattr(score_figures, name)(scores, readout, params)
        save_figure(figure, files, data, params.style, **facts)
