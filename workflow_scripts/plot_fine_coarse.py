"""Fine against coarse alignment, one point a model."""

from repalign.aggregate import readouts
from repalign.artefacts import read_table
from repalign.figures.fine_coarse import plot_fine_coarse
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    figure, data = plot_fine_coarse(readouts(read_table(snakemake.input[0]), params.models), params.style)
    save_figure(figure, snakemake.output, data, params.style)
