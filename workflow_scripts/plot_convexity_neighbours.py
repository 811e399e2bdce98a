"""How convexity depends on the number of neighbours of the graph."""

import pandas as pd
from repalign.artefacts import read_table
from repalign.figures.depth import plot_neighbours
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    table = pd.concat([read_table(path) for path in snakemake.input], ignore_index=True)
    figure, data = plot_neighbours(table, params.models, params.finetuned, params.style)
    save_figure(figure, snakemake.output, data, params.style)
