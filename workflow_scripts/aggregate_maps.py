"""Data of the figures of geometry: sorted matrices, objects in the plane, similarity of all systems."""

import numpy as np
from repalign.analysis.layer_scores import readouts
from repalign.analysis.maps import choose_models, object_map, rank_matrix, similarity_of_systems
from repalign.figures.category_order import category_order
from repalign.figures.pooling import pooled_means
from repalign.inputs.representations import load_embeddings, load_human
from repalign.jobs.job import job
from repalign.measures.rdm import dissimilarity, upper_triangle
from repalign.storage.artefacts import read_table, write_arrays, write_table

with job(snakemake) as log:
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    humans = {name: load_human(path) for name, path in zip(params.humans, files.humans, strict=True)}
    human = next(iter(humans))
    objects = humans[human].objects
    concepts = read_table(files.concepts).set_index("object").loc[list(objects)]
    order = category_order(concepts["category"])
    scores = readouts(read_table(files.scores), params.models)
    shown = choose_models(scores, human, "rsa")
    ranked, arrays, ranks = {}, {}, {}
    for name, record in humans.items():
        if record.objects == objects:
            ranks[name] = rank_matrix(record.rdm(params.metric))
            ranked[name] = upper_triangle(ranks[name]).astype(np.float32)
    arrays[human] = pooled_means(ranks[human], order)
    for name, path in zip(params.models, files.models, strict=True):
        layer = params.models[name]["readout"]
        features = load_embeddings(path, [layer]).rows(layer, objects)
        rank = rank_matrix(dissimilarity(features, params.metric))
        ranked[name] = upper_triangle(rank).astype(np.float32)
        if name in shown:
            arrays[name] = pooled_means(rank, order)
    metadata = {
        "order": [human, *shown],
        "category": concepts["category"].iloc[order].tolist(),
        "objects": list(objects),
    }
    write_arrays(output.rdms, arrays, metadata)
    write_table(output.similarity, similarity_of_systems(ranked))
    place = object_map(humans[human].rdm(params.metric), params.seed)
    table = concepts.reset_index()[["object", "category"]].assign(human=human, x=place[:, 0], y=place[:, 1])
    write_table(output.objects, table)
    log.info("matrices of %s; %d systems", [human, *shown], len(ranked))
