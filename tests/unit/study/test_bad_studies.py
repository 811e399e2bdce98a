"""Hostile and broken configs and sheets: the run stops before its first job with exactly the sentence of the tables.

Each row of tests/bad_input/configs.tsv is an overlay of the planted study as one line of YAML; each row of sheets.tsv
is one field of a good row of the model sheet (or of the human sheet, `human.<field>`) with its bad value.
"""

import copy
import csv
from pathlib import Path

import pytest
from repalign.errors import InputError
from repalign.study.study import Study, read_study
from small_studies import DEFAULTS, HUMAN, MODEL, ROOT, SCHEMAS, sheet
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

TABLES = ROOT / "tests/bad_input"
NO_STUDY = "convexity: {models: [], finetuned: {self_supervised: null}}\n"


# Whole sheets that are broken; the name of each case is the first column of sheets.tsv.
WHOLE = {
    "(no rows)": sheet(MODEL).split("\n")[0] + "\n",
    "(empty)": "",
    "(comments only)": "# model\n\n",
    "(a row twice)": sheet(MODEL, MODEL),
    "(an unknown column)": sheet(MODEL | {"colour": "red"}),
    "(a column missing)": sheet({key: value for key, value in MODEL.items() if key != "paradigm"}),
    "(a column twice)": sheet(MODEL).replace("readout", "layers"),
    "(a short row)": sheet(MODEL) + "two\tprecomputed\n",
    "(a long row)": sheet(MODEL)[:-1] + "\tx\ty\n",
    "(commas for tabs)": sheet(MODEL).replace("\t", ","),
    "(Latin-1)": sheet(MODEL | {"model": "größe"}).encode("latin1"),
    "(UTF-16)": sheet(MODEL).encode("utf-16"),
    "(a null byte)": sheet(MODEL | {"readout": "a\0b"}),
    "(an image)": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "(a line break in a cell)": sheet(MODEL | {"model": '"a\nb"'}),
}


def rows(name):
    with open(TABLES / name, encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]


def stopped(overlay):
    """What the run says to this overlay, read as snakemake reads it; None where it goes on."""
    Path("overlay.yaml").write_text(overlay)
    try:
        config = copy.deepcopy(DEFAULTS)
        update_config(config, load_configfile("overlay.yaml"))
        read_study(config, SCHEMAS)
    except (InputError, WorkflowError) as error:  # every other exception would be a traceback
        return str(error)
    return None


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.glob("*pwned*")), "a name or a tag was executed"


@pytest.mark.parametrize(("overlay", "message"), rows("configs.tsv"))
def test_a_bad_config_stops_the_run(overlay, message):
    assert stopped(overlay) == message


@pytest.mark.parametrize(("field", "value", "message"), rows("sheets.tsv"))
def test_a_bad_sheet_stops_the_run(field, value, message):
    human = field.startswith("human.")
    name = "humans.tsv" if human else "models.tsv"
    content = WHOLE.get(field)
    if content is None:
        row = HUMAN if human else MODEL
        assert field.removeprefix("human.") in row
        content = sheet(row | {field.removeprefix("human."): value})
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    overlay = f"humans: {name}\n" if human else f"models: {name}\n{NO_STUDY}"
    assert stopped(overlay) == message


def test_every_broken_sheet_has_its_row():
    assert {row[0] for row in rows("sheets.tsv")} >= set(WHOLE)


def test_the_study_of_a_run_is_read_back_as_it_was():
    """Jobs read it from a file, without the password that the config may hold."""
    study = read_study(copy.deepcopy(DEFAULTS) | {"things_password": "open sesame"}, SCHEMAS)
    path = study.write("snapshots")
    assert path == study.write("snapshots")
    assert "open sesame" not in path.read_text()
    again = Study.read(path)
    assert (again.config, again.models, again.humans) == (study.config, study.models, study.humans)
    assert list(again.named_files()) == list(study.named_files())
    assert again.count_objects() == DEFAULTS["world"]["objects"]
