"""RSA and odd-one-out accuracy by model."""

from repalign.aggregate import readouts
from repalign.artefacts import read_table
from repalign.figures.forest import Panel, plot_forest
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    panels = [
        Panel(f"rsa_{params.method}", f"RSA ({params.method.capitalize()} correlation)"),
        Panel("odd_one_out", "odd-one-out accuracy (%)", 100),
    ]
    table = readouts(read_table(snakemake.input[0]), params.models)
    figure, data = plot_forest(table, panels, params.style, "Agreement with people", means=True)
    save_figure(figure, snakemake.output, data, params.style, method=params.method)
