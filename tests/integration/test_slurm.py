"""The workflow on a real Slurm: what it submits, and what is left after everything that befalls jobs there."""

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
import yaml
from conftest import ROOT, copy_workflow, merged, planted, snakemake
from repalign.artefacts import read_arrays, read_table

SHARED = ROOT.parent / "shared" / "slurm"
PROGRAMS = ("slurmctld", "slurmd", "slurmdbd", "mariadbd", "munged")
pytestmark = [pytest.mark.slurm, pytest.mark.slow]

# One model of every planted level and no convexity study: every rule that people's clusters see, few jobs.
STUDY = """
study: cluster
world: {objects: 60, triplets: 3000, repeated_triplets: 50}
gwot: {trials: 2, epsilon: [0.03, 0.06], map: null}
statistics: {bootstraps: 50}
"""
NO_CONVEXITY = {"models": [], "finetuned": {"self_supervised": None}}
# An alignment that takes longer than Snakemake's start: many trials, each of which is worth keeping.
TRIALS = 480
LONG = STUDY + "models: one.tsv\n"
LONG = LONG.replace("trials: 2", f"strategy: paper, trials: {TRIALS}")
PLAN = "results/cluster/gwot/people/unrelated/features/plan.safetensors"


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


def with_studies(folder):
    """A checkout with the studies of this file, its real profile, and a sheet of one row."""
    copy_workflow(folder)
    (folder / "slurm").symlink_to("profiles/slurm")
    sheet = folder / "config/planted/models.tsv"
    lines = sheet.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("network")]
    sheet.write_text("".join(kept))
    (folder / "one.tsv").write_text("".join([lines[0], *(ln for ln in kept if ln.startswith("unrelated\t"))]))
    for name, text in (("study", STUDY), ("long", LONG)):
        overlay = {**merged(planted(folder), yaml.safe_load(text)), "convexity": NO_CONVEXITY}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(overlay))
    return folder


@pytest.fixture
def checkout(tmp_path, cluster):
    return with_studies(tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, cluster):
    """A checkout in which all is there that the long alignment needs; made without the cluster, to save time."""
    folder = with_studies(tmp_path_factory.mktemp("prepared"))
    inputs = ["results/cluster/inputs/humans/people.safetensors"]
    inputs += ["results/cluster/embeddings/behaviour/unrelated.safetensors"]
    snakemake(folder, *inputs, "--configfile", "long.yaml", "--quiet", "rules")
    return folder


def command(*arguments, cores=6):
    """`snakemake --profile slurm`, impatient."""
    fast = ["--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "5", "--cores", str(cores)]
    return [sys.executable, "-m", "snakemake", *map(str, arguments), "--profile", "slurm", *fast]


def run(folder, *arguments, check=True, **options):
    done = subprocess.run(
        command(*arguments, **options), cwd=folder, capture_output=True, text=True, timeout=900
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
    """(comment-free) records of the jobs of a folder from sacct: id, state and what was allocated."""
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


def group_of(output, group):
    """The Slurm id under which a group was last submitted."""
    lines = [line for line in output.splitlines() if f"/group_{group}_" in line and "SLURM jobid" in line]
    return lines[-1].split("SLURM jobid ")[1].split()[0]


def test_the_demo_runs_in_a_handful_of_submissions_and_only_alignments_ask_for_a_gpu(checkout):
    output = run(checkout, "--configfile", "study.yaml").output
    scores = read_table(checkout / "results/cluster/aggregate/layer_scores.parquet")
    assert (scores["status"] == "ok").all()
    assert scores["model"].nunique() == 4
    records = accounts(checkout)
    assert {state for _, state, _ in records} == {"COMPLETED"}
    # More than 25 jobs of the workflow; groups only wait for each other.
    assert len(records) <= 8
    with_gpu = {job for job, _, allocated in records if "gres/gpu=1" in allocated}
    assert with_gpu == {group_of(output, "alignments")}
    assert all("gres/gpu" not in allocated for job, _, allocated in records if job not in with_gpu)


def test_real_features_of_things_run_on_the_cluster_to_every_figure_and_table(checkout, things_dir):
    (checkout / "quick.yaml").write_text(
        "gwot: {humans: [spose66], trials: 1, epsilon: [0.02, 0.02], threads: 1, overrides: []}\n"
        "statistics: {bootstraps: 10}\nconvexity: {models: [clip_vit_b32], sensitivity: [20]}\n"
        "naive_transform: {regularisation: [0.3], folds: 2, tolerance: 0.1}\n"
    )
    study = [
        "--configfile",
        "config/things_features.yaml",
        "quick.yaml",
        "--config",
        f"things_dir={things_dir}",
    ]
    # With fewer cores the group of all figures would ask for more than the hour that the partition allows.
    output = run(checkout, *study, cores=10).output
    scores = read_table(checkout / "results/things_features/aggregate/layer_scores.parquet")
    rsa = scores[scores["metric"] == "rsa_spearman"].set_index(["model", "human"])["value"]
    assert rsa["clip_vit_b32", "spose66"] == pytest.approx(0.41602, abs=5e-5)
    records = {job: allocated for job, _, allocated in accounts(checkout)}
    assert "gres/gpu=1" in records[group_of(output, "alignments")]
    results = checkout / "results/things_features"
    page = (results / "report/index.html").read_text()
    figures = {path.stem for path in (results / "figures").iterdir()}
    assert len(figures) == 19  # too few layers for the correlations of all measures
    for path in (f"figures/{name}.{kind}" for name in figures for kind in ("pdf", "svg", "png", "tsv")):
        assert (results / path).stat().st_size > 100, path
        assert f'href="../{path}"' in page
    for path in (results / "tables").iterdir():
        assert path.stat().st_size > 20, path
        assert f'href="../tables/{path.name}"' in page


def test_cluster_check_counts_submissions_and_asks_the_cluster(checkout):
    def check():
        return subprocess.run(
            [sys.executable, "profiles/slurm/check.py", "--configfile", "study.yaml"],
            cwd=checkout,
            capture_output=True,
            text=True,
        )

    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("align_gwot"))
    assert row[:6] == ["align_gwot", "4", "<=", "1", "gpu", "gpu:1"]
    assert "REFUSED" not in done.stdout
    profile = checkout / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace("slurm_partition: gpu #", "slurm_partition: fast #"))
    done = check()
    assert done.returncode == 1
    assert "REFUSED   align_gwot: " in done.stdout
    assert queue(checkout) == []


