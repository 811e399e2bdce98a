"""Train one of the demo's networks on the images of the simulated world."""

import os
import tempfile
from pathlib import Path

import torch
from repalign.inputs.images import index_images
from repalign.jobs.job import job
from repalign.world.simulation import configured_world
from repalign.world.training import train

with job(snakemake) as log:
    torch.set_num_threads(snakemake.threads)
    params, target = snakemake.params, Path(snakemake.output[0])
    world = configured_world(params.world, params.seed)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        folder = Path(temporary) / "network"
        images = index_images(snakemake.input.images, world.objects)
        start = snakemake.input.start or None
        history = train(snakemake.wildcards.network, world, images, folder, start=start, seed=params.seed)
        os.replace(folder, target)
    log.info("the loss of every epoch: %s", ", ".join(f"{loss:.3f}" for loss in history))
