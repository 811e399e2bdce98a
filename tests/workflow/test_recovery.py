"""After a full disk and after a file was damaged: nothing half-done counts, and the message says what to do."""

import resource
import shutil
import subprocess
import sys

import pytest
from conftest import snakemake
from repalign.errors import InputError
from repalign.storage.artefacts import read_arrays, write_arrays

EMBEDDING = "results/demo/embeddings/behaviour/unrelated.safetensors"
SCORES = "results/demo/scores/rsa/unrelated.tsv"


@pytest.fixture
def finished(small_study, tmp_path):
    return shutil.copytree(small_study, tmp_path / "study", symlinks=True)


@pytest.mark.slow
def test_a_full_disk_stops_the_job_with_one_sentence_and_leaves_nothing(finished):
    # A limit on the size of files stands for the quota: this embedding is above it, what snakemake writes below.
    sheet = finished / "config/planted/models.tsv"
    header, *rows = sheet.read_text().splitlines()
    row = {
        "model": "wide",
        "source": "random",
        "identifier": "9000",
        "paradigm": "random",
        "layers": "features",
    }
    cells = [row.get(column, "") for column in header.split("\t")]
    sheet.write_text("\n".join([header, *rows, "\t".join(cells)]) + "\n")
    target = "results/demo/embeddings/behaviour/wide.safetensors"
    command = [sys.executable, "-m", "snakemake", target, "--cores", "1", "--configfile", "small.yaml"]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    run = subprocess.run(command, cwd=finished, capture_output=True, text=True, preexec_fn=limit)
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert (
        f"repalign: {target} cannot be written, since its disk or your quota is full; make room, then type the same "
        "command again." in output
    ), output
    assert "Traceback" not in output
    folder = (finished / target).parent
    assert [path.name for path in folder.iterdir() if path.name.startswith((".", "wide"))] == []
    snakemake(finished, target, "--configfile", "small.yaml")
    assert (finished / target).stat().st_size > 500_000


@pytest.mark.slow
def test_a_damaged_result_stops_what_reads_it_and_is_made_again_once_deleted(finished):
    path = finished / EMBEDDING
    intact = path.read_bytes()
    with open(path, "r+b") as file:
        file.truncate(len(intact) - 1)
    run = snakemake(finished, SCORES, "--configfile", "small.yaml", check=False)
    assert run.returncode != 0
    assert (
        f"repalign: {EMBEDDING} has changed since it was written (it has {len(intact) - 1} of" in run.output
    )
    assert "delete it and type the same command again." in run.output
    assert "mend the cause, then type the same command again" in run.output
    assert "Traceback" not in run.output
    path.unlink()
    snakemake(finished, SCORES, "--configfile", "small.yaml")
    assert path.read_bytes() == intact
    assert (finished / SCORES).is_file()


def test_a_write_that_fails_keeps_the_file_that_was_there(tmp_path):
    path = tmp_path / "a.safetensors"
    write_arrays(path, {"x": [1.0]}, {"run": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(
            InputError, match=r"a\.safetensors cannot be written, since its disk or your quota is full"
        ):
            write_arrays(path, {"x": [1.0] * 1000}, {"run": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    arrays, metadata = read_arrays(path)
    assert (arrays["x"].tolist(), metadata) == ([1.0], {"run": 1})
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]
