"""Hostile and broken configs and sheets: the run stops before its first job with exactly the sentence of the tables.

Each row of tests/bad_input/configs.tsv is an overlay of the demo's config as one line of YAML, each row of sheets.tsv
one field of a good row of the model sheet (or of the human sheet, `human.<field>`), with its bad value.
"""

import csv
import os
from pathlib import Path

import pytest
import yaml
from conftest import copy_workflow
from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

TABLES = Path(__file__).parents[1] / "bad_input"
MODEL = {
    "model": "one",
    "source": "precomputed",
    "identifier": "{things_dir}/models/unrelated.npy",
    "weights": "",
    "revision": "",
    "paradigm": "clip",
    "train_images": "",
    "layers": "features",
    "pooling": "",
    "readout": "",
    "order": "{things_dir}/file_order.txt",
}
HUMAN = {
    "human": "people",
    "kind": "embedding",
    "path": "{things_dir}/human/people.npy",
    "order": "{things_dir}/unique_id.txt",
}
NO_STUDY = "convexity: {models: [], finetuned: {network: null}}\n"


def sheet(*rows):
    lines = [rows[0].keys(), *(row.values() for row in rows)]
    return "\n".join("\t".join(line) for line in lines) + "\n"


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


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return copy_workflow(tmp_path_factory.mktemp("bad"))


def stopped(folder, overlay):
    """What the run says to this overlay as it builds its jobs, in this very process; None where it goes on."""
    (folder / "overlay.yaml").write_text(overlay)
    before = Path.cwd()
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            settings = ConfigSettings(configfiles=[folder / "overlay.yaml"])
            api.workflow(
                ResourceSettings(cores=1),
                config_settings=settings,
                snakefile=folder / "Snakefile",
                workdir=folder,
            ).dag()
    except WorkflowError as error:  # every other exception would be a traceback
        return str(error)
    finally:
        os.chdir(before)
    return None


@pytest.mark.parametrize(("overlay", "message"), rows("configs.tsv"))
def test_a_bad_config_stops_the_run(study, overlay, message):
    assert stopped(study, overlay) == message


@pytest.mark.parametrize(("field", "value", "message"), rows("sheets.tsv"))
def test_a_bad_sheet_stops_the_run(study, field, value, message):
    human = field.startswith("human.")
    name = "humans.tsv" if human else "models.tsv"
    content = WHOLE.get(field)
    if content is None:
        row = HUMAN if human else MODEL
        assert field.removeprefix("human.") in row
        content = sheet(row | {field.removeprefix("human."): value})
    (study / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    overlay = f"humans: {name}\n" if human else f"models: {name}\n{NO_STUDY}"
    assert stopped(study, overlay) == message


def test_every_broken_sheet_has_its_row():
    assert {row[0] for row in rows("sheets.tsv")} >= set(WHOLE)


def test_no_row_did_anything(study):
    """Hostile names and tags ran nothing: what there is now was there before."""
    assert not (study / "results").exists()
    assert not list(study.glob("pwned*"))
    assert yaml.safe_load((study / "config/config.yaml").read_text())["study"] == "demo"
