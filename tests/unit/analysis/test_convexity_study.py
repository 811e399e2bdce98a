"""From scores to the convexity study's correlations, tables, comparison with published numbers and figures."""

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from repalign.analysis.convexity_published import ConvexityStudy, compare_published
from repalign.analysis.convexity_tables import MEAN, SD, position, published_tables, readable, transform_table
from repalign.analysis.correlations import (
    KEYS,
    correlation_matrix,
    depth_correlations,
    families,
    grouped_correlations,
    half_of,
    joined,
    layer_groups,
    main_columns,
)
from repalign.analysis.matching_predictors import matching_predictors
from repalign.analysis.tables import formatted
from repalign.errors import InputError
from repalign.figures.correlations import plot_alignment, plot_matrix
from repalign.figures.depth import plot_depth, plot_measures, plot_neighbours
from repalign.figures.matching_predictors import plot_matching_predictors
from repalign.figures.style import PALETTE
from repalign.inputs.representations import System
from repalign.measures.clustering_scores import clustering_scores
from repalign.measures.convexity.euclidean import euclidean_convexity, linear_classifier
from repalign.measures.convexity.euclidean_scores import euclidean_scores, euclidean_summary, head_members
from repalign.measures.convexity.finetuning import finetuning_scores
from repalign.measures.convexity.graph import graph_convexity
from repalign.measures.convexity.scores import category_members, convexity_scores, summary_rows
from repalign.measures.odd_one_out import accuracy
from repalign.measures.similarity_scores import similarity_scores
from repalign.storage.score_table import KEYS as MEASURE_KEYS
from repalign.world.simulation import plant_network, simulate_triplets, simulate_world

LAYERS = [f"layer_{i}" for i in range(5)]
MODELS = {
    name: {"paradigm": "supervised", "layers": LAYERS, "readout": "layer_4"}
    for name in ("vit_base", "vit_base_ft")
}
MODELS["other"] = {"paradigm": "random", "layers": ["features"], "readout": "features"}
FINETUNED = {"vit_base": "vit_base_ft"}
STYLE = {"width_mm": 180, "font_size": 7, "titles": False}
INTERVAL = {"confidence": 0.95, "seed": 0}
BOOT = INTERVAL | {"n_boot": 100}


def score(model, layer, depth, metric, value, reference="people", status="ok"):
    """A row of the tidy table; `metric` is a name, or a name and a variant."""
    metric, variant = metric if isinstance(metric, tuple) else (metric, "")
    return {
        **{
            "study": "s",
            "model": model,
            "paradigm": MODELS[model]["paradigm"],
            "layer": layer,
            "depth": depth,
        },
        **{"metric": metric, "variant": variant, "reference": reference},
        **{"value": value, "ci_low": value - 0.02, "ci_high": value + 0.02},
        **{"chance": 0.1, "ceiling": np.nan, "n": 10, "seed": 0, "status": status},
    }


@pytest.fixture
def scores():
    """Convexity rises with depth; accuracy follows it in one model and turns round in the other."""
    rows = []
    for model in ("vit_base", "vit_base_ft"):
        for index, layer in enumerate(LAYERS):
            depth = index / 4
            tuned = model == "vit_base_ft"
            rows.append(
                score(model, layer, depth, "convexity", 0.2 + depth * (0.5 if tuned else 0.3), "categories")
            )
            accuracy = 0.35 + 0.1 * (min(depth, 1 - depth) if tuned else depth)
            rows.append(score(model, layer, depth, "odd_one_out", accuracy, "triplets"))
            if index in (0, 2, 4):
                judged = {
                    "naive": 0.5,
                    "naive_change": 0.5 - accuracy,
                    "held_out": 0.4,
                    "naive_held_out": 0.46,
                    "naive_held_out_change": 0.06,
                }
                rows += [
                    score(model, layer, depth, ("odd_one_out", name), value, "triplets")
                    for name, value in judged.items()
                ]
                after = 0.3 + 0.3 * depth
                rows.append(score(model, layer, depth, ("convexity", "naive"), after, "categories"))
                change = after - rows[-8]["value"]
                rows.append(score(model, layer, depth, ("convexity", "naive_change"), change, "categories"))
    rows.append(score("vit_base", "layer_4", 1.0, ("convexity", "finetuning_change"), 0.2, "categories"))
    rows.append(score("vit_base", "layer_4", 1.0, ("odd_one_out", "finetuning_change"), -0.1, "triplets"))
    rows.append(score("other", "features", 1.0, "convexity", 0.1, "categories"))
    rows.append(score("other", "features", 1.0, "odd_one_out", 0.33, "triplets", status="failed"))
    return pd.DataFrame(rows)


