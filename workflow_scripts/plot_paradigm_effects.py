"""Effects of the learning paradigm, with intervals."""

from repalign.artefacts import read_table
from repalign.figures.effects import plot_effects
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    labels = {
        "gwot_top1": ("object matching (points)", 100),
        "gwot_category_top1": ("category matching (points)", 100),
        f"rsa_{params.method}": ("RSA", 1),
        "odd_one_out": ("odd-one-out (points)", 100),
    }
    figure, data = plot_effects(read_table(snakemake.input[0]), labels, params.style)
    save_figure(figure, snakemake.output, data, params.style)
