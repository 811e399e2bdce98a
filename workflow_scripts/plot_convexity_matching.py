"""Does convexity predict coarse matching?"""

from repalign.artefacts import read_table
from repalign.figures.coarse_matching import plot_coarse_matching
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params, files = snakemake.params, snakemake.input
    table = read_table(files.joined)
    figure, data = plot_coarse_matching(
        table[table["model"].isin(params.models)], read_table(files.matching), params.finetuned, params.style
    )
    save_figure(figure, snakemake.output, data, params.style)
