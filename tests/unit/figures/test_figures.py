import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from repalign.errors import InputError
from repalign.figures.forest import plot_forest
from repalign.figures.panels import panel
from repalign.figures.style import MM, PALETTE, paradigm_colours, save_figure
from repalign.figures.transport_plans import choose_pair, plot_transport_plans
from repalign.labels import paradigm_order

STYLE = {"width_mm": 85, "font_size": 6, "titles": False}
ENDINGS = {"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}


def scores(n=4):
    return pd.DataFrame(
        {
            "model": [f"model_{i}" for i in range(n)],
            "paradigm": ["clip", "human", "random", "my_tag"][:n],
            "reference": "people",
            "layer": "l",
            "metric": "gwot",
            "variant": "top1",
            "value": np.linspace(0.9, 0.1, n),
            "ci_low": np.linspace(0.8, 0.0, n),
            "ci_high": np.linspace(1.0, 0.2, n),
            "chance": 0.05,
            "ceiling": 0.95,
            "status": "ok",
        }
    )


def test_a_forest_shows_every_model_with_interval_chance_and_ceiling():
    figure, data = plot_forest(scores(), [panel("gwot", "top1", "top-1")], STYLE)
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        "model 0",
        "model 1",
        "model 2",
        "model 3",
    ]
    assert axis.get_xlabel() == "top-1 (%)"
    drawn = {tuple(np.round(line.get_xdata(), 6)) for line in axis.lines}
    assert {(90.0,), (10.0,), (80.0, 100.0), (5.0, 5.0), (95.0, 95.0)} <= drawn
    assert figure.get_figwidth() == pytest.approx(85 * MM)
    assert len(data) == 4
    plt.close(figure)


def test_a_forest_without_scores_is_refused():
    with pytest.raises(InputError, match="There are no scores rsa_spearman to draw"):
        plot_forest(scores(), [panel("rsa", "spearman")], STYLE)


def test_paradigms_have_a_fixed_order_and_distinct_colours():
    assert paradigm_order(["mine", "clip", "supervised"]) == ["supervised", "clip", "mine"]
    colours = paradigm_colours(["mine", "clip", "yours"])
    assert len(set(colours.values())) == len(PALETTE) + 2


def test_the_pair_is_the_best_and_the_poorest_model():
    table = scores()
    assert choose_pair(table) == (("people", "model_0", "l"), ("people", "model_3", "l"))


def test_plans_are_drawn_sorted_and_their_blocks_sum_to_one(tmp_path):
    rng = np.random.default_rng(0)
    n, category = 50, np.array(list("cab" * 17))[:50]
    plans = [
        {"human": "h", "model": m, "plan": plan, "category": category, "top1": 0.5, "category_rate": 0.6}
        for m, plan in (("good", np.eye(n) / n), ("poor", rng.dirichlet(np.ones(n), n) / n))
    ]
    figure, data = plot_transport_plans(plans, STYLE)
    image = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_array_equal(image, np.eye(n))
    sums = data.groupby(["model", "human_category"])["mass_share"].sum()
    np.testing.assert_allclose(sums, 1)
    good = data[data["model"] == "good"]
    assert (good.loc[good["human_category"] == good["model_category"], "mass_share"] == 1).all()
    paths = [tmp_path / f"f.{ending}" for ending in [*ENDINGS, "tsv"]]
    save_figure(figure, paths, data, STYLE)
    for path in paths[:-1]:
        assert path.read_bytes().startswith(ENDINGS[path.suffix[1:]])
    assert "category" in (tmp_path / "f.svg").read_text(), "text must stay text"


def test_equal_data_gives_equal_bytes(tmp_path):
    for name in "ab":
        figure, data = plot_forest(scores(), [panel("gwot", "top1", "top-1")], STYLE)
        save_figure(figure, [tmp_path / f"{name}.{ending}" for ending in ENDINGS], data, STYLE)
    for ending in ENDINGS:
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
