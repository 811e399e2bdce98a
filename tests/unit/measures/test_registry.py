"""The declarations of measures agree with each other and with what is measured."""

import re
from pathlib import Path

import pandas as pd
import pytest
from repalign.errors import InputError
from repalign.measures.registry import (
    DECLARED,
    MEASURES,
    PLAN_MEASURES,
    from_model_to_human,
    headline_rows,
    in_leaderboard,
    in_role,
    is_headline,
    measure_of,
)
from repalign.storage.score_table import column_name, score_table

ROOT = Path(__file__).resolve().parents[3]


def test_every_measure_is_declared_once_with_bounds_and_a_known_role():
    assert len(MEASURES) == len(DECLARED)
    assert {measure.role for measure in DECLARED} == {"main", "detail", "diagnostic"}
    places = [measure.leaderboard for measure in in_leaderboard()]
    assert places == sorted(set(places))
    assert set(in_leaderboard()) <= set(in_role("main"))
    for measure in DECLARED:
        low, high = measure.bounds
        assert low < high
        assert not measure.is_rate or measure.bounds == (0, 1)
        assert measure.resampling in ("", "objects", "points", "triplets")
        # What is compared has a chance level to be compared with.
        assert measure.chance or measure.role == "diagnostic"
    with pytest.raises(InputError, match=r"'cca' is not declared; write what it is into .*registry\.py"):
        measure_of("cca")


def test_every_metric_in_the_code_is_declared():
    scripts = ROOT / "workflow_scripts/repalign"
    modules = [*scripts.rglob("*scores.py"), scripts / "measures/convexity/finetuning.py"]
    named = {name for path in modules for name in re.findall(r'"metric": "(\w+)"', path.read_text())}
    assert {"rsa", "odd_one_out", "clustering", "convexity", "gwot_loss"} <= named <= set(MEASURES)


def test_the_other_direction_of_matching_is_a_diagnostic_of_its_own():
    for measure in PLAN_MEASURES:
        other = measure_of(from_model_to_human(measure).metric)
        assert other.metric != measure.metric
        assert (other.role, other.leaderboard, other.bounds) == ("diagnostic", None, measure.bounds)


def test_headlines_are_told_from_other_variants():
    assert is_headline("rsa", "pearson")
    assert not is_headline("gwot", "top5")
    keys = [
        ("gwot", "top1"),
        ("gwot", "top5"),
        ("odd_one_out", ""),
        ("odd_one_out", "naive"),
        ("gwot_loss", ""),
    ]
    table = pd.DataFrame(keys, columns=["metric", "variant"])
    assert headline_rows(table, in_role("main")).index.tolist() == [0, 2]


def test_columns_of_different_keys_have_different_names():
    assert column_name("rsa", "spearman") == "rsa_spearman"
    # A human may be called like a variant.
    assert (
        column_name("gwot", "top1", "columns") == "gwot_top1.columns" != column_name("gwot_columns", "top1")
    )
    row = score_table(
        [{"model": "m", "layer": "l", "metric": "cka", "reference": "people", "value": 0.5}]
    ).iloc[0]
    assert (row["variant"], row["status"]) == ("", "ok")
