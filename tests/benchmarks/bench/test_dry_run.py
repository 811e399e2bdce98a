"""Planning the extended sheet: more than a hundred models, every layer, more than ten thousand jobs.

Time and memory of a dry run, and what one changed row of a finished study would run.
"""

import os
import re
import subprocess
import sys
import time

import pytest
from conftest import copy_workflow

pytestmark = [pytest.mark.benchmark, pytest.mark.things]

STUDY = """
study: extended
models: config/models_extended.tsv
humans: humans.tsv
things_dir: {things}
world: null
things:
  concepts: things_concepts.tsv
  triplets: triplets/triplets_100k.txt
  repeated_triplets: null
  repeated_triplets_order: null
images: {{folder: images, references: null, categories: category, per_category: 100, average_all: true}}
gwot: {{layers: all}}
convexity: {{models: all, finetuned: {{self_supervised: null}}}}
"""
MODEL = "resnet50"


@pytest.fixture(scope="module")
def study(tmp_path_factory, things_dir):
    folder = copy_workflow(tmp_path_factory.mktemp("extended"))
    (folder / "extended.yaml").write_text(STUDY.format(things=things_dir))
    third = "spose_group2\tembedding\t{things_dir}/human/spose_group2.npy\t{things_dir}/unique_id.txt\tall\n"
    (folder / "humans.tsv").write_text((folder / "config/things/humans.tsv").read_text() + third)
    return folder


# Snakemake, without the tenth of a second that it sleeps for every job it marks as done.
MARK = "import snakemake.executors.touch as t; t.Executor.SLEEPING_TIME = 0; from snakemake.cli import main; main()"


def planned(folder, *arguments):
    """Output, seconds, CPU seconds and MB of one snakemake."""
    program = ["-c", MARK] if "--touch" in arguments else ["-m", "snakemake"]
    command = [sys.executable, *program, "--configfile", "extended.yaml", *arguments]
    begin = time.perf_counter()
    with open(folder / "planned.txt", "w+") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        out.seek(0)
        text = out.read()
    assert os.waitstatus_to_exitcode(status) == 0, text[-3000:]
    print(
        f"{' '.join(arguments):40} {seconds:6.1f} s, {usage.ru_utime + usage.ru_stime:6.1f} CPU s, "
        f"{usage.ru_maxrss / 1000:5.0f} MB"
    )
    return text


def test_dry_run_and_one_changed_row(study):
    print()
    everything = planned(study, "-n")
    jobs = int(re.search(r"^total +(\d+)", everything, re.MULTILINE)[1])
    print(f"{jobs} jobs")
    assert jobs > 10_000
    planned(study, "-n", "--quiet")
    # The study as if it had run: empty files, recorded by snakemake as made by these jobs.
    for line in re.findall(r"^    output: (.*)$", everything, re.MULTILINE):
        for name in line.split(", "):
            path = study / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    planned(study, "--touch", "--forceall", "--cores", "64", "--quiet", "all")
    assert "Nothing to be done" in planned(study, "-n")
    sheet = study / "config/models_extended.tsv"
    rows = sheet.read_text().splitlines(keepends=True)
    (place,) = [i for i, row in enumerate(rows) if row.startswith(f"{MODEL}\t")]
    header = next(row for row in rows if row.startswith("model\t")).rstrip("\n").split("\t")
    cells = rows[place].rstrip("\n").split("\t")
    cells[header.index("pooling")] = "flatten" if cells[header.index("pooling")] != "flatten" else "average"
    rows[place] = "\t".join(cells) + "\n"
    sheet.write_text("".join(rows))
    changed = planned(study, "-n")
    models = re.findall(r"^    wildcards: .*\bmodel=(\w+)", changed, re.MULTILINE)
    print(
        f"one changed row: {len(models)} jobs of that model, of others {len([m for m in models if m != MODEL])}"
    )
    assert set(models) == {MODEL}
