"""Graph convexity of one layer of a model, as it is or after the transform."""

from repalign.inputs.representations import load_embeddings
from repalign.jobs.job import job
from repalign.measures.convexity.scores import convexity_scores
from repalign.naive_transform.apply import apply, from_artefact
from repalign.storage.artefacts import read_arrays, read_table, write_table

with job(snakemake) as log:
    params, wildcards = snakemake.params, snakemake.wildcards
    embeddings = load_embeddings(snakemake.input.model, [wildcards.layer])
    features, original = embeddings.layers[wildcards.layer], None
    if snakemake.input.transform:
        original = features
        features = apply(from_artefact(*read_arrays(snakemake.input.transform)), features)
    table = convexity_scores(
        {"model": wildcards.model, "layer": wildcards.layer, "space": wildcards.space},
        features,
        read_table(snakemake.input.concepts),
        embeddings.objects,
        params.settings,
        original=original,
        confidence=params.statistics["confidence"],
        seed=params.seed,
        workers=snakemake.threads,
    )
    write_table(snakemake.output[0], table)
    log.info("\n%s", table.to_string())
