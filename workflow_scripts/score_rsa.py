"""RSA of every layer of a model with every human representation."""

from pathlib import Path

from repalign.inputs.representations import load_embeddings, load_human
from repalign.jobs.job import job
from repalign.measures.rsa_scores import rsa_scores
from repalign.storage.artefacts import write_table

with job(snakemake) as log:
    params = snakemake.params
    scores = rsa_scores(
        snakemake.wildcards.model,
        load_embeddings(snakemake.input.model),
        {Path(path).stem: load_human(path) for path in snakemake.input.humans},
        metric=params.metric,
        method=params.method,
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], scores)
    log.info("\n%s", scores.to_string())
