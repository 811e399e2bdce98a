"""Agreement of the clusters of every layer of a model with categories and with people's clusters."""

from pathlib import Path

from repalign.inputs.representations import load_embeddings, load_human
from repalign.jobs.job import job
from repalign.measures.clustering_scores import clustering_scores
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    params = snakemake.params
    scores = clustering_scores(
        snakemake.wildcards.model,
        load_embeddings(snakemake.input.model),
        read_table(snakemake.input.concepts),
        {Path(path).stem: load_human(path) for path in snakemake.input.humans},
        n_init=params.n_init,
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], scores)
    log.info("\n%s", scores.to_string())
