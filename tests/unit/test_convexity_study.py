"""From scores to the convexity study's correlations, tables, comparison with published numbers and figures."""

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from repalign.convexity_tables import compare_published, finetuning_table, position, transform_table
from repalign.correlations import correlation_matrix, grouped_correlations, half_of, joined, layer_groups
from repalign.figures.correlations import plot_alignment, plot_matrix
from repalign.figures.depth import plot_depth, plot_neighbours
from repalign.figures.forest import Panel
from repalign.representations import System
from repalign.scoring.clustering import clustering_scores
from repalign.scoring.convexity import category_members, convexity_scores, summary_rows
from repalign.scoring.similarity import similarity_scores
from repalign.tables import formatted
from repalign.world import plant_network, simulate_world

LAYERS = [f"layer_{i}" for i in range(5)]
MODELS = {
    name: {"paradigm": "supervised", "layers": LAYERS, "readout": "layer_4"}
    for name in ("vit_base", "vit_base_ft")
}
MODELS["other"] = {"paradigm": "random", "layers": ["features"], "readout": "features"}
FINETUNED = {"vit_base": "vit_base_ft"}
STYLE = {"width_mm": 180, "font_size": 7, "titles": False}
BOOT = {"n_boot": 100, "confidence": 0.95, "seed": 0}


def score(model, layer, depth, metric, value, human="people", status="ok"):
    return {
        **{
            "study": "s",
            "model": model,
            "paradigm": MODELS[model]["paradigm"],
            "layer": layer,
            "depth": depth,
        },
        **{"human": human, "metric": metric, "value": value, "ci_low": value - 0.02, "ci_high": value + 0.02},
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
                rows.append(score(model, layer, depth, "odd_one_out_naive", 0.5, "triplets"))
                rows.append(score(model, layer, depth, "odd_one_out_held_out", 0.4, "triplets"))
                rows.append(score(model, layer, depth, "odd_one_out_naive_held_out", 0.46, "triplets"))
                rows.append(score(model, layer, depth, "convexity_naive", 0.3 + 0.3 * depth, "categories"))
    rows.append(score("other", "features", 1.0, "convexity", 0.1, "categories"))
    rows.append(score("other", "features", 1.0, "odd_one_out", 0.33, "triplets", status="failed"))
    return pd.DataFrame(rows)


def test_joined_has_one_row_a_layer_in_sheet_order_and_names_several_humans(scores):
    two = pd.DataFrame([score("vit_base", "layer_0", 0.0, "rsa", v, h) for v, h in ((0.1, "a"), (0.2, "b"))])
    table = joined(pd.concat([scores, two]))
    assert table["model"].tolist() == ["vit_base"] * 5 + ["vit_base_ft"] * 5 + ["other"]
    assert table["layer"].tolist() == [*LAYERS, *LAYERS, "features"]
    assert {"rsa_a", "rsa_b", "convexity", "odd_one_out"} <= set(table)
    assert table["rsa_b"].dropna().tolist() == [0.2]
    assert np.isnan(table["odd_one_out"].iloc[-1])


def test_groups_are_halves_variants_and_models(scores):
    groups = {name: set(rows["layer"]) for _, name, rows in layer_groups(joined(scores), FINETUNED)}
    assert groups["first_half"] == {"layer_0", "layer_1", "layer_2"}
    assert groups["pretrained_second_half"] == {"layer_3", "layer_4"}
    assert {"all", "pretrained", "finetuned", "vit_base", "other"} <= set(groups)
    assert [half_of(depth) for depth in (0, 0.5, 0.51, 1)] == ["first_half"] * 2 + ["second_half"] * 2


def test_correlations_of_groups(scores):
    table = grouped_correlations(joined(scores), "convexity", "odd_one_out", FINETUNED, **BOOT)
    pearson = table[table["method"] == "pearson"].set_index("group")
    assert pearson.loc["vit_base", "value"] == pytest.approx(1)
    assert pearson.loc["vit_base_ft", "value"] == pytest.approx(0, abs=1e-9)
    assert pearson.loc["pretrained", "n_models"] == 1
    assert pearson.loc["first_half", "n"] == 6
    assert (pearson.loc["vit_base", "ci_low"], pearson.loc["vit_base", "n"]) == (pytest.approx(1), 5)
    matrix = correlation_matrix(joined(scores), **BOOT).set_index(["x", "y"])["value"]
    assert matrix["convexity", "convexity"] == pytest.approx(1)
    assert matrix["convexity", "odd_one_out"] == pytest.approx(matrix["odd_one_out", "convexity"])


def test_before_and_after_tables_are_in_percent(scores):
    table = transform_table(scores, MODELS, FINETUNED).set_index(["model", "position"])
    assert list(table.index) == [
        (m, p) for m in ("vit_base", "vit_base_ft") for p in ("first", "middle", "last")
    ]
    row = table.loc[("vit_base", "last")]
    assert row["oooa_change"] == pytest.approx(50 - 45)
    assert row["oooa_held_out_change"] == pytest.approx(6)
    assert row["convexity_change"] == pytest.approx(10)
    tuned = finetuning_table(scores, MODELS, FINETUNED).iloc[0]
    assert (tuned["convexity"], tuned["convexity_change"]) == (pytest.approx(50), pytest.approx(20))
    assert tuned["oooa_change"] == pytest.approx(-10)
    assert formatted(table.reset_index()).iloc[0]["oooa"] == "35.00"
    assert position("layer_1", LAYERS) == ""
    assert position("features", ["features"]) == "last"


def test_published_numbers_agree_differ_or_were_not_run(scores):
    correlations = grouped_correlations(joined(scores), "convexity", "odd_one_out", FINETUNED, **BOOT)

    def verdict(kind, model, alias, metric, value):
        record = {
            "source": "s",
            "kind": kind,
            "model": model,
            "position": alias,
            "metric": metric,
            "value": value,
            "unit": "",
        }
        table = compare_published(pd.DataFrame([record]), scores, correlations, MODELS, FINETUNED)
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
    assert compare_published(None, scores, correlations, MODELS, FINETUNED).empty


def test_the_published_table_covers_the_paper_and_names_models_of_the_sheet():
    published = pd.read_csv(ROOT / "config/published/dorszewski2025.tsv", sep="\t")
    sheet = pd.read_csv(ROOT / "config/models_convexity.tsv", sep="\t", comment="#")
    assert published["kind"].value_counts().to_dict() == {
        "value": 72,
        "transform": 72,
        "correlation": 15,
        "finetuning": 12,
    }
    named = published[(published["kind"] != "correlation") | published["source"].str.endswith("table 9")]
    assert set(named["model"]) == set(sheet["model"])
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
    panels = [Panel("convexity", "graph convexity (%)", 100), Panel("odd_one_out", "accuracy (%)", 100)]
    figure, data = plot_depth(scores, panels, MODELS, FINETUNED, STYLE)
    assert set(data["metric"]) == {"convexity", "odd_one_out"}
    curve = figure.axes[0].lines[0]
    np.testing.assert_allclose(curve.get_ydata(), [20, 27.5, 35, 42.5, 50])
    table = joined(scores)
    correlations = grouped_correlations(table, "convexity", "odd_one_out", FINETUNED, **BOOT)
    figure, data = plot_alignment(table, correlations, FINETUNED, STYLE)
    assert len(data) == 10
    assert [axis.get_title(loc="left").split("\n")[0] for axis in figure.axes][:3] == [
        "all",
        "pretrained",
        "finetuned",
    ]
    matrix = correlation_matrix(table, **BOOT)
    figure, data = plot_matrix(matrix, STYLE)
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
}


