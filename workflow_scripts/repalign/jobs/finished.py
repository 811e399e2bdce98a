"""What members of a submitted group finished, kept aside until the run ends.

When one member of a group fails, or the job of the group is ended, Snakemake deletes the outputs of them all. A member
that is sent again and would do the very same (rule, parameters, contents of its inputs) takes what it had made.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

from repalign.storage.checksums import sha256_of

GROUP = "REPALIGN_GROUP"  # set in the jobs of a submitted group
FOLDER = Path(".snakemake/repalign/finished")


def place_of(snakemake):
    """The folder for what this job makes; None outside of groups and for jobs that read folders."""
    inputs = [str(path) for path in snakemake.input]
    if GROUP not in os.environ or any(map(os.path.isdir, inputs)):
        return None
    job = {
        "rule": snakemake.rule,
        "params": list(snakemake.params),
        "inputs": {path: sha256_of(path) for path in inputs},
        "outputs": [str(path) for path in snakemake.output],
    }
    return FOLDER / hashlib.sha256(json.dumps(job, sort_keys=True, default=str).encode()).hexdigest()


def restore(place, outputs):
    """Put back what a job had made; whether there was anything."""
    if not place.is_dir():
        return False
    for number, output in enumerate(outputs):
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        _link(place / str(number), Path(output))
    return True


def keep(place, outputs):
    """Keep what a job has made, all of it or nothing; a job that makes folders keeps nothing."""
    if any(map(os.path.isdir, outputs)):
        return
    new = place.with_name(f"{place.name}.{os.getpid()}")
    new.mkdir(parents=True)
    for number, output in enumerate(outputs):
        _link(Path(output), new / str(number))
    shutil.rmtree(place, ignore_errors=True)
    new.rename(place)


def _link(source, target):
    """A second name for a file; a copy where the file system knows no such names."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