def test_joined_has_one_row_a_layer_in_sheet_order_and_names_several_humans(scores):
    rsa = ("rsa", "spearman")
    two = pd.DataFrame([score("vit_base", "layer_0", 0.0, rsa, v, h) for v, h in ((0.1, "a"), (0.2, "b"))])
    table, columns = joined(pd.concat([scores, two]))
    assert columns["column"].tolist() == [name for name in table if name not in KEYS]
    known = columns.set_index("column")
    assert known.loc["rsa_spearman.b"].tolist() == ["rsa", "spearman", "b"]
    assert known.loc["odd_one_out_naive_held_out"].tolist() == ["odd_one_out", "naive_held_out", "triplets"]
    assert table["model"].tolist() == ["vit_base"] * 5 + ["vit_base_ft"] * 5 + ["other"]
    assert table["layer"].tolist() == [*LAYERS, *LAYERS, "features"]
    assert {"rsa_spearman.a", "rsa_spearman.b", "convexity", "odd_one_out"} <= set(table)
    assert table["rsa_spearman.b"].dropna().tolist() == [0.2]
    assert np.isnan(table["odd_one_out"].iloc[-1])


def test_groups_are_halves_variants_and_models(scores):
    groups = {name: set(rows["layer"]) for _, name, rows in layer_groups(joined(scores)[0], FINETUNED)}
    assert groups["first_half"] == {"layer_0", "layer_1", "layer_2"}
    assert groups["pretrained_second_half"] == {"layer_3", "layer_4"}
    assert {"all", "pretrained", "finetuned", "vit_base", "other"} <= set(groups)
    assert [half_of(depth) for depth in (0, 0.5, 0.51, 1)] == ["first_half"] * 2 + ["second_half"] * 2


def test_correlations_of_groups(scores):
    table = grouped_correlations(joined(scores)[0], "convexity", "odd_one_out", FINETUNED, confidence=0.95)
    pearson = table[table["method"] == "pearson"].set_index("group")
    assert pearson.loc["vit_base", "value"] == pytest.approx(1)
    assert pearson.loc["vit_base_ft", "value"] == pytest.approx(0, abs=1e-9)
    assert pearson.loc["pretrained", "n_models"] == 1
    assert pearson.loc["first_half", "n"] == 6
    # Five layers of one model on a line are no certainty.
    assert np.isnan(pearson.loc["vit_base", "ci_low"])
    assert pearson.loc["vit_base", "n"] == 5
    matrix = correlation_matrix(*joined(scores), FINETUNED, confidence=0.95).set_index(["x", "y"])["value"]
    assert matrix["convexity", "convexity"] == pytest.approx(1)
    assert matrix["convexity", "odd_one_out"] == pytest.approx(matrix["odd_one_out", "convexity"])
    # Measures after a transform are no measures of the layer.
    assert set(matrix.index.get_level_values(0)) == {"convexity", "odd_one_out"}


def test_a_model_and_its_fine_tuned_version_are_one_family_and_their_layers_go_together(scores):
    assert families(["vit_base", "other", "vit_base_ft"], FINETUNED).tolist() == [
        "vit_base",
        "other",
        "vit_base",
    ]
    table = grouped_correlations(joined(scores)[0], "convexity", "odd_one_out", FINETUNED, confidence=0.95)
    pearson = table[table["method"] == "pearson"].set_index("group")
    assert pearson.loc["all", "n_models"] == 1
    assert pearson.loc["all", "n"] == 10


def test_main_measures_are_told_from_their_variants_and_named(scores):
    rows = [
        score("vit_base", "layer_0", 0.0, (metric, variant), 0.1, reference)
        for metric, variant, references in (
            ("gwot", "top1", ("spose66", "top1_columns")), ("gwot", "top10", ("spose66",)),
            ("gwot_loss", "", ("spose66",)), ("gwot_columns", "top1", ("spose66",)),
            ("odd_one_out", "over_triplets", ("triplets",)), ("rsa", "spearman", ("spose66",)),
            ("clustering", "ami", ("categories", "spose66")),
        )
        for reference in references
    ]  # fmt: skip
    _, columns = joined(pd.concat([scores, pd.DataFrame(rows)]))
    assert main_columns(columns).set_index("column")["label"].to_dict() == {
        "clustering_ami.categories": "clustering (AMI), categories",
        "clustering_ami.spose66": "clustering (AMI), spose66",
        "convexity": "convexity",
        "gwot_top1.spose66": "object matching, spose66",
        # A human whose name looks like a variant is no variant.
        "gwot_top1.top1_columns": "object matching, top1 columns",
        "odd_one_out": "odd-one-out accuracy",
        "rsa_spearman": "RSA",
    }


MEASURED = {
    "convexity": ("convexity", "", "categories"), "odd_one_out": ("odd_one_out", "", "triplets"),
    "rsa_spearman": ("rsa", "spearman", "people"), "gwot_top1": ("gwot", "top1", "people"),
    "gwot_category_top1": ("gwot_category", "top1", "people"),
}  # fmt: skip


