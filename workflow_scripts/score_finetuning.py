"""What fine-tuning changes in the last layer of a model."""

from repalign.inputs.representations import load_embeddings
from repalign.jobs.job import job
from repalign.measures.convexity.finetuning import finetuning_scores
from repalign.storage.artefacts import read_arrays, read_table, write_table

with job(snakemake) as log:
    params, files = snakemake.params, snakemake.input
    arrays, metadata = read_arrays(files.triplets, ["triplets"])
    behaviour = [
        load_embeddings(path, [layer]).rows(layer, metadata["objects"])
        for path, layer in zip(files.behaviour, params.layers, strict=True)
    ]
    points = [load_embeddings(path, [layer]) for path, layer in zip(files.points, params.layers, strict=True)]
    scores = finetuning_scores(
        snakemake.wildcards.model,
        params.layers[0],
        behaviour,
        arrays["triplets"],
        [embeddings.layers[layer] for embeddings, layer in zip(points, params.layers, strict=True)],
        read_table(files.concepts),
        points[0].objects,
        params.settings,
        confidence=params.statistics["confidence"],
        seed=params.seed,
    )
    write_table(snakemake.output[0], scores)
    log.info("\n%s", scores.to_string())
