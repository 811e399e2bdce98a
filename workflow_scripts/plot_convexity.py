"""Convexity beside every other measure: by depth, against each other, by number of neighbours."""

import pandas as pd
from repalign.figures.correlations import plot_alignment, plot_matrix
from repalign.figures.depth import plot_depth, plot_measures, plot_neighbours
from repalign.figures.matching_predictors import plot_matching_predictors
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table
from repalign.storage.score_table import read_scores

with job(snakemake) as log:
    params, style, finetuned = snakemake.params, snakemake.params.style, snakemake.params.finetuned
    correlations = ("joined", "groups", "depths", "matching", "matrix")
    joined, groups, depths, matching, matrix = (read_table(snakemake.input[name]) for name in correlations)
    joined = joined[joined["model"].isin(list(params.models))]
    scores, columns = read_table(snakemake.input.scores), read_scores(snakemake.input.columns)
    spaces = pd.concat([read_table(path) for path in snakemake.input.convexity], ignore_index=True)
    draw = {
        "convexity_depth": lambda: plot_depth(scores, depths, params.models, finetuned, style),
        "convexity_alignment": lambda: plot_alignment(joined, groups, finetuned, style),
        "convexity_neighbours": lambda: plot_neighbours(spaces, params.models, finetuned, style),
        "convexity_correlations": lambda: plot_matrix(matrix, columns, style),
        "convexity_measures": lambda: plot_measures(scores, params.models, finetuned, style),
        "convexity_matching": lambda: plot_matching_predictors(joined, columns, matching, finetuned, style),
    }
    # A small study has not all of them.
    for name, files in snakemake.output.items():
        figure, data = draw[name]()
        save_figure(figure, files, data, style)