def columns_of(measured):
    """What the columns of a joined table hold, from a dictionary of column to metric, variant and reference."""
    return pd.DataFrame(
        [(column, *key) for column, key in measured.items()], columns=["column", *MEASURE_KEYS]
    )


def many_models(n_models=6, n_layers=4):
    """Joined layers of models in which convexity sets category matching, within models and between them."""
    rng, rows = np.random.default_rng(0), []
    for number in range(n_models):
        for index in range(n_layers):
            convexity = 0.1 * number + 0.1 * index + 0.02 * rng.normal()
            row = {
                "model": f"m{number}",
                "paradigm": "p",
                "layer": f"l{index}",
                "depth": index / (n_layers - 1),
            }
            row |= {"convexity": convexity, "odd_one_out": rng.normal(), "rsa_spearman": rng.normal()}
            rows.append(
                row | {"gwot_category_top1": convexity + 0.02 * rng.normal(), "gwot_top1": rng.random()}
            )
    return pd.DataFrame(rows)


def test_what_depth_alone_does_to_both_measures_is_told_apart():
    rng, table = np.random.default_rng(1), many_models(8, 6)
    trend = table.assign(
        convexity=5 * table["depth"] + rng.normal(size=len(table)),
        odd_one_out=5 * table["depth"] + rng.normal(size=len(table)),
    )
    found = grouped_correlations(trend, "convexity", "odd_one_out", {}, confidence=0.95).iloc[0]
    assert found["kind"] == "all"
    assert found["ci_low"] > 0.3
    assert found["given_depth_low"] < 0 < found["given_depth_high"]
    assert abs(found["given_depth"]) < 0.3


def test_correlations_at_every_depth_are_over_models():
    table = many_models().assign(
        odd_one_out=lambda rows: rows["convexity"] * np.where(rows["depth"] > 0.5, -1, 1)
    )
    finetuned = {"m0": "m1", "m2": "m3", "m4": "m5"}
    found = depth_correlations(table, "convexity", "odd_one_out", finetuned, confidence=0.95).set_index(
        ["variant", "depth"]
    )
    assert found.loc["all"].index.tolist() == [0.125, 0.375, 0.625, 0.875]
    assert found.loc["all", "value"].tolist() == pytest.approx([1, 1, -1, -1])
    assert found.loc["pretrained", "n"].tolist() == [3] * 4
    assert found.loc["all", "n_models"].tolist() == [3] * 4
    # A deeper model has several layers in a part, a model of one layer none.
    more = pd.concat([table, many_models(1, 9).assign(model="deep"), table.iloc[:1].assign(model="flat")])
    assert depth_correlations(more, "convexity", "odd_one_out", {}, confidence=0.95)["n"].tolist()[:4] == [
        8,
        8,
        8,
        9,
    ]
    assert depth_correlations(table[:0], "convexity", "odd_one_out", {}, confidence=0.95).empty


def test_convexity_predicts_coarse_matching_where_that_was_planted():
    table = many_models()
    columns = columns_of(MEASURED)
    found = matching_predictors(table, columns, {}, confidence=0.95).set_index(
        ["matching", "predictor", "kind"]
    )
    for kind in ("overall", "within models", "given RSA"):
        row = found.loc["categories", "convexity", kind]
        assert row["value"] > 0.9
        assert row["ci_low"] > 0.8
        assert abs(found.loc[("objects", "convexity", kind), "value"]) < 0.5
    assert abs(found.loc[("categories", "odd-one-out accuracy", "within models"), "value"]) < 0.5
    assert ("categories", "RSA", "given RSA") not in found.index
    figure, data = plot_matching_predictors(table, columns, found.reset_index(), {}, STYLE)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xdata(), 100 * table["convexity"][:4])
    assert data["metric"].dropna().nunique() == 2
    with pytest.raises(InputError, match="no transport plan"):
        plot_matching_predictors(table, columns[:3], found.reset_index(), {}, STYLE)


def test_matching_of_several_humans_is_predicted_by_measures_of_the_same_human():
    table = many_models().rename(
        columns=lambda name: f"{name}.a" if name.startswith(("gwot", "rsa")) else name
    )
    twice = {"gwot_category_top1.b": table["gwot_category_top1.a"], "rsa_spearman.b": table["odd_one_out"]}
    table = table.assign(**twice)
    measured = {
        f"{column}.a" if key[2] == "people" else column: (*key[:2], "a") if key[2] == "people" else key
        for column, key in MEASURED.items()
    }
    measured |= {
        "gwot_category_top1.b": ("gwot_category", "top1", "b"),
        "rsa_spearman.b": ("rsa", "spearman", "b"),
    }
    found = matching_predictors(table, columns_of(measured), {}, confidence=0.95)
    used = found[found["kind"] == "overall"].groupby("y")["x"].agg(set)
    assert used["gwot_category_top1.b"] == {"convexity", "odd_one_out", "rsa_spearman.b"}
    assert set(found["human"]) == {"a", "b"}


