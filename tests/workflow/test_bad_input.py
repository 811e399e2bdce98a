"""What users see when config, sheets or data are wrong."""

import re

import pytest
from conftest import snakemake


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "sede=1"], "The config: unknown key 'sede'; did you mean seed."),
        (
            ["--config", "models=config/none.tsv"],
            "The sheet config/none.tsv does not exist; correct the path in the config.",
        ),
        (
            ["--configfile", "config/things_features.yaml", "--config", "things_dir=/nowhere"],
            "the file /nowhere/things_concepts.tsv does not exist; correct the path or set things_dir.",
        ),
        (
            ["--config", "rsa={humans: [peopl]}"],
            "The config, rsa.humans: there is no human 'peopl'; did you mean people.",
        ),
    ],
)
def test_wrong_configs_stop_before_the_dag(checkout, arguments, message):
    run = snakemake(checkout, "-n", *arguments, check=False)
    assert run.returncode != 0
    assert message in run.output
    assert "Traceback" not in run.output
    assert not (checkout / "results").exists()


@pytest.mark.slow
def test_bad_data_stops_its_job_with_one_sentence_and_leaves_nothing(checkout):
    target = "results/demo/inputs/triplets.safetensors"
    snakemake(checkout, "results/demo/inputs/concepts.tsv", "--configfile", "small.yaml")
    triplets = checkout / "results/demo/world/triplets/triplets.txt"
    triplets.write_text("0 1 60\n" + triplets.read_text())
    run = snakemake(checkout, target, "--configfile", "small.yaml", check=False)
    assert run.returncode != 0
    assert (
        "repalign: results/demo/world/triplets/triplets.txt, row 1: an index lies outside the 60 objects of "
        "results/demo/world/file_order.txt." in run.output
    )
    assert "Traceback" not in run.output
    assert list((checkout / "results/demo/inputs").glob("*triplets*")) == []


PUBLISHED = ["--configfile", "config/things.yaml", "-n", "--quiet", "rules", "--config"]


@pytest.mark.slow
def test_both_published_studies_are_planned_from_nothing(checkout):
    jobs = planned(snakemake(checkout, *PUBLISHED, "things_dir=data").output)
    # 27 models, and 12 transformers also read for images of categories; of these every layer is aligned and scored.
    assert jobs["extract_embeddings"] == 27 + 2 * 12
    assert jobs["align_gwot"] == 27 + 6 * (12 + 24)
    assert jobs["score_convexity"] == 6 * (12 + 24) + 12 * 3
    assert {"fetch_archive": 1, "fetch_member": 2, "build_file_order": 1}.items() <= jobs.items()


@pytest.mark.slow
@pytest.mark.things
def test_what_lies_in_place_is_not_fetched(checkout, things_dir):
    jobs = planned(snakemake(checkout, *PUBLISHED, f"things_dir={things_dir}").output)
    # The images and the triplets that are not there.
    assert jobs["fetch_archive"] == jobs["fetch_file"] == jobs["fetch_member"] == 1
    assert "build_file_order" not in jobs


def planned(output):
    """Number of jobs of each rule in the plan of a dry run."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}
