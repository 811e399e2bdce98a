"""Fit the transform of one layer towards human choices, its regularisation chosen on held-out objects."""

import pandas as pd
import torch
from repalign.inputs.representations import load_embeddings
from repalign.jobs.job import job
from repalign.naive_transform.apply import apply, to_artefact
from repalign.naive_transform.scores import transform_scores
from repalign.naive_transform.transform import select
from repalign.storage.artefacts import read_arrays, write_arrays, write_table

with job(snakemake) as log:
    torch.set_num_threads(snakemake.threads)
    params, wildcards, output = snakemake.params, snakemake.wildcards, snakemake.output
    arrays, metadata = read_arrays(snakemake.input.triplets, ["triplets"])
    embedding = load_embeddings(snakemake.input.model, [wildcards.layer]).rows(
        wildcards.layer, metadata["objects"]
    )
    transform, tried = select(
        embedding, arrays["triplets"], params.regularisation, params.folds, params.seed, **params.settings
    )
    scores = transform_scores(
        wildcards.model,
        wildcards.layer,
        embedding,
        apply(transform, embedding),
        arrays["triplets"],
        transform,
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    arrays, summary = to_artefact(transform)
    write_arrays(output.transform, arrays, summary | {"seed": params.seed, "code": params.code})
    write_table(output.grid, pd.DataFrame([held_out.summary() for held_out in tried]))
    write_table(output.scores, scores)
    log.info("gradient norm %.3g after %d iterations", transform.gradient_norm, transform.iterations)