def published(*records):
    """A published table; text is only there for identifiers."""
    columns = ["kind", "model", "position", "metric", "value"]
    table = pd.DataFrame([dict(zip(columns, record, strict=True)) for record in records])
    return table.assign(source="s", unit="", text="")


def study_of(scores, *records):
    correlations = grouped_correlations(
        joined(scores)[0], "convexity", "odd_one_out", FINETUNED, confidence=0.95
    )
    return ConvexityStudy(
        scores, correlations, MODELS, FINETUNED, published(*records) if records else None, **BOOT
    )


def test_the_before_and_after_table_is_in_percent(scores):
    table = transform_table(study_of(scores)).set_index(["model", "position"])
    assert list(table.index) == [
        (m, p) for m in ("vit_base", "vit_base_ft") for p in ("first", "middle", "last")
    ]
    row = table.loc[("vit_base", "last")]
    assert row["oooa_change"] == pytest.approx(50 - 45)
    assert (row["oooa_change_low"], row["oooa_change_high"]) == (pytest.approx(3), pytest.approx(7))
    assert row["oooa_held_out_change"] == pytest.approx(6)
    assert row["convexity_change"] == pytest.approx(10)
    assert formatted(table.reset_index()).iloc[0]["oooa"] == "35.00"
    assert position("layer_1", LAYERS) == ""
    assert position("features", ["features"]) == "last"
    none = scores[~scores["variant"].str.contains("naive")]
    assert transform_table(study_of(none)).empty


def test_published_numbers_agree_differ_or_were_not_run(scores):
    def verdict(*record):
        table = compare_published(study_of(scores, record))
        return table.loc[0, "verdict"], table.loc[0, "ours"]

    assert verdict("value", "vit_base", "last", "convexity", 51.9) == ("agrees", pytest.approx(50))
    assert verdict("value", "vit_base", "last", "convexity", 52.2)[0] == "differs"
    assert verdict("transform", "vit_base", "last", "oooa", 6.0) == ("agrees", pytest.approx(5))
    assert verdict("transform", "vit_base", "last", "oooa", -6.0)[0] == "differs"
    assert verdict("finetuning", "vit_base", "last", "convexity", 16) == ("differs", pytest.approx(20))
    assert verdict("value", "beit_base", "last", "convexity", 50)[0] == "not run"
    assert verdict("finetuning", "vit_base_ft", "last", "oooa", 1)[0] == "not run"
    assert verdict("correlation", "vit_base", "all", "oooa x convexity", 1.0)[0] == "agrees"
    assert verdict("correlation", "beit_base", "all", "oooa x convexity", 1.0)[0] == "not run"
    assert compare_published(study_of(scores)).empty
    record = ("value", "vit_base", "last", "convexity", 50)
    assert verdict(*record)[0] == "agrees"
    failed = study_of(scores, record)
    failed = ConvexityStudy(
        scores.assign(status="failed"), failed.correlations, MODELS, FINETUNED, failed.published
    )
    assert compare_published(failed)["verdict"][0] == "not run"


def test_averages_and_groups_are_compared_only_where_all_published_models_were_run(scores):
    changes = [
        ("transform", "vit_base", "last", "oooa", 5.0),
        ("transform", "vit_base_ft", "last", "oooa", 15.0),
    ]
    mean = ("transform_mean", "finetuned", "last", "oooa", 15.0)
    # One model has no average.
    assert compare_published(study_of(scores, *changes, mean))["verdict"].tolist()[2] == "not run"
    two = {"vit_base": "vit_base_ft", "other": "other_ft"}
    models = MODELS | {"other_ft": MODELS["vit_base"], "other": MODELS["vit_base"]}
    more = pd.concat(
        [scores, *(scores[scores["model"] == "vit_base_ft"].assign(model=m) for m in ("other_ft", "other"))]
    )
    changed = (more["metric"] == "odd_one_out") & (more["variant"] == "naive_change")
    more.loc[changed & (more["model"] == "other_ft"), "value"] += 0.02
    records = [*changes, ("transform", "other_ft", "last", "oooa", 15.0), mean]
    records.append(("transform_sd", "finetuned", "last", "oooa", 1.4))
    study = ConvexityStudy(more, study_of(scores).correlations, models, two, published(*records), **BOOT)
    cells = compare_published(study).set_index("kind")
    assert cells.loc["transform_mean", "ours"] == pytest.approx((15 + 17) / 2)
    assert cells.loc["transform_sd", "ours"] == pytest.approx(np.sqrt(2))
    assert cells.loc["transform_mean", "verdict"] == "agrees"
    group = ("correlation", "first_half", "all", "oooa x convexity", 0.9)
    named = published(group, ("identifier", "beit_base", "", "identifier", np.nan))
    study = ConvexityStudy(scores, study_of(scores).correlations, MODELS, FINETUNED, named)
    assert compare_published(study)["verdict"].tolist() == ["not run", ""]