def test_a_failure_shows_its_sentence_and_its_log(checkout):
    run(checkout, "results/cluster/inputs/concepts.tsv", "--configfile", "study.yaml")
    (checkout / "results/demo/world/file_order.txt").write_text("nothing\n")
    done = run(
        checkout,
        "results/cluster/inputs/triplets.safetensors",
        "--configfile",
        "study.yaml",
        "--retries",
        "0",
        check=False,
    )
    assert done.returncode != 0
    assert "repalign: " in done.output
    assert "file_order.txt" in done.output
    assert "Traceback" not in done.output
    assert "type the same command again" in done.output
    log = next(
        line.split("log: ")[1].rstrip(").") for line in done.output.splitlines() if "SLURM jobid" in line
    )
    assert Path(log.split(" ")[0]).is_file()


@pytest.mark.recovery
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
    process = start(folder, PLAN, "--configfile", "long.yaml", *partition)
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


def finished_after(checkout, process, kept):
    """The run ends well, and the trials that were finished when the job died are among the result's, not done anew."""
    assert process.wait(timeout=600) == 0, (checkout / "run.log").read_text()
    read_arrays(checkout / PLAN)
    trials = read_table((checkout / PLAN).with_name("trials.parquet")).set_index("trial")["seconds"]
    assert len(trials) == TRIALS
    assert {trial: trials[trial] for trial in kept} == kept


@pytest.mark.recovery
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
    slurm(*ending, job if ending == ["scancel"] else f"jobid={job}")
    wait_until(lambda: job not in queue(checkout))
    finished_after(checkout, process, kept)
    assert accounts(checkout)[0][1].startswith(state)


def requeued(job):
    """Wait until a job is back in the queue, and spare it the two minutes that Slurm lets it wait there."""
    wait_until(lambda: slurm("squeue", "-h", "-j", job, "-o", "%T") == "PENDING")
    slurm("scontrol", "update", f"jobid={job}", "starttime=now")


@pytest.mark.recovery
def test_a_preempted_job_comes_back_and_goes_on_where_it_was(aligning):
    checkout, process, job, journal = aligning
    slurm("sbatch", "-p", "gpu", "-c", "16", "-o", "/dev/null", "--wrap", "sleep 3")
    requeued(job)
    finished_after(checkout, process, finished_trials(journal))
    assert "PREEMPTED" in {state for _, state, _ in accounts(checkout)}


@pytest.mark.recovery
def test_a_job_whose_node_is_gone_runs_again_and_goes_on_where_it_was(cluster, aligning):
    checkout, process, job, journal = aligning
    # The node dies with all that runs on it, and is back once the scheduler has given it up.
    daemon = psutil.Process(int((cluster / "run/slurmd.pid").read_text()))
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
    finished_after(checkout, process, kept)
    assert "NODE_FAIL" in {state for _, state, _ in accounts(checkout)}


@pytest.mark.recovery
def test_after_kill_9_the_leftover_job_is_cancelled_before_it_runs_twice(aligning):
    checkout, process, job, journal = aligning
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert queue(checkout) == [job]
    again = run(checkout, PLAN, "--configfile", "long.yaml", check=False)
    assert again.returncode != 0
    assert "--unlock" in again.output
    recover = [sys.executable, "profiles/slurm/recover.py"]
    done = subprocess.run(recover, cwd=checkout, capture_output=True, text=True, check=True)
    assert f"Cancelled 1 jobs of {checkout}: {job}." in done.stdout
    wait_until(lambda: queue(checkout) == [])
    kept = finished_trials(journal)
    assert kept
    run(checkout, "--unlock", "--configfile", "long.yaml")
    finished_after(checkout, start(checkout, PLAN, "--configfile", "long.yaml"), kept)


@pytest.mark.recovery
def test_a_second_run_is_turned_away_and_the_first_goes_on(aligning):
    checkout, process, job, journal = aligning
    second = run(checkout, PLAN, "--configfile", "long.yaml", check=False)
    assert second.returncode != 0
    assert "lock" in second.output.lower()
    assert queue(checkout) == [job]
    finished_after(checkout, process, finished_trials(journal))


@pytest.mark.recovery
def test_a_sheet_edited_during_the_run_is_of_the_next_run(aligning):
    checkout, process, job, journal = aligning
    sheet = checkout / "one.tsv"
    sheet.write_text(sheet.read_text().replace("unrelated.npy", "object_level_a.npy"))
    slurm("scancel", job)  # the job that is sent again parses the workflow anew
    finished_after(checkout, process, finished_trials(journal))
    _, metadata = read_arrays(checkout / "results/cluster/embeddings/behaviour/unrelated.safetensors")
    assert metadata["row"]["identifier"].endswith("unrelated.npy")
    planned = run(checkout, "-n", PLAN, "--configfile", "long.yaml").output
    assert "rule extract_precomputed" in planned
    assert "rule align_gwot" in planned
