"""What users see when config, sheets or data are wrong."""

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
