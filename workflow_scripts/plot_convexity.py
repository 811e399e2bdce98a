"""Convexity beside every other measure: by depth, against each other, by number of neighbours."""

from types import SimpleNamespace

import pandas as pd
from repalign.figures import convexity_figures
from repalign.figures.style import save_figure
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table
from repalign.storage.score_table import read_scores

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.input
    names = ("scores", "joined", "groups", "depths", "matching", "matrix")
    tables = SimpleNamespace(**{name: read_table(files[name]) for name in names})
    tables.columns = read_scores(files.columns)
    tables.joined = tables.joined[tables.joined["model"].isin(list(params.models))]
    tables.spaces = pd.concat([read_table(path) for path in files.convexity], ignore_index=True)
    # A small study has not all of them.
    for name, paths in snakemake.output.items():
        figure, data = getattr(convexity_figures, name)(tables, params)
        save_figure(figure, paths, data, params.style)
