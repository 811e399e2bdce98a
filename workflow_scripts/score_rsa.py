"""RSA of every layer of a model with every human representation."""

from pathlib import Path

from repalign.artefacts import write_table
from repalign.job import job
from repalign.representations import load_embeddings, load_human
from repalign.scoring.rsa import rsa_scores

with job(snakemake) as log:
    params = snakemake.params
    scores = rsa_scores(
        snakemake.wildcards.model,
        load_embeddings(snakemake.input.model),
        {Path(path).stem: load_human(path) for path in snakemake.input.humans},
        metric=params.metric,
        method=params.method,
        n_boot=params.statistics["bootstraps"],
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], scores)
    log.info("\n%s", scores.to_string())
