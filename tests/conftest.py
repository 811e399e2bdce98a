"""Shared fixtures: the real THINGS files, a checkout to run in, and one finished run of a small study."""

import itertools
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from things_files import Things

ROOT = Path(__file__).resolve().parents[1]
THINGS = ROOT.parent / "shared" / "things"

# CI runs the slow tests too, and the convexity study, and makes figures in every format: without them three minutes do.
IN_CI = bool(os.environ.get("CI"))
FORMATS = ["pdf", "svg", "png"] if IN_CI else ["png"]
QUICK = {"convexity": {"models": [], "finetuned": {"network": None}}, "figures": {"formats": FORMATS}}
# One model of every planted level is enough.
LEFT_OUT = ("_level_b",) if IN_CI else ("_level_b", "network")

# The planted study in small, in place of the demo: the same rules in a fraction of the time.
SMALL = """
world: {objects: 60, triplets: 3000, repeated_triplets: 50}
gwot: {trials: 2, epsilon: [0.03, 0.06], map: null}
statistics: {bootstraps: 50}
convexity: {sensitivity: [5], align: false}
naive_transform: {layers: [first, last], regularisation: [0.3]}
"""

# The files that take longest, in the order in which they start: so all workers end at about the same time.
LONGEST = (
    "integration/test_slurm.py",
    "integration/test_demo.py",
    "workflow/test_determinism.py",
    "integration/test_things.py",
    "workflow/test_reruns.py",
    "workflow/test_images.py",
    "workflow/test_gwot_robustness.py",
    "workflow/test_recovery.py",
    "unit/models/test_model_sheets.py",
    "unit/gwot/test_journal.py",
    "unit/gwot/test_solver.py",
    "unit/gwot/test_align.py",
    "unit/naive_transform/test_naive_transform.py",
)


def pytest_collection_modifyitems(config, items):
    """Start with the longest files; skip what needs means that are missing, and outside CI what is slow.

    In CI the THINGS files must be there, so tests marked `things` are not skipped.
    """
    tests = ROOT / "tests"
    place = {tests / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
    skip_slow = pytest.mark.skip(reason="slow; run `CI=true make test`")
    skip_things = pytest.mark.skip(reason=f"the THINGS files are not at {THINGS}")
    by_hand = {"benchmark", "recovery"}
    asked = {name for name in by_hand if name in (config.option.markexpr or "")}
    skip_by_hand = {
        name: pytest.mark.skip(reason=f"takes long; run `make {name}`") for name in sorted(by_hand - asked)
    }
    for item in items:
        if "things" in item.keywords and not THINGS.is_dir() and not IN_CI:
            item.add_marker(skip_things)
        if "slow" in item.keywords and not IN_CI and asked.isdisjoint(item.keywords):
            item.add_marker(skip_slow)
        for name, skip in skip_by_hand.items():
            if name in item.keywords:
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter):
    """Minutes of all tests by folder."""
    minutes = Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if hasattr(report, "duration") and hasattr(report, "nodeid"):
            minutes[str(Path(report.nodeid.partition("::")[0]).parent)] += report.duration / 60
    if IN_CI:
        terminalreporter.section("minutes by folder")
        for folder, value in minutes.most_common():
            terminalreporter.write_line(f"{value:6.1f} {folder}")


@pytest.fixture(scope="session")
def things_dir():
    """The folder of the real THINGS files."""
    assert THINGS.is_dir(), f"CI needs the THINGS files at {THINGS}"
    return THINGS


@pytest.fixture(scope="session")
def reference_dir(things_dir):
    """The folder of published and independently computed numbers."""
    return things_dir.parent / "reference"


@pytest.fixture(scope="session")
def things(things_dir, reference_dir):
    """The real files, read by a few lines of their own that the loaders do not share."""
    return Things(things_dir, reference_dir)


def planted(folder):
    """The overlay of the planted study, to be run under the name and in the folder of the demo."""
    overlay = yaml.safe_load((folder / "config/planted.yaml").read_text())
    return {key: value for key, value in overlay.items() if key not in ("study", "things_dir")}


def merged(base, top):
    """Two configs merged key by key, as snakemake merges overlays."""
    shared = [key for key in top if isinstance(top[key], dict) and isinstance(base.get(key), dict)]
    both = {key: merged(base[key], top[key]) for key in shared}
    return {**base, **top, **both}


def copy_workflow(folder):
    """A checkout of the workflow without results, to change at will."""
    for name in ("rules", "config", "profiles", "workflow_scripts", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "Snakefile", folder)
    small = merged(planted(folder), yaml.safe_load(SMALL))
    (folder / "small.yaml").write_text(yaml.safe_dump(small if IN_CI else merged(small, QUICK)))
    sheet = folder / "config/planted/models.tsv"
    lines = sheet.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not any(name in line.split("\t")[0] for name in LEFT_OUT)]
    sheet.write_text("".join(kept))
    return folder


def snakemake(folder, *arguments, check=True, cores=2):
    """Run snakemake in a checkout and return the finished process, stdout and stderr joined."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *map(str, arguments)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    run.output = run.stdout + run.stderr
    assert not check or run.returncode == 0, run.output
    return run


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """A checkout in which the small study has run to its end. Read it; copy it before changing it."""
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if parallel else shared) / "study"
    with FileLock(f"{folder}.lock"):  # the workers of one test run share it
        if not (folder / "finished").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            copy_workflow(folder)
            snakemake(folder, "--configfile", "small.yaml", "--quiet", "rules")
            (folder / "finished").touch()
    return folder


@pytest.fixture
def checkout(tmp_path):
    """A fresh checkout without results."""
    return copy_workflow(tmp_path)
