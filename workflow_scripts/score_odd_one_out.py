"""Odd-one-out accuracy of every layer of a model."""

from repalign.inputs.representations import load_embeddings
from repalign.jobs.job import job
from repalign.measures.odd_one_out_scores import odd_one_out_scores
from repalign.storage.artefacts import read_arrays, write_table

with job(snakemake) as log:
    params = snakemake.params
    arrays, metadata = read_arrays(snakemake.input.triplets, ["triplets"])
    scores = odd_one_out_scores(
        snakemake.wildcards.model,
        load_embeddings(snakemake.input.model),
        metadata["objects"],
        arrays["triplets"],
        similarity=params.similarity,
        centre=params.centre,
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], scores)
    log.info("\n%s", scores.to_string())
