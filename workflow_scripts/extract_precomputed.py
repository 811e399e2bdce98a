"""Bring precomputed features into unique_id order, or draw the features of a random control."""

from repalign.inputs.features import random_features, read_precomputed
from repalign.inputs.representations import Embeddings, write_embeddings
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table

with job(snakemake) as log:
    row, seed = snakemake.params.row, snakemake.params.seed
    objects = tuple(read_table(snakemake.input.concepts)["object"])
    if row["source"] == "random":
        layers = random_features(row["identifier"], row["layers"], len(objects), seed)
    else:
        layers = read_precomputed(row["identifier"], row["layers"], objects, row.get("order"))
    metadata = {"row": row, "seed": seed, "code": snakemake.params.code}
    write_embeddings(snakemake.output[0], Embeddings(layers, objects), metadata)
    log.info("%s", {name: array.shape for name, array in layers.items()})
