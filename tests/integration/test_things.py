"""The workflow and the aligner on the real THINGS files."""

import numpy as np
import pandas as pd
import pytest
from conftest import snakemake
from repalign.gwot.alignment import align
from repalign.gwot.matching import matching_rate
from repalign.inputs.features import random_features, read_precomputed
from repalign.inputs.objects import read_order
from repalign.measures.registry import headline_rows, measure_of
from repalign.storage.score_table import read_scores

pytestmark = pytest.mark.things
N = 300


@pytest.fixture(scope="module")
def groups(things_dir):
    """The same 300 objects of two groups of people."""
    order = things_dir / "unique_id.txt"
    objects = read_order(order)
    keep = np.sort(np.random.default_rng(0).choice(len(objects), N, replace=False))
    files = [things_dir / "human" / f"spose_group{i}.npy" for i in (1, 2)]
    return [read_precomputed(path, ["x"], objects, order)["x"][keep] for path in files]


@pytest.mark.parametrize(
    "search",
    [
        pytest.param(
            {"strategy": "paper", "solver": "pot", "dtype": "float64"}, id="pot", marks=pytest.mark.slow
        ),
        pytest.param({}, id="native"),
    ],
)
def test_two_groups_of_people_align_without_labels(groups, search):
    result = align(*groups, metric="euclidean", epsilon=(4, 4), trials=1, device="cpu", **search)
    assert matching_rate(result.plan) > 0.9


def test_a_random_control_stays_at_chance(groups):
    control = random_features("512", ["x"], N, seed=1)["x"]
    result = align(groups[0], control, epsilon=(0.01, 0.05), trials=2, device="cpu")
    # More than 6 of 300 hits has a probability under 1e-4 at chance.
    assert matching_rate(result.plan) <= 6 / N


@pytest.mark.slow
def test_the_workflow_reproduces_the_known_scores(checkout, things_dir, reference_dir):
    targets = [f"results/things_features/scores/{score}/clip_vit_b32.tsv" for score in ("rsa", "odd_one_out")]
    snakemake(
        checkout,
        *targets,
        "--configfile",
        "config/things_features.yaml",
        "--config",
        f"things_dir={things_dir}",
    )
    rsa, accuracy = (read_scores(checkout / target) for target in targets)
    assert rsa.set_index("reference").loc["spose66", "value"] == pytest.approx(0.41602, abs=5e-5)
    reference = pd.read_csv(reference_dir / "odd_one_out_reference.tsv", sep="\t").set_index(
        ["embedding", "similarity"]
    )
    expected = reference.loc[("clip_vit_b32", "centered_cosine"), "accuracy"]
    assert round(headline_rows(accuracy, [measure_of("odd_one_out")])["value"].item(), 5) == expected
