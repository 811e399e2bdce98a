"""Results of the jobs of a submitted group, kept until the run ends.

When one job of a group fails, or the submission of the group is ended, Snakemake deletes the outputs of all its jobs.
So each job keeps a copy of its results. When the group is submitted again, a job with the same rule, parameters and
contents of its inputs restores that copy instead of computing again.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

from repalign.storage.checksums import sha256_of

GROUP = "REPALIGN_GROUP"  # this environment variable is set in the jobs of a submitted group
FOLDER = Path(".snakemake/repalign/finished")


def folder_of_job(snakemake):
    """The folder in which this job keeps its results; None outside of groups and for jobs that read folders."""
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


def restore(folder, outputs):
    """Put back the results that a job had kept; False if there are none."""
    if not folder.is_dir():
        return False
    for number, output in enumerate(outputs):
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        _link(folder / str(number), Path(output))
    return True


def keep(folder, outputs):
    """Keep the results of a job, all or none; jobs that make folders keep nothing."""
    if any(map(os.path.isdir, outputs)):
        return
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    new.mkdir(parents=True)
    for number, output in enumerate(outputs):
        _link(Path(output), new / str(number))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def _link(source, target):
    """A hard link to a file; a copy if the file system has no hard links."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
