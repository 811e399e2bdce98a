"""Draw the images of the simulated world."""

import os
import tempfile
from pathlib import Path

from repalign.jobs.job import job
from repalign.world.images import write_images
from repalign.world.simulation import configured_world

with job(snakemake) as log:
    params, target = snakemake.params, Path(snakemake.output[0])
    world = configured_world(params.world, params.seed)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        paths = write_images(world, Path(temporary) / "images", params.per_object, seed=params.seed)
        os.replace(Path(temporary) / "images", target)
    log.info("%d images of %d objects", len(paths), len(world.objects))