def test_the_published_tables_have_their_rows_and_columns_with_ours_beside(scores):
    sheet = pd.read_csv(ROOT / "config/published/dorszewski2025.tsv", sep="\t", keep_default_na=True)
    models = {name: row | {"identifier": "google/vit-base-patch16-224"} for name, row in MODELS.items()}
    tables = published_tables(
        ConvexityStudy(scores, study_of(scores).correlations, models, FINETUNED, sheet, **BOOT)
    )
    assert list(tables) == [f"table{number}" for number in range(1, 10)]
    families_ = ["vit_base", "vit_large", "beit_base", "beit_large", "data2vec_base", "data2vec_large"]
    for number in (1, 2, 4, 5):
        assert tables[f"table{number}"]["model"].tolist() == [*families_, MEAN, SD]
    for number in (6, 7, 8):
        assert tables[f"table{number}"]["model"].tolist() == [*(f"{name}_ft" for name in families_), MEAN, SD]
    last = tables["table1"].set_index("model")
    row = last.loc["vit_base"]
    assert row[["oooa", "oooa_low", "oooa_high", "oooa_published"]].tolist() == pytest.approx(
        [45, 43, 47, 34.7]
    )
    assert row[["oooa_verdict", "oooa_change_verdict"]].tolist() == ["differs", "differs"]
    assert last.loc["beit_base", "convexity_change_verdict"] == "not run"
    assert last.loc[MEAN, ["oooa_change_published", "oooa_change_verdict"]].tolist() == [13.7, "not run"]
    assert last.loc[SD, "convexity_change_published"] == 2.5
    assert tables["table6"].set_index("model").loc["data2vec_large_ft", "oooa_change_published"] == 17.2
    tuning = tables["table2"].set_index("model")
    assert tuning.loc["vit_base", ["convexity_change", "oooa_change"]].tolist() == pytest.approx([20, -10])
    assert tuning.loc[MEAN, "convexity_change_published"] == 26.9
    checkpoints = tables["table3"].set_index("model")
    assert len(checkpoints) == 13
    assert checkpoints["verdict"].tolist() == ["differs", "agrees", *["not run"] * 10, ""]
    by_model = tables["table9"].set_index("model")
    assert by_model.index.tolist() == ["vit", "beit", "data2vec", "other"]
    assert by_model.loc["vit", "pretrained_base"] == pytest.approx(1)
    assert by_model.loc["data2vec", "finetuned_large_published"] == 0.27
    shown = readable(tables["table1"])
    assert shown.iloc[0].tolist()[:4] == ["vit base", "45.0 [43.0, 47.0]", "34.7", "differs"]
    assert shown.columns.tolist()[:5] == [
        "model", "OOOA (%)", "OOOA (%), published", "OOOA (%), verdict", "OOOA (%) change",
    ]  # fmt: skip
    assert readable(tables["table3"])["published"][2] == "google/vit-large-patch16-224-in21k"


def test_the_published_table_covers_the_paper_and_names_models_of_the_sheet():
    published = pd.read_csv(ROOT / "config/published/dorszewski2025.tsv", sep="\t")
    sheet = pd.read_csv(ROOT / "config/models_convexity.tsv", sep="\t", comment="#")
    assert published["kind"].value_counts().to_dict() == {
        "value": 72,
        "transform": 72,
        "correlation": 15,
        "finetuning": 12,
        "transform_mean": 12,
        "transform_sd": 12,
        "finetuning_mean": 2,
        "finetuning_sd": 2,
        "identifier": 12,
    }
    single = published["kind"].isin(["value", "transform", "finetuning", "identifier"])
    named = published[single | published["source"].str.endswith("table 9")]
    assert set(named["model"]) == set(sheet["model"])
    # Our checkpoints are the published ones, but for the misprinted two.
    identifiers = published[published["kind"] == "identifier"].set_index("model")["text"]
    differ = sheet[sheet["identifier"] != sheet["model"].map(identifiers)]
    assert differ["model"].tolist() == ["data2vec_large", "data2vec_large_ft"]
    assert published["source"].str.startswith("Dorszewski et al. (2025), ").all()


@pytest.mark.things
def test_the_published_table_holds_the_numbers_of_the_reference(reference_dir):
    published = pd.read_csv(ROOT / "config/published/dorszewski2025.tsv", sep="\t")
    tables = pd.read_csv(reference_dir / "dorszewski2025_tables.tsv", sep="\t")
    correlations = pd.read_csv(reference_dir / "dorszewski2025_correlations.tsv", sep="\t")
    changes = published[published["kind"].isin(["transform", "finetuning"])]
    assert sorted(changes["value"]) == sorted(tables["change_percent"])
    values = published[published["kind"] == "value"].set_index(["model", "position", "metric"])["value"]
    for row in tables.itertuples():
        name = row.model + ("_ft" if row.variant == "finetuned" else "")
        assert values[name, row.layer, row.metric] == row.orig_percent
    assert sorted(published.loc[published["kind"] == "correlation", "value"]) == sorted(
        correlations["pearson_r"]
    )


