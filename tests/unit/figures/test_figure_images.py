"""Every figure against its picture; `REPALIGN_REDRAW=1 pytest` draws the pictures anew."""

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text
from repalign.analysis.correlations import (
    correlation_matrix,
    depth_correlations,
    grouped_correlations,
    joined,
)
from repalign.analysis.maps import object_map, similarity_of_systems
from repalign.analysis.matching_predictors import matching_predictors
from repalign.analysis.object_matching import object_matches, outcomes
from repalign.figures import panels
from repalign.figures.convergence import plot_convergence
from repalign.figures.correlations import plot_alignment, plot_matrix
from repalign.figures.depth import plot_depth, plot_measures, plot_neighbours
from repalign.figures.effects import plot_effects
from repalign.figures.fine_coarse import plot_fine_coarse
from repalign.figures.forest import plot_forest
from repalign.figures.layers import plot_layers
from repalign.figures.matching_predictors import plot_matching_predictors
from repalign.figures.method import plot_method
from repalign.figures.model_map import plot_model_map
from repalign.figures.object_map import plot_object_map
from repalign.figures.object_matching import plot_object_matching
from repalign.figures.rdms import plot_rdms
from repalign.figures.style import settle, styled
from repalign.figures.transport_plans import plot_transport_plans
from repalign.gwot.projection import barycentric_projection
from repalign.statistics.paradigm_effects import paradigm_effects
from study_tables import (
    DEEP,
    FINETUNED,
    HUMANS,
    made_up_concepts,
    made_up_layers,
    made_up_models,
    made_up_plan,
    made_up_scores,
)

BASELINE = Path(__file__).parent / "figure_images"
STYLE = {"width_mm": 150, "font_size": 7, "titles": False, "fonts": ["DejaVu Sans"]}
TOLERANCE = 3  # root mean square of grey levels
MODELS = made_up_models()
SCORES = made_up_scores(MODELS)
LAST = SCORES[SCORES["layer"] == "last"]
CONCEPTS = made_up_concepts()
PARADIGMS = {name: row["paradigm"] for name, row in MODELS.items()}
LAYERS = made_up_layers()
JOINED, COLUMNS = joined(LAYERS)


def matches():
    """Object matches of three models."""
    frames = []
    for seed, name in enumerate(("model_0", "model_3", "other_people")):
        plan = made_up_plan(sharpness=0.1 + 0.2 * seed, seed=seed)
        frames.append(object_matches(plan, CONCEPTS).assign(human="people", model=name, layer="last"))
    return pd.concat(frames, ignore_index=True)


def entries():
    """Two plans, a sharp one and a blurred one."""
    for name, sharpness in (("model_3", 0.5), ("noise", 0.0)):
        plan, category = made_up_plan(sharpness=sharpness), CONCEPTS["category"].to_numpy()
        yield {
            "human": "people",
            "model": name,
            "plan": plan,
            "category": category,
            "top1": 0.5,
            "category_rate": 0.7,
        }


def mapped_entries():
    """The same two plans on a map."""
    place = np.random.default_rng(1).uniform(size=(40, 2))
    for entry in entries():
        entry |= {
            "place": place,
            "projected": barycentric_projection(entry["plan"].T, place),
            "object": CONCEPTS["object"],
        }
        yield entry | {"outcome": outcomes(entry["plan"], entry["category"])}


