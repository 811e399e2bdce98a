"""Matching rates of one transport plan."""

from repalign.gwot.scores import category_table, matching_scores, object_table
from repalign.jobs.job import job
from repalign.storage.artefacts import read_arrays, read_table, write_table

with job(snakemake) as log:
    wildcards, params = snakemake.wildcards, snakemake.params
    arrays, metadata = read_arrays(snakemake.input.plan)
    concepts = read_table(snakemake.input.concepts).set_index("object").loc[metadata["objects"]].reset_index()
    scores = matching_scores(
        {"model": wildcards.model, "layer": wildcards.layer, "reference": wildcards.human},
        arrays["plan"],
        metadata["loss"],
        concepts,
        ks=params.top_k,
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    keys = {"human": wildcards.human, "model": wildcards.model, "layer": wildcards.layer}
    tables = {
        "objects": object_table(arrays["plan"], concepts),
        "categories": category_table(arrays["plan"], concepts, params.top_k),
    }
    for name, table in tables.items():
        write_table(snakemake.output[name], table.assign(**keys))
    write_table(snakemake.output.scores, scores)
    log.info("\n%s", scores.to_string())
