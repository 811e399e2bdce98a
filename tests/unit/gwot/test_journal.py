"""A killed search resumes without a lost or doubled trial; several workers share one study."""

import json
import multiprocessing
import time

import numpy as np
import pytest
from repalign.gwot.alignment import align

SETTINGS = {"metric": "cosine", "epsilon": (0.002, 0.01), "trials": 8, "seed": 2}


@pytest.fixture(scope="module")
def start():
    """Start a search in a process of its own, forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["repalign.gwot.alignment"])
    running = []

    def start(pair, **settings):
        process = context.Process(target=align, args=pair, kwargs=settings)
        process.start()
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    source = rng.random((80, 8))
    return source, source + 0.05 * rng.standard_normal(source.shape)


def finish(process):
    process.join()
    return process.exitcode


def logged(storage):
    """Trials in the journal, as (study, slot); a line that is still being written does not count."""
    if not storage.exists():
        return []
    lines = [json.loads(line) for line in storage.read_text().split("\n")[:-1]]
    return [(line["study_id"], line["user_attrs"]["trial"]) for line in lines if "user_attrs" in line]


@pytest.mark.slow
def test_killed_at_any_moment_it_resumes_to_the_same_result(start, pair, tmp_path):
    calm, storage = tmp_path / "calm", tmp_path / "journal"
    assert finish(start(pair, storage=calm, **SETTINGS)) == 0
    expected = logged(calm)
    for trials in (1, 9):
        running = start(pair, storage=storage, **SETTINGS)
        while running.is_alive() and len(logged(storage)) < trials:
            time.sleep(0.002)
        running.kill()
        running.join()
        assert len(logged(storage)) < len(expected)
    assert finish(start(pair, storage=storage, **SETTINGS)) == 0
    assert sorted(logged(storage)) == sorted(expected)
    plans = [align(*pair, storage=path, **SETTINGS).plan for path in (storage, calm)]
    np.testing.assert_array_equal(*plans)


def test_workers_share_a_study(start, pair, tmp_path):
    settings = {**SETTINGS, "strategy": "paper", "storage": tmp_path / "journal"}
    workers = [start(pair, **settings) for _ in range(2)]
    assert [finish(worker) for worker in workers] == [0, 0]
    assert sorted(slot for _, slot in logged(settings["storage"])) == list(range(8))
    alone = align(*pair, **{**settings, "storage": None})
    np.testing.assert_allclose(align(*pair, **settings).plan, alone.plan, atol=1e-6)
