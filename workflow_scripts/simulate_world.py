"""Simulate the demo's world and write it as THINGS data lies on disk."""

import os
from pathlib import Path

from repalign.jobs.job import job
from repalign.world.files import write_world
from repalign.world.simulation import configured_world

with job(snakemake) as log:
    params = snakemake.params
    settings = dict(params.world)
    world = configured_world(settings, params.seed)
    ceiling = write_world(
        world, Path(os.path.commonpath(snakemake.output)), params.things, settings, params.seed
    )
    log.info("%d objects; the expected noise ceiling is %.4f", len(world.objects), ceiling)