def trials():
    """Trials of two alignments, and a sensitivity map of one."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"human": "people", "model": np.repeat(["model_0", "model_3"], 4), "layer": "last"})
    table["relative_epsilon"] = np.tile([0.02, 0.05, 0.1, 0.2], 2)
    table["loss"] = 0.02 + 0.01 * rng.random(8)
    table["status"], table["paradigm"] = "complete", table["model"].map(PARADIGMS)
    table["best"] = table["loss"] == table.groupby("model")["loss"].transform("min")
    table["top1"] = np.where(table["best"], 0.4, np.linspace(0.3, 0.05, 8))
    runs = pd.DataFrame(
        {"human": "people", "model": "model_3", "layer": "last", "start": "random"}, index=range(9)
    )
    runs["epsilon"], runs["seed"] = np.tile([0.01, 0.02, 0.05], 3), np.repeat([0, 1, 2], 3)
    return table, runs.assign(loss=0.02 + 0.01 * rng.random(9), gwot_top1=rng.random(9))


def rdms():
    """Three matrices in four blocks."""
    blocks = (CONCEPTS["category"].to_numpy()[:, None] != CONCEPTS["category"].to_numpy()).astype(float)
    return {name: blocks * scale + 0.2 for name, scale in (("people", 0.8), ("model_0", 0.5), ("noise", 0.0))}


def similarities():
    """Correlations of four systems."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=200)
    names = ("people", "model_0", "model_3", "noise")
    return similarity_of_systems({n: shared * (n != "noise") + rng.normal(size=200) for n in names})


def system_alignments():
    """Matching rates of every two of four systems."""
    rng = np.random.default_rng(4)
    pairs = combinations(("people", "model_0", "model_3", "noise"), 2)
    table = pd.DataFrame(pairs, columns=["source", "target"])
    for name in ("gwot_top1", "gwot_columns_top1", "gwot_category_top1", "gwot_category_columns_top1"):
        table[name] = rng.random(len(table)) * (1 if "category" in name else 0.3)
    return table


def neighbours():
    """Convexity of every layer over three numbers of neighbours."""
    rows = LAYERS[LAYERS["metric"] == "convexity"].assign(
        space="original", category="MEAN", memberships="one"
    )
    return pd.concat([rows.assign(n_neighbours=k, value=rows["value"] * k**0.1) for k in (5, 10, 20)])


