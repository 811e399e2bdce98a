"""Bring precomputed features into unique_id order, or draw the features of a random control."""

from repalign.artefacts import read_table
from repalign.features import random_features, read_precomputed
from repalign.job import job
from repalign.representations import Embeddings, write_embeddings

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