def test_figures_show_what_their_tables_hold(scores):
    table, columns = joined(scores)
    depths = depth_correlations(many_models(), "convexity", "gwot_category_top1", {}, confidence=0.95)
    figure, data = plot_depth(scores, depths, MODELS, FINETUNED, STYLE)
    assert set(data["metric"]) == {"convexity", "odd_one_out", "correlation"}
    curve, tuned = figure.axes[0].lines[:2]
    np.testing.assert_allclose(curve.get_ydata(), [20, 27.5, 35, 42.5, 50])
    # A family has one shape, a paradigm its colour; what is fine-tuned is dashed.
    assert curve.get_marker() == tuned.get_marker() != figure.axes[0].lines[2].get_marker()
    assert curve.get_color() == tuned.get_color() == PALETTE["supervised"]
    assert (curve.get_linestyle(), tuned.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in figure.legends[0].get_texts()][:3] == [
        "vit base",
        "vit base ft",
        "other",
    ]
    np.testing.assert_allclose(figure.axes[2].lines[0].get_ydata(), depths["value"].dropna())
    figure, _ = plot_depth(scores, depths[:0], MODELS, FINETUNED, STYLE)
    assert figure.axes[2].texts[0].get_text() == "fewer than three models"
    figure, data = plot_measures(scores, MODELS, FINETUNED, STYLE)
    assert [axis.get_ylabel() for axis in figure.axes] == ["convexity (%)", "odd-one-out accuracy (%)"]
    assert set(data["metric"]) == {"convexity", "odd_one_out"}
    correlations = grouped_correlations(table, "convexity", "odd_one_out", FINETUNED, confidence=0.95)
    figure, data = plot_alignment(table, correlations, FINETUNED, STYLE)
    assert len(data) == 10
    assert [axis.get_title(loc="left").split("\n")[0] for axis in figure.axes][:3] == [
        "all",
        "pretrained",
        "finetuned",
    ]
    matrix = correlation_matrix(table, columns, FINETUNED, confidence=0.95)
    figure, data = plot_matrix(matrix, columns, STYLE)
    # Constant measures and the transformed space are left out.
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "convexity",
        "odd-one-out accuracy",
    ]
    assert set(data["x"]) == set(data["y"])


@pytest.fixture(scope="module")
def world():
    return simulate_world(108, 12, others=0.1, seed=0)


def world_concepts(world):
    categories = [";".join(names) for names in world.categories]
    return pd.DataFrame({"object": world.objects, "category": world.category, "categories": categories})


SETTINGS = {
    "n_neighbours": 5,
    "sensitivity": [5, 8],
    "pairs": "all",
    "metric": "euclidean",
    "permutations": 10,
    "categories": "exclusive",
}


def test_planted_supervision_and_depth_make_convex_and_random_labels_the_baseline(world):
    concepts = world_concepts(world)
    _, names = category_members(concepts, world.objects)
    assert "others" not in names
    tables = {}
    for name, supervision in (("network", 0), ("network_ft", 0.5)):
        layers = plant_network(world, 3, supervision, seed=1)
        for layer, features in layers.items():
            labels = {"model": name, "layer": layer, "space": "original"}
            tables[name, layer] = convexity_scores(
                labels, features, concepts, world.objects, SETTINGS, **INTERVAL
            )
    first = tables["network", "layer_0"]
    assert list(first["n_neighbours"].unique()) == [5, 8]
    assert first["category"].tolist() == [*names, "MEAN"] * 2

    def mean(key, column="value"):
        rows = summary_rows(tables[key], 5)
        assert rows.loc[0, ["metric", "variant"]].tolist() == ["convexity", ""]
        return rows.loc[0, column]

    assert mean(("network", "layer_2")) > mean(("network", "layer_0")) + 0.1
    assert mean(("network_ft", "layer_2")) > mean(("network", "layer_2")) + 0.05
    assert mean(("network", "layer_0")) < mean(("network", "layer_0"), "chance") + 0.1
    for table in tables.values():
        exact = table[table["n_neighbours"] == 5]
        defined = exact.dropna(subset=["ci_low"])
        assert len(defined) > 4
        assert (defined["ci_low"] <= defined["value"] + 1e-9).all()
        assert (defined["value"] <= defined["ci_high"] + 1e-9).all()
        assert (defined["sem"].dropna() >= 0).all()
    shuffled = concepts.assign(category=np.random.default_rng(0).permutation(concepts["category"]))
    features = plant_network(world, 3, 1.0, seed=1)["layer_2"]
    labels = {"model": "m", "layer": "l", "space": "naive"}
    row = summary_rows(
        convexity_scores(labels, features, shuffled, world.objects, SETTINGS, **INTERVAL), 5
    ).iloc[0]
    assert (row["metric"], row["variant"]) == ("convexity", "naive")
    assert row["value"] == pytest.approx(row["chance"], abs=0.06)
    table = pd.concat(tables.values())
    networks = {"network": {"paradigm": "self_supervised"}, "network_ft": {"paradigm": "self_sup_sup"}}
    figure, data = plot_neighbours(table, networks, {"network": "network_ft"}, STYLE)
    assert set(data["n_neighbours"]) == {5, 8}
    assert len(figure.axes) == 1


