import pandas as pd
import pytest
from repalign.__main__ import main
from repalign.analysis.comparison import compare_studies


def scores(**values):
    rows = [
        {"model": name, "layer": "l", "metric": "cka", "variant": "", "reference": "h", "value": x}
        | {"ci_low": x - 0.03, "ci_high": x + 0.03}
        for name, x in values.items()
    ]
    return pd.DataFrame(rows).assign(status="ok")


def test_only_differences_beyond_the_joint_interval_count():
    # The half interval of a difference is sqrt(2) * 0.03 = 0.0424.
    table = compare_studies(scores(a=0.5, b=0.5, c=0.5, d=0.5), scores(a=0.54, b=0.55, c=0.4, e=0.1))
    verdict = table.set_index("model")["verdict"]
    assert verdict.to_dict() == {
        "a": "within the intervals", "b": "higher", "c": "lower", "d": "only in the first", "e": "only in the second",
    }  # fmt: skip
    assert table["model"].iloc[0] == "c"
    assert table.set_index("model").loc["b", "difference"] == pytest.approx(0.05)


def test_a_study_equals_itself_and_a_score_without_interval_is_said_to_have_none():
    first = scores(a=0.5, b=0.2)
    first.loc[1, ["ci_low", "ci_high"]] = float("nan")
    assert list(compare_studies(first, first)["verdict"]) == ["within the intervals", "no interval"]


def test_the_command_says_what_changed_and_writes_it(tmp_path, capsys):
    for name, value in (("one", 0.2), ("two", 0.9)):
        (tmp_path / name / "aggregate").mkdir(parents=True)
        scores(a=value).to_parquet(tmp_path / name / "aggregate/layer_scores.parquet")
    out = tmp_path / "both.tsv"
    assert main(["compare", str(tmp_path / "one"), str(tmp_path / "two"), "--out", str(out)]) == 0
    assert "1 higher" in capsys.readouterr().out
    assert out.read_text().splitlines()[1].startswith("a\tl\tcka\t\th\t0.2")


def test_a_missing_study_is_named(tmp_path, capsys):
    assert main(["compare", str(tmp_path / "nowhere"), str(tmp_path)]) == 2
    assert "nowhere/aggregate/layer_scores.parquet" in capsys.readouterr().err
