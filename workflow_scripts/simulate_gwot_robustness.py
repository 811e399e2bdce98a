"""How far one alignment can be trusted: sensitivity map, independent search, near-degenerate plans, oracle, chance."""

from functools import partial

import numpy as np
import torch
from repalign.analysis.robustness import robustness_table, sensitivity_map
from repalign.gwot.alignment import epsilon_range
from repalign.gwot.problem import aligned_inputs
from repalign.gwot.scores import matching_rates
from repalign.inputs.representations import load_human, load_system
from repalign.jobs.job import job
from repalign.storage.artefacts import read_arrays, read_table, write_table

with job(snakemake) as log:
    torch.set_num_threads(snakemake.threads)
    params, wildcards = snakemake.params, snakemake.wildcards
    settings = {**params.settings, "time_budget": None}
    human = load_human(snakemake.input.human)
    model = load_system(snakemake.input.model, wildcards.layer).select(human.objects)
    source, target, settings["metric"] = aligned_inputs(human, model, settings["metric"])
    arrays, metadata = read_arrays(snakemake.input.plan)
    concepts = read_table(snakemake.input.concepts).set_index("object").loc[list(human.objects)].reset_index()
    rates = partial(matching_rates, concepts=concepts, ks=params.top_k)
    sensitivity = sensitivity_map(
        source,
        target,
        np.geomspace(*epsilon_range(settings["epsilon"]), params.size["epsilons"]),
        range(params.seed, params.seed + params.size["seeds"]),
        starts=("profile", "random") if settings["strategy"] == "annealed" else ("random",),
        anneal=settings["strategy"] == "annealed",
        rates=rates,
        **{name: settings[name] for name in ("metric", "histogram_matching", "dtype", "device")},
    )
    robustness = robustness_table(
        source,
        target,
        arrays["plan"],
        metadata,
        sensitivity,
        settings=settings,
        seed=params.seed,
        rates=rates,
        noise_pairs=params.size["noise_pairs"],
    )
    keys = {"human": wildcards.human, "model": wildcards.model, "layer": wildcards.layer}
    write_table(snakemake.output.sensitivity, sensitivity.assign(**keys))
    write_table(snakemake.output.robustness, robustness.assign(**keys))
    log.info("\n%s", robustness.to_string())