FIGURES = {
    "method": lambda: plot_method(STYLE),
    "matching": lambda: plot_forest(
        LAST, [panels.panel("gwot", "top1", "top-1"), panels.panel("gwot_category", "top1", "category")], STYLE,
        means=True,
    ),
    "clustering": lambda: plot_forest(
        LAST, [panels.panel("clustering", "ami", "AMI", reference="categories")], STYLE, means=True
    ),
    "fine_coarse": lambda: plot_fine_coarse(LAST, STYLE),
    "transport_plans": lambda: plot_transport_plans(list(entries()), STYLE),
    "object_matching": lambda: plot_object_matching(matches(), PARADIGMS, "people", STYLE),
    "convergence": lambda: plot_convergence(*trials(), STYLE),
    "layers": lambda: plot_layers(
        SCORES, [panels.panel("gwot", "top1", "top-1"), panels.panel("rsa", "spearman")],
        dict.fromkeys(MODELS, "last"), STYLE,
    ),
    "object_map": lambda: plot_object_map(list(mapped_entries()), STYLE),
    "model_map": lambda: plot_model_map(similarities(), {**PARADIGMS, "people": "human"}, STYLE),
    "model_map_aligned": lambda: plot_model_map(
        similarities(), {**PARADIGMS, "people": "human"}, STYLE, system_alignments()
    ),
    "rdms": lambda: plot_rdms(rdms(), CONCEPTS["category"], {"model_0": 0.5, "noise": 0.0}, STYLE),
    "paradigm_effects": lambda: plot_effects(
        paradigm_effects(LAST, MODELS),
        [panels.panel("gwot", "top1", "objects", unit="points"), panels.panel("rsa", "spearman")], STYLE,
    ),
    "convexity_depth": lambda: plot_depth(
        LAYERS,
        depth_correlations(JOINED, "convexity", "odd_one_out", FINETUNED, confidence=0.95),
        DEEP,
        FINETUNED,
        STYLE,
    ),
    "convexity_alignment": lambda: plot_alignment(
        JOINED, grouped_correlations(JOINED, "convexity", "odd_one_out", FINETUNED, confidence=0.95), FINETUNED, STYLE
    ),
    "convexity_neighbours": lambda: plot_neighbours(neighbours(), DEEP, FINETUNED, STYLE),
    "convexity_correlations": lambda: plot_matrix(
        correlation_matrix(JOINED, COLUMNS, FINETUNED, confidence=0.95), COLUMNS, STYLE
    ),
    "convexity_measures": lambda: plot_measures(LAYERS, DEEP, FINETUNED, STYLE),
    "convexity_matching": lambda: plot_matching_predictors(
        JOINED, COLUMNS, matching_predictors(JOINED, COLUMNS, FINETUNED, confidence=0.95), FINETUNED, STYLE
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name, tmp_path):
    figure, data = FIGURES[name]()
    assert len(data) > 0
    expected, actual = BASELINE / f"{name}.png", tmp_path / f"{name}.png"
    figure.set_dpi(60)
    settle(figure, STYLE)
    with styled(STYLE):
        figure.savefig(actual, dpi=60)
    plt.close(figure)
    if os.environ.get("REPALIGN_REDRAW"):
        expected.write_bytes(actual.read_bytes())
    assert expected.is_file(), f"{expected} is missing; draw it with REPALIGN_REDRAW=1 and look at it"
    difference = compare_images(expected, actual, TOLERANCE)
    assert difference is None, difference


def words_of(figure):
    """Rectangle of every text outside the panels, by what it says: labels, titles, ticks and legends."""
    found = []
    for axis in figure.axes:
        outside = {axis.get_title(place) for place in ("left", "center", "right")}
        headings = [
            text for text in axis.get_children() if isinstance(text, Text) and text.get_text() in outside
        ]
        found += [axis.xaxis.label, axis.yaxis.label, *headings]
        for which in (axis.xaxis, axis.yaxis):
            low, high = sorted(which.get_view_interval())
            ticks = which.get_major_ticks(len(which.get_majorticklocs()))
            ticks = [tick for tick in ticks if low <= tick.get_loc() <= high]
            found += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    found += [text for legend in figure.legends for text in legend.get_texts()]
    # Axes keep ticks that they no longer show, at the place of another.
    boxes = {(text.get_text(), text.get_window_extent().bounds): text.get_window_extent() for text in found}
    return [(word, box) for (word, _), box in boxes.items() if word]


SIZES = {"one_column": (85, 7), "slide": (300, 14)}


@pytest.mark.parametrize("name", FIGURES)
def test_no_words_overlap_or_are_cut_at_the_other_sizes(name, monkeypatch):
    for size, (width, font) in SIZES.items():
        style = {**STYLE, "width_mm": width, "font_size": font}
        monkeypatch.setitem(globals(), "STYLE", style)
        figure, _ = FIGURES[name]()
        settle(figure, style)
        words, slack = words_of(figure), 0.25 * font * figure.dpi / 72
        plt.close(figure)
        for number, (word, box) in enumerate(words):
            edges = (box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1)
            assert min(edges) > -slack, f"{size}: {word!r} is cut"
            for other, beside in words[:number]:
                across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
                upright = min(box.y1, beside.y1) - max(box.y0, beside.y0)
                assert min(across, upright) < slack, f"{size}: {word!r} overlaps {other!r}"


def test_the_object_map_keeps_neighbours_together_and_is_reproducible():
    rng = np.random.default_rng(0)
    groups = np.repeat([[0.0, 0.0], [5.0, 5.0]], 20, axis=0) + rng.normal(scale=0.3, size=(40, 2))
    rdm = np.linalg.norm(groups[:, None] - groups[None], axis=2)
    place = object_map(rdm, seed=0)
    np.testing.assert_array_equal(place, object_map(rdm, seed=0))
    assert place.min() == 0
    assert place.max() == 1
    distance = np.linalg.norm(place[:, None] - place[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (distance.argmin(axis=1) // 20 == np.arange(40) // 20).all()


def test_humans_of_the_made_up_study_are_all_drawn():
    figure, data = plot_fine_coarse(LAST, STYLE)
    plt.close(figure)
    assert set(data["reference"]) == set(HUMANS)
    assert len(data) == len(HUMANS) * len(MODELS)
