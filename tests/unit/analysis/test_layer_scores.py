import numpy as np
import pandas as pd
import pytest
from repalign.analysis.layer_scores import COLUMNS, layer_scores, readouts
from repalign.analysis.tables import model_table, to_latex
from repalign.errors import InputError
from repalign.gwot.scores import category_tables, matching_scores
from repalign.inputs.representations import (
    Embeddings,
    System,
    load_embeddings,
    load_human,
    write_embeddings,
    write_human,
)
from repalign.inputs.things import SEPARATOR
from repalign.measures.odd_one_out_scores import odd_one_out_scores
from repalign.measures.registry import MEASURES
from repalign.measures.rsa_scores import rsa_scores
from repalign.world.simulation import plant_model, simulate_triplets, simulate_world

INTERVAL = {"confidence": 0.95, "seed": 0}


@pytest.fixture(scope="module")
def world():
    return simulate_world(80, seed=3)


@pytest.fixture(scope="module")
def embeddings(world):
    layers = {"early": plant_model(world, "none", seed=1), "late": plant_model(world, "object", seed=2)}
    return Embeddings(layers, world.objects)


@pytest.fixture(scope="module")
def concepts(world):
    categories = [SEPARATOR.join(own) for own in world.categories]
    return pd.DataFrame({"object": world.objects, "category": world.category, "categories": categories})


def test_representations_come_back_by_name(tmp_path, world, embeddings):
    write_embeddings(tmp_path / "e", embeddings, {"seed": 1})
    back = load_embeddings(tmp_path / "e")
    assert list(back.layers) == ["early", "late"]
    some = world.objects[5:2:-1]
    np.testing.assert_array_equal(back.rows("late", some), embeddings.layers["late"][[5, 4, 3]])
    with pytest.raises(InputError, match="The embedding lacks unicorn"):
        back.rows("late", ["unicorn"])
    write_human(tmp_path / "h", System(np.eye(3), ("a", "b", "c"), "dissimilarity"), {})
    human = load_human(tmp_path / "h")
    assert human.objects == ("a", "b", "c")
    np.testing.assert_array_equal(human.rdm("cosine"), np.eye(3))


def test_rsa_rows_have_intervals_around_their_value(world, embeddings):
    humans = {
        "people": System(world.latent, world.objects, "embedding"),
        "some": System(world.latent[:30], world.objects[:30], "embedding"),
    }
    table = rsa_scores("m", embeddings, humans, metric="cosine", method="spearman", **INTERVAL)
    assert table[["reference", "layer"]].to_numpy().tolist() == [
        ["people", "early"],
        ["people", "late"],
        ["some", "early"],
        ["some", "late"],
    ]
    assert (table["ci_low"] < table["value"]).all()
    assert (table["value"] < table["ci_high"]).all()
    assert table["n"].tolist() == [80, 80, 30, 30]
    assert table["value"].iloc[1] > 0.9 > 0.2 > abs(table["value"].iloc[0])


def test_odd_one_out_rows_report_ties(world, embeddings):
    triplets = simulate_triplets(world, 2000, seed=0)
    table = odd_one_out_scores(
        "m", embeddings, world.objects, triplets, similarity="cosine", centre=True, **INTERVAL
    )
    values = table.set_index(["metric", "variant", "layer"])["value"]
    assert values["odd_one_out", "", "late"] > 0.6
    assert values["odd_one_out", "", "early"] == pytest.approx(1 / 3, abs=0.06)
    assert values["odd_one_out_ties", "", "late"] == 0
    rows = table[table["layer"] == "late"].set_index(["metric", "variant"])
    objects, judgements = rows.loc["odd_one_out", ""], rows.loc["odd_one_out", "over_triplets"]
    assert objects["value"] == judgements["value"]
    # Other objects make more of a difference than other judgements about these.
    assert objects["ci_low"] < judgements["ci_low"] < judgements["ci_high"] < objects["ci_high"]


def test_category_tables_treat_others_as_they_say(concepts):
    tables = category_tables(concepts)
    others = (concepts["category"] == "others").to_numpy()
    assert not tables["gwot_category"][others].any()
    assert tables["gwot_category_others"].sum(axis=1).tolist() == [1] * 80
    assert (
        tables["gwot_category_any"].sum(axis=1)
        == [len([c for c in cell.split(";") if c]) for cell in concepts["categories"]]
    ).all()


