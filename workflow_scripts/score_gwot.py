"""Matching rates of one transport plan."""

from repalign.artefacts import read_arrays, read_table, write_table
from repalign.job import job
from repalign.scoring.matching import matching_scores

with job(snakemake.log[0]) as log:
    wildcards, params = snakemake.wildcards, snakemake.params
    arrays, metadata = read_arrays(snakemake.input.plan)
    concepts = read_table(snakemake.input.concepts).set_index("object").loc[metadata["objects"]].reset_index()
    scores = matching_scores(
        {"model": wildcards.model, "layer": wildcards.layer, "human": wildcards.human},
        arrays["plan"],
        metadata["loss"],
        concepts,
        ks=params.top_k,
        n_boot=params.statistics["bootstraps"],
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], scores)
    log.info("\n%s", scores.to_string())