def test_planted_supervision_and_depth_make_convex_and_random_labels_the_baseline(world):
    concepts = world_concepts(world)
    members, names = category_members(concepts, world.objects)
    assert "others" not in names
    tables = {}
    for name, supervision in (("network", 0), ("network_ft", 0.5)):
        layers = plant_network(world, 3, supervision, seed=1)
        for layer, features in layers.items():
            labels = {"model": name, "layer": layer, "space": "original"}
            tables[name, layer] = convexity_scores(labels, features, members, names, SETTINGS, **BOOT)
    first = tables["network", "layer_0"]
    assert list(first["n_neighbours"].unique()) == [5, 8]
    assert first["category"].tolist() == [*names, "MEAN"] * 2

    def mean(key, column="value"):
        rows = summary_rows(tables[key], 5)
        assert rows.loc[0, "metric"] == "convexity"
        return rows.loc[0, column]

    assert mean(("network", "layer_2")) > mean(("network", "layer_0")) + 0.1
    assert mean(("network_ft", "layer_2")) > mean(("network", "layer_2")) + 0.05
    assert mean(("network", "layer_0")) < mean(("network", "layer_0"), "chance") + 0.1
    shuffled = np.random.default_rng(0).permutation(members)
    features = plant_network(world, 3, 1.0, seed=1)["layer_2"]
    labels = {"model": "m", "layer": "l", "space": "naive"}
    row = summary_rows(convexity_scores(labels, features, shuffled, names, SETTINGS, **BOOT), 5).iloc[0]
    assert row["metric"] == "convexity_naive"
    assert row["value"] == pytest.approx(row["chance"], abs=0.06)
    table = pd.concat(tables.values())
    figure, data = plot_neighbours(table, {"network": {}, "network_ft": {}}, {"network": "network_ft"}, STYLE)
    assert set(data["n_neighbours"]) == {5, 8}
    assert len(figure.axes) == 1


def test_clustering_and_similarity_see_the_planted_categories(world):
    from repalign.representations import Embeddings

    embeddings = Embeddings(plant_network(world, 2, 1.0, seed=1), world.objects)
    humans = {
        "people": System(world.latent, world.objects, "embedding"),
        "matrix": System(np.zeros((108, 108)), world.objects, "dissimilarity"),
    }
    clustering = clustering_scores("m", embeddings, world_concepts(world), humans, n_init=3, **BOOT)
    ami = clustering.set_index(["layer", "human"])
    assert set(clustering["human"]) == {"categories", "people"}
    assert ami.loc[("layer_1", "categories"), "value"] > ami.loc[("layer_0", "categories"), "value"] + 0.3
    assert (clustering["ci_low"] <= clustering["ci_high"]).all()
    assert clustering["chance"].abs().max() < 0.1
    similarity = similarity_scores("m", embeddings, humans, n_neighbours=5, metric="cosine", **BOOT)
    assert set(similarity["human"]) == {"people"}
    values = similarity.set_index(["layer", "metric"])["value"]
    for metric in ("cka", "mutual_neighbours"):
        assert values["layer_1", metric] > values["layer_0", metric] + 0.2


def test_defaults_of_the_study_are_those_of_the_published_one():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert (config["convexity"]["n_neighbours"], config["convexity"]["metric"]) == (10, "euclidean")
    assert config["convexity"]["pairs"] == "all"
    assert config["naive_transform"]["folds"] == 3
