"""Cancel the jobs that a killed snakemake left in the queue: those of this folder, by name and working directory.

Without this a new run would submit them again, and both would write the same files.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

PROFILE = Path(__file__).with_name("config.yaml")


def leftovers(listing, prefix, folder):
    """Ids of a listing `%A|%j|%Z` of squeue: jobs whose name has the prefix and that work in the folder."""
    jobs = (line.split("|", 2) for line in listing.splitlines() if line.count("|") >= 2)
    return sorted(
        {job for job, name, where in jobs if name.startswith(f"{prefix}_") and Path(where) == Path(folder)}
    )


def main():
    if shutil.which("squeue") is None:
        return print("No Slurm here: nothing to cancel.")
    prefix = yaml.safe_load(PROFILE.read_text())["slurm-jobname-prefix"]
    listing = subprocess.run(
        ["squeue", "--me", "--noheader", "-o", "%A|%j|%Z"], capture_output=True, text=True, check=True
    )
    jobs = leftovers(listing.stdout, prefix, Path.cwd())
    if jobs:
        subprocess.run(["scancel", *jobs], check=True)
    print(f"Cancelled {len(jobs)} jobs of {Path.cwd()}: {' '.join(jobs) or 'none'}.")
    return None


if __name__ == "__main__":
    sys.exit(main())
