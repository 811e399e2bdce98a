"""Align one layer of a model with a human representation by Gromov-Wasserstein optimal transport."""

import shutil
from pathlib import Path

import torch
from repalign.devices import choose_device
from repalign.gwot.alignment import DEVICES, align
from repalign.gwot.problem import aligned_inputs
from repalign.gwot.search.journal import fingerprint
from repalign.gwot.truth import top1
from repalign.inputs.representations import load_human, load_system
from repalign.jobs.job import job
from repalign.storage.artefacts import write_arrays, write_table

with job(snakemake) as log:
    torch.set_num_threads(snakemake.threads)
    settings, layer = dict(snakemake.params.settings), snakemake.wildcards.layer
    human = load_human(snakemake.input.human)
    model = load_system(snakemake.input.model, layer).select(human.objects)
    source, target, settings["metric"] = aligned_inputs(human, model, settings["metric"])
    settings["seed"] = snakemake.params.seed
    log.info("device: %s", choose_device(settings["device"], DEVICES))
    # The name of the journal changes with data, settings and code: a killed job resumes, a changed one starts anew.
    journals = Path(snakemake.output.plan).with_name("journal")
    storage = journals / f"{fingerprint(source, target, settings, snakemake.params.code)}.log"
    result = align(source, target, storage=storage, rates=top1, **settings)
    metadata = {
        "objects": list(human.objects),
        "loss": result.loss,
        "epsilon": result.epsilon,
        "converged": bool(result.converged),
        "marginal_error": result.marginal_error,
        "settings": settings,
        "seed": snakemake.params.seed,
        "code": snakemake.params.code,
    }
    write_table(snakemake.output.trials, result.trials)
    write_arrays(snakemake.output.plan, {"plan": result.plan}, metadata)
    shutil.rmtree(journals)
    log.info("loss %.6g at epsilon %.4g", result.loss, result.epsilon)
    if not result.converged:
        log.warning("the solver had not converged when it stopped; see the column reason of the trials below")
    log.info("every trial:\n%s", result.trials.to_string())