def test_matching_rows_of_known_plans(concepts):
    shared = {"model": "m", "layer": "l", "reference": "h"}
    perfect = matching_scores(shared, np.eye(80) / 80, 0.0, concepts, ks=[1, 5, 100], **INTERVAL).set_index(
        ["metric", "variant"]
    )
    # 80 hits of 80 are no certainty.
    ends = [1, pytest.approx(0.954, abs=0.001), pytest.approx(1), pytest.approx(1 / 80)]
    assert perfect.loc[("gwot", "top1"), ["value", "ci_low", "ci_high", "chance"]].tolist() == ends
    assert perfect.loc[("gwot_category", "top1"), "n"] == (concepts["category"] != "others").sum()
    assert perfect.loc[("gwot_category_others_columns", "top5"), "value"] == 1
    assert ("gwot", "top100") not in perfect.index
    assert set(perfect.index.get_level_values("metric")) <= set(MEASURES)
    shifted = matching_scores(shared, np.roll(np.eye(80), 1, axis=1) / 80, 0.0, concepts, ks=[1], **INTERVAL)
    assert shifted.set_index(["metric", "variant"]).loc[("gwot", "top1"), "value"] == 0


@pytest.fixture(scope="module")
def aggregated():
    models = {
        "people2": {"paradigm": "human", "layers": ["x"], "readout": "x"},
        "net_1": {"paradigm": "clip", "layers": ["a", "b", "c"], "readout": "c"},
    }
    rows = [
        ("people2", "x", "rsa", 0.9), ("net_1", "c", "rsa", 0.5), ("net_1", "a", "rsa", 0.1),
    ]  # fmt: skip
    scores = pd.DataFrame(
        [
            {"model": m, "layer": layer, "metric": k, "variant": "spearman", "reference": "h",
             "value": v, "ci_low": v - 0.1, "ci_high": v + 0.1, "chance": 0.0, "n": 5, "seed": 0, "status": "ok"}
            for m, layer, k, v in rows
        ]
    )  # fmt: skip
    accuracy = scores.iloc[[1]].assign(metric="odd_one_out", variant="", reference="triplets", chance=1 / 3)
    loss = scores.iloc[[1]].assign(metric="gwot_loss", variant="", chance=np.nan)
    return models, layer_scores([scores, accuracy, loss], models, "s", 0.67)


def test_a_ceiling_leaves_out_who_is_scored():
    models = {
        name: {"paradigm": paradigm, "layers": ["x"], "readout": "x"}
        for name, paradigm in (("first", "human"), ("second", "human"), ("third", "human"), ("net", "clip"))
    }
    scores = pd.DataFrame(
        [
            {"model": name, "layer": "x", "metric": "rsa", "variant": "spearman", "reference": "h",
             "value": value, "chance": 0.0, "n": 5, "seed": 0, "status": status}
            for name, value, status in (
                ("first", 0.9, "ok"), ("second", 0.7, "ok"), ("third", 0.1, "failed"), ("net", 0.4, "ok"),
            )
        ]
    )  # fmt: skip
    table = layer_scores([scores], models, "s").set_index("model")
    assert table["ceiling"].to_dict() == pytest.approx(
        {"first": 0.7, "second": 0.9, "third": 0.8, "net": 0.8}
    )


def test_the_tidy_table_has_depth_and_ceiling(aggregated):
    models, table = aggregated
    assert list(table.columns) == COLUMNS
    rsa = table[table["metric"] == "rsa"]
    assert rsa[["model", "depth"]].to_numpy().tolist() == [["people2", 1.0], ["net_1", 0.0], ["net_1", 1.0]]
    # People against people are the ceiling of models, never of themselves.
    np.testing.assert_array_equal(rsa["ceiling"], [np.nan, 0.9, 0.9])
    ceilings = table.set_index("metric")["ceiling"]
    assert ceilings["odd_one_out"] == 0.67
    assert np.isnan(ceilings["gwot_loss"])
    assert set(readouts(table, models)["layer"]) == {"x", "c"}


def test_scores_of_a_model_outside_the_sheet_are_refused(aggregated):
    models, table = aggregated
    with pytest.raises(InputError, match="The scores name the model net_1, which is not in the model sheet"):
        layer_scores([table[["model", "layer"]]], {"people2": models["people2"]}, "s")


def test_tables_show_percentages_and_escape(aggregated):
    models, table = aggregated
    shown = model_table(table, models)
    assert shown["model"].tolist() == ["people2", "net_1"]
    assert shown["rsa_spearman (h)"].tolist() == ["0.9000 [0.8000, 1.0000]", "0.5000 [0.4000, 0.6000]"]
    assert shown["odd_one_out"].tolist() == ["", "50.00 [40.00, 60.00]"]
    latex = to_latex(shown.assign(model=["a_b&c", "50%"]))
    assert r"a\_b\&c & human" in latex
    assert r"50\%" in latex
    assert latex.startswith(r"\begin{tabular}{lllll}")
