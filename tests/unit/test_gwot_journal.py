"""A killed search resumes without a lost or doubled trial; several workers share one study."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from repalign.gwot.alignment import align

LIBRARY = Path(__file__).resolve().parents[2] / "workflow_scripts"
SETTINGS = {"metric": "cosine", "epsilon": (0.002, 0.01), "trials": 12, "seed": 2}
SCRIPT = """
import sys
import numpy as np, torch
torch.set_num_threads(1)
from repalign.gwot.alignment import align
data = np.load(sys.argv[1])
settings = eval(sys.argv[3])
np.save(sys.argv[4], align(data["source"], data["target"], storage=sys.argv[2], **settings).plan)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("pair") / "pair.npz"
    rng = np.random.default_rng(0)
    source = rng.random((120, 12))
    np.savez(path, source=source, target=source + 0.05 * rng.standard_normal(source.shape))
    return path


def worker(data, storage, output, settings):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, data, storage, repr(settings), output]
    return subprocess.Popen([str(part) for part in command], env=environment)


def logged(storage):
    """Trials in the journal, as (study, slot)."""
    lines = [json.loads(line) for line in storage.read_text().splitlines()]
    return [(line["study_id"], line["user_attrs"]["trial"]) for line in lines if "user_attrs" in line]


def test_killed_at_any_moment_it_resumes_to_the_same_result(data, tmp_path):
    settings = {**SETTINGS, "strategy": "annealed"}
    calm, storage = tmp_path / "calm", tmp_path / "journal"
    assert worker(data, calm, tmp_path / "calm.npy", settings).wait() == 0
    expected = logged(calm)
    for trials in (2, 13):
        running = worker(data, storage, tmp_path / "never.npy", settings)
        while running.poll() is None and (not storage.exists() or len(logged_safely(storage)) < trials):
            time.sleep(0.002)
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert worker(data, storage, tmp_path / "resumed.npy", settings).wait() == 0
    assert sorted(logged(storage)) == sorted(expected)
    np.testing.assert_array_equal(np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "calm.npy"))


def logged_safely(storage):
    """Complete lines only: the writer may be halfway through one."""
    return [line for line in storage.read_text().split("\n")[:-1] if '"trial"' in line]


def test_workers_share_a_study(data, tmp_path):
    settings = {**SETTINGS, "strategy": "paper"}
    storage = tmp_path / "journal"
    workers = [worker(data, storage, tmp_path / f"{k}.npy", settings) for k in range(2)]
    assert [process.wait() for process in workers] == [0, 0]
    assert sorted(slot for _, slot in logged(storage)) == list(range(12))
    pair = np.load(data)
    alone = align(pair["source"], pair["target"], **settings)
    for k in range(2):
        np.testing.assert_allclose(np.load(tmp_path / f"{k}.npy"), alone.plan, atol=1e-6)
