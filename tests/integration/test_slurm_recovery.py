"""What is left after everything that befalls jobs on a real Slurm; minutes each, run by `make recovery`."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import snakemake
from integration.slurm_cluster import accounts, queue, run, slurm, start, wait_until, with_study
from repalign.storage.artefacts import read_arrays, read_table

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.recovery]

# An alignment that takes longer than Snakemake's start: many trials, each of which is worth keeping.
TRIALS = 480
LONG = f"{{models: one.tsv, gwot: {{strategy: paper, trials: {TRIALS}}}}}"
PLAN = "results/cluster/gwot/people/unrelated/features/plan.safetensors"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, cluster):
    """A checkout in which all is there that the long alignment needs; made without the cluster, to save time."""
    folder = with_study(tmp_path_factory.mktemp("prepared"), LONG)
    header, *rows = (folder / "config/planted/models.tsv").read_text().splitlines()
    (folder / "one.tsv").write_text(
        "\n".join([header, *(row for row in rows if row.startswith("unrelated\t"))])
    )
    inputs = ["results/cluster/inputs/humans/people.safetensors"]
    inputs += ["results/cluster/embeddings/behaviour/unrelated.safetensors"]
    snakemake(folder, *inputs, "--configfile", "study.yaml", "--quiet", "rules")
    return folder


@pytest.fixture
def checkout(tmp_path, cluster):
    return with_study(tmp_path)


def test_a_job_out_of_memory_is_given_more(checkout):
    target = "results/cluster/inputs/concepts.tsv"
    few = [f"{rule}:mem_mb=60 * 20 ** (attempt - 1)" for rule in ("simulate_world", "build_concepts")]
    output = run(checkout, target, "--configfile", "study.yaml", "--set-resources", *few).output
    assert (checkout / target).is_file()
    states = [state for _, state, _ in accounts(checkout)]
    assert states[-1] == "COMPLETED"
    assert len(states) > 1, output
    assert set(states[:-1]) <= {"OUT_OF_MEMORY", "FAILED", "CANCELLED by 0", "CANCELLED"}


@pytest.fixture
def aligning(prepared, tmp_path):
    """A long alignment under way: its checkout, the snakemake process, its Slurm job, its journal of trials."""
    folder = shutil.copytree(prepared, tmp_path / "study", symlinks=True)
    partition = ["--set-resources", "align_gwot:slurm_partition=cpu"]
    process = start(folder, PLAN, "--configfile", "study.yaml", *partition)
    journals = folder / Path(PLAN).parent / "journal"
    journal = wait_until(lambda: next(journals.glob("*.log"), None))
    wait_until(lambda: journal.stat().st_size > 20_000)
    yield folder, process, queue(folder)[0], journal
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for job in queue(folder):
        slurm("scancel", job)


def finished_trials(journal):
    """Seconds of every trial that the journal holds; a line that is still being written is none."""
    lines = journal.read_text().splitlines(keepends=True) if journal.exists() else []
    records = [json.loads(line) for line in lines if line.endswith("\n")]
    attributes = [record["user_attrs"] for record in records if "trial" in record.get("user_attrs", ())]
    return {own["trial"]: own["seconds"] for own in attributes}


def at_work_again(journal, began, after):
    """Wait for the next finished trial and say how long it took since the job was ended."""
    known = len(finished_trials(journal))
    wait_until(lambda: len(finished_trials(journal)) > known)
    print(f"\n{after}: {known} trials kept, the next one finished after {time.monotonic() - began:.0f} s")


def finished_after(checkout, process, kept):
    """The run ends well, and the trials that were finished when the job died are among the result's, not done anew."""
    assert process.wait(timeout=600) == 0, (checkout / "run.log").read_text()
    read_arrays(checkout / PLAN)
    trials = read_table((checkout / PLAN).with_name("trials.parquet")).set_index("trial")["seconds"]
    assert len(trials) == TRIALS
    assert {trial: trials[trial] for trial in kept} == kept


