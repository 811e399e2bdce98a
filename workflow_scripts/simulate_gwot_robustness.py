"""How far one alignment can be trusted: sensitivity map, independent search, near-degenerate plans, oracle, chance."""

import numpy as np
import torch
from repalign.artefacts import read_arrays, read_table, write_table
from repalign.gwot.problem import aligned_inputs
from repalign.gwot.robustness import robustness_table, sensitivity_map
from repalign.job import job
from repalign.representations import load_embeddings, load_human
from repalign.things import membership_matrix

with job(snakemake.log[0]) as log:
    torch.set_num_threads(snakemake.threads)
    params, layer = snakemake.params, snakemake.wildcards.layer
    settings = dict(params.settings)
    human = load_human(snakemake.input.human)
    model = load_embeddings(snakemake.input.model, [layer]).of(layer, human.objects)
    source, target, settings["metric"] = aligned_inputs(human.array, model, human.kind, settings["metric"])
    arrays, metadata = read_arrays(snakemake.input.plan)
    concepts = read_table(snakemake.input.concepts).set_index("object").loc[list(human.objects)]
    categories, _ = membership_matrix(concepts, "category")
    shared = {name: settings[name] for name in ("metric", "histogram_matching", "dtype")}
    epsilons = np.geomspace(*settings["epsilon"], params.size["epsilons"])
    seeds = range(params.seed, params.seed + params.size["seeds"])
    sensitivity = sensitivity_map(source, target, epsilons, seeds, categories=categories, **shared)
    robustness = robustness_table(
        source, target, arrays["plan"], metadata, sensitivity, settings=settings, seed=params.seed
    )
    write_table(snakemake.output.sensitivity, sensitivity)
    write_table(snakemake.output.robustness, robustness)
    log.info("\n%s", robustness.to_string())