def test_a_change_is_that_from_the_original_space_with_a_paired_interval(world):
    layers = plant_network(world, 3, 0.5, seed=1)
    labels = {"model": "m", "layer": "l", "space": "naive"}
    arguments = (world_concepts(world), world.objects, SETTINGS)
    table = convexity_scores(labels, layers["layer_2"], *arguments, original=layers["layer_0"], **INTERVAL)
    before = convexity_scores(labels, layers["layer_0"], *arguments, **INTERVAL)
    own = table[table["n_neighbours"] == 5].reset_index(drop=True)
    np.testing.assert_allclose(own["change"], own["value"] - before["value"][: len(own)])
    rows = summary_rows(table, 5).set_index("variant")
    assert rows.index.tolist() == ["naive", "naive_change"]
    change = rows.loc["naive_change"]
    assert 0 < change["ci_low"] < change["value"] < change["ci_high"]
    same = convexity_scores(labels, layers["layer_0"], *arguments, original=layers["layer_0"], **INTERVAL)
    assert summary_rows(same, 5).loc[1, ["value", "ci_low", "ci_high"]].tolist() == [0, 0, 0]


def test_both_memberships_are_scored_side_by_side(world):
    features, concepts = plant_network(world, 2, 1.0, seed=1)["layer_1"], world_concepts(world)
    labels = {"model": "m", "layer": "l", "space": "original"}
    settings = SETTINGS | {"categories": "both", "sensitivity": []}
    table = convexity_scores(labels, features, concepts, world.objects, settings, **INTERVAL)
    counts = table[table["category"] != "MEAN"].groupby("memberships")["n"].sum()
    assert counts["exclusive"] == (concepts["category"] != "others").sum()
    assert (
        counts["multiple"]
        == concepts["categories"].str.split(";").map(lambda own: len([n for n in own if n])).sum()
    )
    assert counts["multiple"] > counts["exclusive"]
    assert summary_rows(table, 5)["variant"].tolist() == ["", "multiple"]
    members, names = category_members(concepts, world.objects, "categories")
    inside = members.any(axis=1)
    direct = graph_convexity(features[inside], members[inside], 5, classes=names)
    several = table[table["memberships"] == "multiple"]
    np.testing.assert_allclose(several["value"], [*direct.per_class, direct.mean])


def test_fine_tuning_changes_are_paired(world):
    before, after = (plant_network(world, 3, supervision, seed=1)["layer_2"] for supervision in (0, 0.5))
    triplets = simulate_triplets(world, 2000, seed=0)
    arguments = (world_concepts(world), world.objects, SETTINGS)
    table = finetuning_scores("m", "l", (before, after), triplets, (before, after), *arguments, **INTERVAL)
    rows = table.set_index("metric")
    assert rows.index.tolist() == ["odd_one_out", "convexity"]
    assert set(rows["variant"]) == {"finetuning_change"}
    members, _ = category_members(arguments[0], world.objects)
    inside = members.any(axis=1)
    scores = [graph_convexity(x[inside], members[inside], 5).mean for x in (before, after)]
    assert rows.loc["convexity", "value"] == pytest.approx(scores[1] - scores[0])
    accuracies = [accuracy(x, triplets).accuracy for x in (before, after)]
    assert rows.loc["odd_one_out", "value"] == pytest.approx(accuracies[1] - accuracies[0])
    assert (rows["ci_low"] < rows["value"]).all()
    assert (rows["value"] < rows["ci_high"]).all()
    with pytest.raises(InputError, match="same image set"):
        finetuning_scores("m", "l", (before, after), triplets, (before, after[1:]), *arguments, **INTERVAL)


EUCLIDEAN = {"pairs": 200, "permutations": 3, "members": "named"}


