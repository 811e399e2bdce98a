"""Euclidean convexity of the features that a model's own classifier reads."""

from repalign.inputs.representations import load_embeddings
from repalign.jobs.job import job
from repalign.measures.convexity.euclidean_scores import euclidean_scores
from repalign.storage.artefacts import read_arrays, read_table, write_table

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.input
    arrays, metadata = read_arrays(files.head)
    features = load_embeddings(files.features)
    table = euclidean_scores(
        {"model": snakemake.wildcards.model, "layer": metadata["layer"]},
        features.layers.get(metadata["layer"]),
        arrays | {"classes": metadata["classes"]},
        read_table(files.concepts),
        features.objects,
        params.settings,
        n_boot=params.statistics["bootstraps"],
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], table)
    log.info("\n%s", table.to_string() if len(table) else "no class of a classifier has two members")
