"""Clusters of every model against the categories and against the clusters of people."""

from repalign.aggregate import readouts
from repalign.artefacts import read_table
from repalign.figures.forest import Panel, plot_forest
from repalign.figures.style import save_figure
from repalign.job import job
from repalign.labels import shown

with job(snakemake.log[0]) as log:
    params = snakemake.params
    table = readouts(read_table(snakemake.input[0]), params.models)
    own = table[table["metric"] == "clustering_ami"]
    panels = [
        Panel(
            "clustering_ami",
            "AMI with categories" if human == "categories" else f"AMI with {shown(human)}",
            human=human,
        )
        for human in dict.fromkeys(own["human"])
    ]
    figure, data = plot_forest(own, panels, params.style, "Clusters", means=True)
    save_figure(figure, snakemake.output, data, params.style, n_init=params.n_init)
