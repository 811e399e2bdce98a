"""Layer ablation: object matching, category matching and RSA over depth."""

from repalign.artefacts import read_table
from repalign.figures.forest import Panel
from repalign.figures.layers import plot_layers
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    panels = [
        Panel("gwot_top1", "object matching (%)", 100),
        Panel("gwot_category_top1", "category matching (%)", 100),
        Panel(f"rsa_{params.method}", f"RSA ({params.method.capitalize()})"),
    ]
    readouts = {name: row["readout"] for name, row in params.models.items()}
    figure, data = plot_layers(read_table(snakemake.input[0]), panels, readouts, params.style)
    save_figure(figure, snakemake.output, data, params.style)
