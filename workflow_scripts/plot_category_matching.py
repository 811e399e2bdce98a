"""Category matching with and without the objects of no category."""

from repalign.aggregate import readouts
from repalign.artefacts import read_table
from repalign.figures.forest import Panel, plot_forest
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    k = min(params.top_k)
    panels = [
        Panel(f"gwot_{table}_top{k}", f"{label} (%)", 100, (-3, 103))
        for table, label in (
            ("category", "without “others”"),
            ("category_others", "with “others”"),
            ("category_any", "any of its categories"),
        )
    ]
    table = readouts(read_table(snakemake.input[0]), params.models)
    figure, data = plot_forest(table, panels, params.style, "Category matching", means=True)
    save_figure(figure, snakemake.output, data, params.style, k=k)
