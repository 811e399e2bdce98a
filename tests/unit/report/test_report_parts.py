"""What the report says, before it is a page."""

import base64
import gzip
import json
from pathlib import Path

import pytest
import yaml
from repalign.analysis.layer_scores import readouts
from repalign.report.citations import citations
from repalign.report.content import thumbnails
from repalign.report.leaderboard import leaderboard
from repalign.report.made_by import runtimes, versions
from repalign.report.page import inline, picture
from repalign.report.payload import packed
from repalign.study.sheets import read_models
from study_tables import HUMANS, made_up_models, made_up_scores

ROOT = Path(__file__).resolve().parents[3]
MODELS = made_up_models()
BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{s}\t0:00:01\t{rss}\t{cpu}\n"


def test_the_leaderboard_holds_every_model_and_marks_the_best_that_is_no_person():
    columns, rows = leaderboard(readouts(made_up_scores(MODELS), MODELS), MODELS)
    assert [row["model"] for row in rows] == list(MODELS)
    assert [(c["metric"], c["variant"], c["reference"]) for c in columns][:2] == [
        ("gwot", "top1", human) for human in HUMANS
    ]
    best = [row["model"] for row in rows if row["cells"][0].get("best")]
    assert best == ["model_7"]
    cell = rows[0]["cells"][0]
    assert float(cell["text"]) == pytest.approx(100 * cell["value"], abs=0.06)
    low, high = map(float, cell["interval"].split("–"))
    assert low < float(cell["text"]) < high


def test_time_is_summed_by_rule_and_gpu_time_is_what_ran_on_a_gpu(tmp_path):
    for rule, name, log, seconds in (
        ("align_gwot", "a", "INFO device: cuda", 3600),
        ("align_gwot", "b", "INFO device: cpu", 1800),
        ("score_rsa", "a", "cuda is named, no device", 360),
    ):
        for folder, ending, text in (
            ("benchmarks", "tsv", BENCHMARK.format(s=seconds, rss=seconds / 10, cpu=2 * seconds)),
            ("logs", "log", log),
        ):
            path = tmp_path / folder / rule / f"{name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    table = runtimes(tmp_path / "benchmarks", tmp_path / "logs").set_index("rule")
    assert list(table.index) == ["align_gwot", "score_rsa"]
    assert table.loc["align_gwot"].to_dict() == pytest.approx(
        {"jobs": 2, "hours": 1.5, "cpu_hours": 3.0, "gpu_hours": 1.0, "peak_mb": 360}
    )
    assert table.loc["score_rsa", "gpu_hours"] == 0


def test_versions_name_what_touches_a_result():
    assert {"Python", "numpy", "snakemake", "torch", "matplotlib"} <= {name for name, _ in versions()}


@pytest.mark.parametrize("sheet", ["models_gwot", "models_convexity"])
def test_every_model_of_both_studies_has_a_reference(sheet):
    schema = yaml.safe_load((ROOT / "config/schemas/models.schema.yaml").read_text())
    models = read_models(ROOT / f"config/{sheet}.tsv", schema, {})
    entries = yaml.safe_load((ROOT / "config/citations.yaml").read_text())
    found, unknown = citations(entries, models, {}, {"gwot"})
    assert unknown == []
    by_name = {name: [e["reference"] for e in found if name in e["names"]] for name in models}
    if sheet == "models_gwot":
        assert any("DINO" in r or "Emerging properties" in r for r in by_name["dino_vit_b16"])
        assert not any("BEiT" in r for r in by_name["resnet50_supervised"])
    assert any("GWTune" in entry["reference"] for entry in found)


def test_scripts_cannot_end_their_element_and_data_cannot_be_markup():
    assert inline("a = '</script><!-- <b>'") == "a = '<\\/script><\\!-- <b>'"
    document = {"name": "</script><script>alert(1)</script>"}
    text = packed(document)
    assert "<" not in text
    assert json.loads(gzip.decompress(base64.b64decode(text))) == document


def test_pictures_are_reduced_and_thumbnails_taken_from_folders_or_files(tmp_path):
    from PIL import Image

    Image.new("RGB", (3000, 1500), "#0072B2").save(tmp_path / "wide.png")
    url, width, height = picture(tmp_path / "wide.png")
    assert (width, height) == (1400, 700)
    assert url.startswith("data:image/webp;base64,")
    (tmp_path / "dog").mkdir()
    Image.new("RGB", (90, 60), "red").save(tmp_path / "dog/dog_01b.jpg")
    Image.new("RGB", (90, 60), "red").save(tmp_path / "cat.png")
    found = thumbnails(tmp_path, ["dog", "cat", "nothing"])
    assert set(found) == {"dog", "cat"}
    assert thumbnails([], ["dog"]) == {}
