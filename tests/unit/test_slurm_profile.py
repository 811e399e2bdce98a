"""The cluster profile knows every rule, and the estimates of needs grow as they should."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from repalign.study import resources as needs

ROOT = Path(__file__).resolve().parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
TEXT = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
# Rules of a demo that makes its own images and networks, each a job by itself.
ALONE = {"train_network"}


def module(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"profiles/slurm/{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def rules():
    """Rules that run a script, with their text."""
    blocks = [block for block in re.split(r"\n(?=\S)|\n\s*(?=rule \w+:)", TEXT) if block.startswith("rule ")]
    return {re.match(r"rule (\w+)", block)[1]: block for block in blocks if "script:" in block}


GROUPS = dict(entry.split("=") for entry in PROFILE["groups"])
LOCAL = module("check").local_rules(ROOT)
GPU = set(PROFILE["set-resources"])


def test_every_rule_is_grouped_local_or_uses_a_gpu():
    missing = set(rules()) - set(GROUPS) - LOCAL - GPU - ALONE
    assert not missing, (
        f"profiles/slurm/config.yaml: write under groups {[f'{name}=<group>' for name in missing]}"
    )
    assert set(GROUPS) <= set(rules())
    assert {entry.split("=")[0] for entry in PROFILE["group-components"]} == set(GROUPS.values())


def test_exactly_what_asks_for_gpu_memory_gets_a_gpu():
    assert {name for name, block in rules().items() if '"gpu_mb"' in block} == GPU


def test_everything_that_downloads_runs_where_there_is_internet():
    assert {name for name in rules() if name.startswith("fetch_")} <= LOCAL
    # A group runs on a compute node, so nothing that is local may be in one.
    assert not LOCAL & set(GROUPS)


def test_networks_are_opened_after_their_weights_were_fetched():
    for name, block in rules().items():
        if name.startswith("extract_") and "trained_networks" in block:
            assert "weights=fetched_weights" in block, name


def test_a_group_shares_one_kind_of_node():
    """Slurm takes one partition for all members of a group."""
    for group in set(GROUPS.values()):
        members = {name for name, own in GROUPS.items() if own == group}
        assert members <= GPU or not members & GPU, group


def test_no_key_of_the_cluster_is_overruled_by_the_default_profile():
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    assert not set(default) & set(PROFILE)


@pytest.mark.parametrize(
    ("estimate", "small", "large"),
    [
        (needs.alignment, (200, 10), (1854, 10)),
        (needs.alignment, (200, 10), (200, 100)),
        (needs.extraction, (100, 1854, 12), (1300, 1854, 12)),
        (needs.extraction, (100, 1854, 12), (100, 26107, 12)),
        (needs.layers, (1854, 1), (1854, 25)),
        (needs.layers, (200, 12), (1854, 12)),
    ],
)
def test_needs_grow_with_the_task_and_double_with_the_attempt(estimate, small, large):
    less, more = estimate(*small), estimate(*large)
    assert all(more[key] >= less[key] for key in less)
    assert any(more[key] > less[key] for key in less)
    again = estimate(*small, attempt=3)
    assert again == {key: 4 * value for key, value in less.items()}
    # Snakemake itself takes 125 MB; no estimate is below what an interpreter with torch needs.
    assert less["mem_mb"] >= needs.BASE_MB


def test_several_layers_of_things_fit_on_one_gpu():
    share = PROFILE["resources"]["gpu_mb"] // needs.alignment(1854, 20)["gpu_mb"]
    size = dict(entry.split("=") for entry in PROFILE["group-components"])[GROUPS["align_gwot"]]
    assert share >= int(size) > 1


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnet50", 100),
        ("vit_large_patch16_224.mae", 350),
        ("ViT-H-14", 700),
        ("ViT-L-14-336", 350),
        ("facebook/dinov2-giant", 1300),
        ("eva02_large_patch14_448", 350),
        ("ViT-bigG-14", 2500),
        ("vit_base_patch16_224", 100),
    ],
)
def test_sizes_are_read_off_names(name, millions):
    assert needs.parameters(name) == millions


def test_recover_finds_the_jobs_of_this_folder_alone():
    listing = "1|repalign_ab-cd|/a/study\n2|repalign_ef|/a/other\n3|mine|/a/study\n\n4|repalign_x|/a/study\n"
    assert module("recover").leftovers(listing, "repalign", "/a/study") == ["1", "4"]


def test_the_check_counts_jobs_and_submissions():
    check = module("check")
    request = "mem_mb=4000, slurm_partition=gpu, gres=gpu:1, runtime=79"
    block = f"\nrule align_gwot:\n    threads: 2\n    resources: {request}\n"
    fetched = "\nrule fetch_file:\n    resources: mem_mb=1\n"
    jobs = list(check.jobs_of("Job stats\n" + 9 * block + fetched, {"fetch_file"}))
    assert [local for _, local, _ in jobs] == 9 * [False] + [True]
    assert jobs[0][2]["threads"] == "2"
    lines = list(check.summary(jobs, PROFILE))
    assert lines[1].split() == ["align_gwot", "9", "<=", "2", "gpu", "gpu:1", "4000", "79"]
    assert "not in the queue" in lines[2]
