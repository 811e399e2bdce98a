"""Join all scores of the study in one tidy table."""

from repalign.analysis.layer_scores import layer_scores
from repalign.jobs.job import job
from repalign.measures.convexity.euclidean_scores import euclidean_summary
from repalign.measures.convexity.scores import summary_rows
from repalign.storage.artefacts import read_table, write_table
from repalign.storage.score_table import read_scores

with job(snakemake) as log:
    files, params = snakemake.input, snakemake.params
    ceiling = read_table(files.noise_ceiling)["noise_ceiling"][0]
    layers = {model: row["layers"] for model, row in params.models.items()}
    scores = [read_scores(path) for path in files.scores]
    scores += [summary_rows(read_table(path), params.n_neighbours) for path in files.convexity]
    scores += [euclidean_summary(read_table(path), layers) for path in files.euclidean]
    table = layer_scores(scores, params.models, params.study, ceiling)
    write_table(snakemake.output[0], table)
    log.info("%d scores of %d models", len(table), table["model"].nunique())