def test_euclidean_convexity_of_a_planted_head(world):
    concepts = world_concepts(world)
    members, names = category_members(concepts, world.objects)
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(len(names), 6))
    features = rng.normal(size=(len(members), 6)) + members @ centres
    labels = {"model": "m", "layer": "l"}
    head = {"weight": centres, "bias": -(centres**2).sum(axis=1) / 2, "classes": [n.upper() for n in names]}
    table = euclidean_scores(labels, features, head, concepts, world.objects, EUCLIDEAN, **BOOT)
    classes = table[table["category"] != "MEAN"].set_index("category")
    assert set(classes.index) <= {n.upper() for n in names}
    assert (classes["value"] > 0.8).all()
    drawn = classes.dropna(subset=["ci_low"])  # a class of two points is often not drawn at all
    assert len(drawn) > 4
    assert (drawn["ci_low"] <= drawn["value"]).all()
    assert (drawn["value"] <= drawn["ci_high"]).all()
    summary = euclidean_summary(table, {"m": ["first", "l", "last"]}).iloc[0]
    assert (summary["metric"], summary["layer"]) == ("euclidean_convexity", "l")
    assert euclidean_summary(table, {"m": ["first", "last"]}).iloc[0]["layer"] == "last"
    assert summary["value"] == pytest.approx(classes["value"].mean())
    assert summary["chance"] < 0.4
    # The outputs along a segment stand for the features: pushing each point through the head gives the same.
    several, every = category_members(concepts, world.objects, "categories")
    several = several[:, [every.index(name) for name in names]]
    direct = euclidean_convexity(features, several, linear_classifier(head["weight"], head["bias"]), 200, 0)
    np.testing.assert_allclose(classes["value"], direct.per_class[direct.n_pairs > 0])
    predicted = EUCLIDEAN | {"members": "predicted"}
    everything = euclidean_scores(labels, features, head, concepts, world.objects, predicted, **BOOT)
    # Regions of a linear classifier are convex.
    assert (everything["value"] == 1).all()
    strange = head | {"classes": [f"class {i}" for i in range(len(names))]}
    for other in (strange, head | {"classes": []}):
        unmatched = euclidean_scores(labels, features, other, concepts, world.objects, EUCLIDEAN, **BOOT)
        assert unmatched.columns.tolist() == table.columns.tolist()
        assert unmatched.empty
        assert euclidean_summary(unmatched, {}).empty
    assert euclidean_scores(labels, None, {}, concepts, world.objects, EUCLIDEAN, **BOOT).empty
    nameless = euclidean_scores(
        labels, features, head | {"classes": []}, concepts, world.objects, predicted, **BOOT
    )
    np.testing.assert_array_equal(nameless["value"], everything["value"])
    with pytest.raises(InputError, match="reads 6 features"):
        euclidean_scores(labels, features[:, :5], head, concepts, world.objects, EUCLIDEAN, **BOOT)


def test_head_classes_are_found_by_any_of_their_names():
    concepts = pd.DataFrame(
        {
            "object": ["bat1", "acoustic_guitar", "dog"],
            "word": ["bat", "acoustic guitar", "dog"],
            "category": ["animal", "others", "animal"],
            "categories": ["animal", "", "animal;pet"],
        }
    )
    found = head_members(
        concepts, ["dog", "bat1", "dog", "acoustic_guitar"], ["guitar, Acoustic Guitar", "bat", "pet", "car"]
    )
    assert found.T.tolist() == [
        [False, False, False, True],
        [False, True, False, False],
        [True, False, True, False],
        [False] * 4,
    ]


def test_clustering_and_similarity_see_the_planted_categories(world):
    from repalign.inputs.representations import Embeddings

    embeddings = Embeddings(plant_network(world, 2, 1.0, seed=1), world.objects)
    humans = {
        "people": System(world.latent, world.objects, "embedding"),
        "matrix": System(np.zeros((108, 108)), world.objects, "dissimilarity"),
    }
    clustering = clustering_scores("m", embeddings, world_concepts(world), humans, n_init=3, **INTERVAL)
    ami = clustering.set_index(["layer", "reference"])
    assert set(clustering["reference"]) == {"categories", "people"}
    assert ami.loc[("layer_1", "categories"), "value"] > ami.loc[("layer_0", "categories"), "value"] + 0.3
    assert (clustering["ci_low"] <= clustering["ci_high"]).all()
    assert clustering["chance"].abs().max() < 0.1
    similarity = similarity_scores("m", embeddings, humans, n_neighbours=5, metric="cosine", **BOOT)
    assert set(similarity["reference"]) == {"people"}
    assert (similarity["ci_low"] <= similarity["ci_high"]).all()
    values = similarity.set_index(["layer", "metric"])["value"]
    for metric in ("cka", "mutual_neighbours"):
        assert values["layer_1", metric] > values["layer_0", metric] + 0.2


def test_defaults_of_the_study_are_those_of_the_published_one():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert (config["convexity"]["n_neighbours"], config["convexity"]["metric"]) == (10, "euclidean")
    assert config["convexity"]["pairs"] == "all"
    assert config["naive_transform"]["folds"] == 3
