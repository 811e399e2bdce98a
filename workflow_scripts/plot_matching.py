"""Matching rates of unsupervised alignment by model: objects (top-k) and categories."""

from repalign.aggregate import readouts
from repalign.artefacts import read_table
from repalign.figures.forest import Panel, plot_forest
from repalign.figures.style import save_figure
from repalign.job import job

with job(snakemake.log[0]) as log:
    params = snakemake.params
    panels = [Panel(f"gwot_top{k}", f"top-{k} matching (%)", 100, (-3, 103)) for k in sorted(params.top_k)]
    panels.append(Panel(f"gwot_category_top{min(params.top_k)}", "category matching (%)", 100, (-3, 103)))
    table = readouts(read_table(snakemake.input[0]), params.models)
    figure, data = plot_forest(table, panels, params.style, "Unsupervised alignment with people", means=True)
    save_figure(figure, snakemake.output, data, params.style, top_k=sorted(params.top_k))
