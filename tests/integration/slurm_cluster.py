"""A real one-node Slurm for tests, and what they ask of it."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, copy_workflow, merged, planted

SHARED = ROOT.parent / "shared" / "slurm"
PROGRAMS = ("slurmctld", "slurmd", "slurmdbd", "mariadbd", "munged")

# One model of every planted level and no convexity study: alignments and what they need, few jobs.
STUDY = """
study: cluster
world: {objects: 60, triplets: 3000, repeated_triplets: 50}
gwot: {trials: 2, epsilon: [0.03, 0.06], map: null}
statistics: {bootstraps: 50}
convexity: {models: [], finetuned: {self_supervised: null}}
"""


def unavailable():
    """Why no Slurm can be started here, or nothing."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"{', '.join(missing)} not installed (apt-get install slurm-wlm slurmdbd mariadb-server munge)"
    if os.geteuid() != 0:
        return "only root can start a Slurm"
    if Path("/etc/slurm/slurm.conf").exists():
        return "this machine has a Slurm already"
    return "" if SHARED.is_dir() else f"its scripts are not at {SHARED}"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running one-node Slurm with accounting and four declared GPUs."""
    if reason := unavailable():
        assert not os.environ.get("CI") or os.geteuid() != 0, f"CI needs a Slurm: {reason}"
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    # Daemons keep what they inherit open: files, no pipes.
    with open(folder / "up.log", "w") as log:
        up = subprocess.run(
            ["bash", ROOT / "tests/slurm/up.sh", folder, SHARED],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
    try:
        assert up.returncode == 0, (folder / "up.log").read_text()
        yield folder
    finally:
        subprocess.run(["bash", ROOT / "tests/slurm/down.sh", folder, SHARED], timeout=120, check=True)


def with_profile(folder):
    """A checkout with the real profile, as a clone has it."""
    copy_workflow(folder)
    (folder / "slurm").symlink_to("profiles/slurm")
    return folder


def with_study(folder, more=""):
    """The same with a small study, study.yaml, changed by `more`."""
    with_profile(folder)
    sheet = folder / "config/planted/models.tsv"
    lines = sheet.read_text().splitlines(keepends=True)
    sheet.write_text("".join(line for line in lines if not line.startswith("network")))
    own = yaml.safe_load(STUDY)
    study = {**merged(planted(folder), own), "convexity": own["convexity"]}
    (folder / "study.yaml").write_text(yaml.safe_dump(merged(study, yaml.safe_load(more) or {})))
    return folder


def command(*arguments, cores=6):
    """`snakemake --profile slurm`, impatient."""
    fast = ["--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "5", "--cores", str(cores)]
    return [sys.executable, "-m", "snakemake", *map(str, arguments), "--profile", "slurm", *fast]


def run(folder, *arguments, check=True, **options):
    done = subprocess.run(
        command(*arguments, **options), cwd=folder, capture_output=True, text=True, timeout=1500
    )
    done.output = done.stdout + done.stderr
    assert not check or done.returncode == 0, done.output
    return done


def start(folder, *arguments):
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdout=open(folder / "run.log", "a"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def slurm(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def accounts(folder):
    """Records of the jobs of a folder from sacct: id, state and what was allocated."""
    lines = slurm("sacct", "-X", "-n", "-P", "-D", "-o", "jobid,state,alloctres,workdir").splitlines()
    records = [line.split("|") for line in lines]
    return [record[:3] for record in records if Path(record[3]) == folder]


def queue(folder):
    """Ids of the jobs of a folder that wait or run."""
    lines = (line.split("|", 1) for line in slurm("squeue", "-h", "-o", "%A|%Z").splitlines())
    return [job for job, where in lines if Path(where) == folder]


def wait_until(condition, seconds=300, every=0.2):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)
    return result


def submissions(output):
    """What was submitted by Slurm id, as the folder of its log says: group_<group>_<rules> or rule_<rule>."""
    return dict(re.findall(r"SLURM jobid (\d+) \(log: \S*/slurm_logs/([^/]+)/", output))