@pytest.mark.parametrize(
    ("ending", "state"),
    [(["scancel"], "CANCELLED"), (["scontrol", "update", "timelimit=1"], "TIMEOUT")],
    ids=["cancelled", "out_of_time"],
)
def test_a_job_that_is_ended_is_sent_again_and_goes_on_where_it_was(aligning, ending, state):
    checkout, process, job, journal = aligning
    if state == "TIMEOUT":  # the shortest limit is a minute: let it take that long
        for own in psutil.process_iter(["cmdline"]):
            if "align_gwot" in (line := " ".join(own.info["cmdline"] or ())) and str(checkout) in line:
                own.send_signal(signal.SIGSTOP)
    kept = finished_trials(journal)
    assert kept
    began = time.monotonic()
    slurm(*ending, job if ending == ["scancel"] else f"jobid={job}")
    wait_until(lambda: job not in queue(checkout))
    at_work_again(journal, began, state)
    finished_after(checkout, process, kept)
    assert accounts(checkout)[0][1].startswith(state)


def requeued(job):
    """Wait until a job is back in the queue, and spare it the two minutes that Slurm lets it wait there."""
    wait_until(lambda: slurm("squeue", "-h", "-j", job, "-o", "%T") == "PENDING")
    slurm("scontrol", "update", f"jobid={job}", "starttime=now")


def test_a_preempted_job_comes_back_and_goes_on_where_it_was(aligning):
    checkout, process, job, journal = aligning
    began = time.monotonic()
    slurm("sbatch", "-p", "gpu", "-c", "16", "-o", "/dev/null", "--wrap", "sleep 3")
    requeued(job)
    kept = finished_trials(journal)
    at_work_again(journal, began, "PREEMPTED")
    finished_after(checkout, process, kept)
    assert "PREEMPTED" in {state for _, state, _ in accounts(checkout)}


def test_a_job_whose_node_is_gone_runs_again_and_goes_on_where_it_was(cluster, aligning):
    checkout, process, job, journal = aligning
    # The node dies with all that runs on it, and is back once the scheduler has given it up.
    daemon, began = psutil.Process(int((cluster / "run/slurmd.pid").read_text())), time.monotonic()
    for own in psutil.process_iter(["cmdline"]):
        line = " ".join(own.info["cmdline"] or ())
        theirs = "slurmstepd" in line or str(checkout) in line
        if own == daemon or (theirs and own.pid != process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                own.kill()
    kept = finished_trials(journal)
    assert kept
    wait_until(lambda: "down" in slurm("sinfo", "-h", "-o", "%T"))
    subprocess.run(["slurmd"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    requeued(job)
    at_work_again(journal, began, "NODE_FAIL")
    finished_after(checkout, process, kept)
    assert "NODE_FAIL" in {state for _, state, _ in accounts(checkout)}


def test_after_kill_9_the_leftover_job_is_cancelled_before_it_runs_twice(aligning):
    checkout, process, job, journal = aligning
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert queue(checkout) == [job]
    again = run(checkout, PLAN, "--configfile", "study.yaml", check=False)
    assert again.returncode != 0
    assert "--unlock" in again.output
    recover = [sys.executable, "profiles/slurm/recover.py"]
    done = subprocess.run(recover, cwd=checkout, capture_output=True, text=True, check=True)
    assert f"Cancelled 1 jobs of {checkout}: {job}." in done.stdout
    wait_until(lambda: queue(checkout) == [])
    kept = finished_trials(journal)
    assert kept
    run(checkout, "--unlock", "--configfile", "study.yaml")
    process = start(checkout, PLAN, "--configfile", "study.yaml")
    at_work_again(journal, began, "kill -9, make recover, same command")
    finished_after(checkout, process, kept)


def test_a_second_run_is_turned_away_and_the_first_goes_on(aligning):
    checkout, process, job, journal = aligning
    second = run(checkout, PLAN, "--configfile", "study.yaml", check=False)
    assert second.returncode != 0
    assert "lock" in second.output.lower()
    assert queue(checkout) == [job]
    finished_after(checkout, process, finished_trials(journal))


def test_a_sheet_edited_during_the_run_is_of_the_next_run(aligning):
    checkout, process, job, journal = aligning
    sheet = checkout / "one.tsv"
    sheet.write_text(sheet.read_text().replace("unrelated.npy", "object_level_a.npy"))
    slurm("scancel", job)  # the job that is sent again parses the workflow anew
    finished_after(checkout, process, finished_trials(journal))
    _, metadata = read_arrays(checkout / "results/cluster/embeddings/behaviour/unrelated.safetensors")
    assert metadata["row"]["identifier"].endswith("unrelated.npy")
    planned = run(checkout, "-n", PLAN, "--configfile", "study.yaml").output
    assert "rule extract_precomputed" in planned
    assert "rule align_gwot" in planned
