"""The small demo, from nothing to its figures: the planted alignment shows."""

import hashlib
import html

import pytest
from conftest import FORMATS, IN_CI
from repalign.measures.registry import DECLARED, headline_rows, measure_of
from repalign.storage.artefacts import read_arrays, read_table

CONVEXITY = ("depth", "alignment", "neighbours", "correlations", "measures", "matching") if IN_CI else ()
OBJECT, CATEGORY, NONE = "object_level_a", "category_level_a", "unrelated"


@pytest.fixture(scope="module")
def results(small_study):
    return small_study / "results/demo"


@pytest.fixture(scope="module")
def scores(results):
    table = read_table(results / "aggregate/layer_scores.parquet")
    # The last layer is the readout; clusters are also compared with those of people.
    table = table[table["reference"].isin(["people", "triplets"])].sort_values("depth", kind="stable")
    table = headline_rows(table, DECLARED).drop_duplicates(["model", "metric"], keep="last")
    return table.pivot(index="model", columns="metric", values="value")


FIGURES = [
    *(
        "method",
        "rdms",
        "agreement",
        "transport_plans",
        "matching",
        "category_matching",
        "fine_coarse",
        "clustering",
    ),
    *("object_matching", "convergence", "layers", "object_map", "model_map", "paradigm_effects"),
    *(f"convexity_{name}" for name in CONVEXITY),
]


def test_every_figure_and_table_is_there_and_in_the_report(results):
    page = (results / "report/index.html").read_text()
    for name in FIGURES:
        for ending in (*FORMATS, "tsv"):
            assert (results / f"figures/{name}.{ending}").stat().st_size > 200, name
            assert f'href="../figures/{name}.{ending}"' in page
        if "svg" in FORMATS:
            assert "<text" in (results / f"figures/{name}.svg").read_text(), "text must stay text"
        caption = (results / f"figures/{name}.rst").read_text()
        assert len(caption.split()) > 10
        assert "nan" not in caption.split()
        assert html.escape(caption.strip()).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page
    assert {path.stem for path in (results / "figures").iterdir()} == set(FIGURES)
    for path in (results / "tables").iterdir():
        assert path.stat().st_size > 20, path
        assert f'href="../tables/{path.name}"' in page
    assert len(read_table(results / "tables/models.tsv")) == (6 if IN_CI else 4)
    assert r"\toprule" in (results / "tables/models.tex").read_text()


def test_the_report_says_how_the_study_was_made(results):
    page = (results / "report/index.html").read_text()
    for words in ("align_gwot", "bootstraps: 50", "object_level_a", "Flamary", "snakemake"):
        assert words in page
    digest = hashlib.sha256((results / "aggregate/layer_scores.parquet").read_bytes()).hexdigest()[:16]
    assert digest in page


def test_the_tidy_table_is_complete(results):
    table = read_table(results / "aggregate/layer_scores.parquet")
    assert (table["status"] == "ok").all()
    assert table["value"].notna().all()
    without = table["metric"].isin(["cka", "convexity", "euclidean_convexity"])
    without |= (table["metric"] == "odd_one_out") & (table["variant"] != "")
    bounded = table[table["chance"].notna() & ~without]
    assert bounded[["ci_low", "ci_high"]].notna().all().all()
    # The only other group of people has no ceiling but itself.
    own = (bounded["paradigm"] == "human") & (bounded["metric"] != "odd_one_out")
    assert bounded.loc[~own, "ceiling"].notna().all()
    assert bounded.loc[own, "ceiling"].isna().all()
    assert (bounded["ci_low"] <= bounded["ci_high"]).all()


def test_object_level_models_match_objects(scores):
    for model in (OBJECT, "people_again"):
        assert scores.loc[model, "gwot"] > 0.7
        assert scores.loc[model, "gwot_category"] > 0.8
        assert scores.loc[model, "rsa"] > 0.9


def test_category_level_models_match_categories_but_not_objects(scores):
    assert scores.loc[CATEGORY, "gwot_category"] > 0.5
    assert scores.loc[CATEGORY, "gwot"] < 0.6
    assert 0.4 < scores.loc[CATEGORY, "rsa"] < 0.9


def test_unrelated_models_stay_at_chance(results, scores):
    table = read_table(results / "aggregate/layer_scores.parquet").set_index(["model", "metric", "variant"])
    assert scores.loc[NONE, "gwot"] < 0.1
    assert abs(scores.loc[NONE, "rsa"]) < 0.15
    accuracy = table.loc[(NONE, "odd_one_out", "")]
    assert accuracy["ci_low"] < accuracy["chance"] < accuracy["ci_high"]


def test_odd_one_out_orders_the_levels_below_the_ceiling(results, scores):
    ceiling = read_table(results / "scores/noise_ceiling.tsv")["noise_ceiling"][0]
    accuracy = scores["odd_one_out"]
    assert accuracy[NONE] < accuracy[CATEGORY] < accuracy[OBJECT] < ceiling


def test_artefacts_say_what_made_them(results):
    _, metadata = read_arrays(results / "gwot/people/unrelated/features/plan.safetensors")
    assert {"objects", "seed", "code", "settings", "loss", "epsilon"} <= set(metadata)
    _, metadata = read_arrays(results / "embeddings/behaviour/unrelated.safetensors")
    assert metadata["row"]["source"] == "precomputed"
    trials = read_table(results / "gwot/people/unrelated/features/trials.parquet")
    assert {"epsilon", "seed", "loss", "marginal_error", "iterations", "seconds", "status"} <= set(trials)


@pytest.mark.slow
def test_convexity_rises_with_depth_and_supervision_and_random_labels_are_the_baseline(results):
    table = read_table(results / "aggregate/layer_scores.parquet")
    convexity = headline_rows(table, [measure_of("convexity")]).set_index(["model", "layer"])
    value = convexity["value"]
    assert value["network", "layer_3"] > value["network", "layer_0"] + 0.2
    assert value["network_ft", "layer_2"] > value["network", "layer_2"] + 0.1
    for row in (convexity.loc[("unrelated", "features")], convexity.loc[("network", "layer_0")]):
        assert row["value"] == pytest.approx(row["chance"], abs=0.15)


@pytest.mark.slow
def test_convexity_and_accuracy_rise_together_and_the_transform_raises_accuracy(results):
    correlations = read_table(results / "aggregate/convexity_correlations.tsv").set_index(["group", "method"])
    assert correlations.loc[("network", "pearson"), "value"] > 0.7
    assert {"first_half", "second_half", "pretrained", "finetuned", "all"} <= set(
        correlations.index.get_level_values(0)
    )
    changes = read_table(results / "tables/convexity_transform.tsv").set_index(["model", "position"])
    assert len(changes) == 5
    assert changes.loc[("network", "last"), "oooa_change"] > 0
    assert {"oooa_change_low", "oooa_held_out_change", "convexity_change_high"} <= set(changes)
    published = read_table(results / "tables/convexity_published.tsv")
    assert set(published["verdict"]) <= {"agrees", "differs", "not run"}
    assert (published.loc[published["model"] == "vit_base", "verdict"] == "not run").all()
    for number in range(1, 10):
        assert "vit" in (results / f"tables/convexity_table{number}.tex").read_text()
    finetuning = read_table(results / "tables/convexity_table2.tsv").set_index("model")
    assert finetuning.loc["network", "oooa_change"] > 0
    joined = read_table(results / "aggregate/joined_layers.tsv")
    assert {"convexity", "odd_one_out", "cka", "mutual_neighbours", "gwot_top1", "rsa_spearman"} <= set(
        joined
    )
    assert len(joined[joined["model"] == "network"]) == 4
