"""What a member of a submitted group finished comes back when its group is sent again; what changed is done anew."""

from contextlib import suppress
from types import SimpleNamespace

import pandas as pd
import pytest
from repalign.jobs.finished import FOLDER, GROUP
from repalign.jobs.job import job
from repalign.storage.artefacts import read_table, write_table
from snakemake.iocontainers import Params


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A function that runs a job which copies a table; what it gives back says whether the job did any work."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(GROUP, "1")
    (tmp_path / "in.txt").write_text("3")

    def run(fails=False, **params):
        snakemake = SimpleNamespace(
            rule="copy",
            input=["in.txt"],
            output=["out/table.tsv", "out/other.tsv"],
            log=["copy.log"],
            params=Params(fromdict={"code": "0", **params}),
        )
        work = []
        with suppress(SystemExit), job(snakemake):
            work.append("done")
            for path in snakemake.output:
                write_table(path, _frame((tmp_path / "in.txt").read_text()))
            if fails:
                raise ValueError("afterwards")
        return bool(work)

    return run


def _frame(value):
    return pd.DataFrame({"x": [int(value)]})


def delete_outputs(folder):
    for path in (folder / "out").iterdir():
        path.unlink()


def test_what_was_finished_is_put_back_and_not_done_again(made, tmp_path):
    assert made()
    delete_outputs(tmp_path)
    assert not made()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.tsv", "table.tsv"]
    assert read_table(tmp_path / "out/table.tsv")["x"].tolist() == [3]
    assert "its results are restored" in (tmp_path / "copy.log").read_text()


@pytest.mark.parametrize("change", ["params", "input", "local"])
def test_whatever_changed_is_done_anew(made, tmp_path, monkeypatch, change):
    assert made()
    if change == "input":
        (tmp_path / "in.txt").write_text("4")
    if change == "local":
        monkeypatch.delenv(GROUP)
    assert made(code="1") if change == "params" else made()
    assert read_table(tmp_path / "out/table.tsv")["x"].tolist() == [4 if change == "input" else 3]


def test_a_job_that_fails_leaves_nothing_to_put_back(made, tmp_path):
    assert made(fails=True)
    assert not (tmp_path / FOLDER).exists()
    assert made()


def test_a_later_result_does_not_change_what_was_kept(made, tmp_path):
    assert made()
    write_table(tmp_path / "out/table.tsv", _frame(9))
    assert not made()
    assert read_table(tmp_path / "out/table.tsv")["x"].tolist() == [3]
