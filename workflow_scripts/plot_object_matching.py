"""Matching by category and by object."""

from repalign.figures.object_matching import plot_object_matching
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    params = snakemake.params
    matches = read_table(snakemake.input[0])
    human = matches["human"].iloc[0]
    figure, data = plot_object_matching(matches, params.paradigms, human, params.style)
    save_figure(figure, snakemake.output.object_matching, data, params.style, human=human)
