"""Align any two systems, people or models: one row of the map of all pairs."""

import pandas as pd
import torch
from repalign.gwot.alignment import align
from repalign.gwot.problem import aligned_inputs
from repalign.gwot.scores import matching_rates
from repalign.inputs.representations import load_system
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table

with job(snakemake) as log:
    torch.set_num_threads(snakemake.threads)
    names = snakemake.wildcards.first, snakemake.wildcards.second
    settings, files = dict(snakemake.params.settings), (snakemake.input.first, snakemake.input.second)
    systems = [load_system(*pair) for pair in zip(files, snakemake.params.layers, strict=True)]
    objects = [name for name in systems[0].objects if name in set(systems[1].objects)]
    first, second = (system.select(objects) for system in systems)
    source, target, settings["metric"] = aligned_inputs(first, second, settings["metric"])
    result = align(source, target, seed=snakemake.params.seed, **settings)
    concepts = read_table(snakemake.input.concepts).set_index("object").loc[objects].reset_index()
    row = {"source": names[0], "target": names[1], "n": len(objects), "loss": result.loss}
    row |= {"epsilon": result.epsilon, "converged": result.converged}
    row |= matching_rates(result.plan, concepts, snakemake.params.top_k)
    write_table(snakemake.output[0], pd.DataFrame([row]))
    log.info("%s", row)
