import numpy as np
import pandas as pd
import pytest
from repalign.paradigm_effects import paradigm_effects, usable_factors

EFFECT = {"supervised": 0.0, "self_supervised": -0.1, "clip": 0.2}


def made_up(n=36, architecture_effect=0.0, seed=0, noise=0.01):
    """Models whose paradigm, architecture and training set cross, but for CLIP's own training set."""
    rng, models, rows = np.random.default_rng(seed), {}, []
    for i in range(n):
        paradigm = list(EFFECT)[i % 3]
        # The good architecture is common in one paradigm and rare in the others: the confound.
        architecture = "vit" if (i // 3) % 4 < (3 if paradigm == "clip" else 1) else "resnet"
        models[f"m{i}"] = {
            "architecture": architecture,
            "train_data": "web" if paradigm == "clip" else f"set{i % 2}",
        }
        value = (
            0.4 + EFFECT[paradigm] + architecture_effect * (architecture == "vit") + rng.normal(scale=noise)
        )
        rows.append(
            {
                "model": f"m{i}",
                "paradigm": paradigm,
                "metric": "x",
                "human": "h",
                "value": value,
                "status": "ok",
            }
        )
    return pd.DataFrame(rows), models


def estimates(table, models, model):
    effects = paradigm_effects(table, models)
    return effects[effects["model"] == model].set_index("paradigm")


def test_planted_effects_are_found_within_their_intervals():
    table, models = made_up()
    found = estimates(table, models, "unadjusted")
    assert found.loc["supervised", "reference"] == "supervised"
    for name in ("self_supervised", "clip"):
        row = found.loc[name]
        assert row["ci_low"] < EFFECT[name] < row["ci_high"]
        assert row["ci_high"] - row["ci_low"] < 0.05


def test_the_mixed_model_takes_the_architecture_out_of_the_paradigm():
    table, models = made_up(architecture_effect=0.3)
    plain, mixed = (
        estimates(table, models, name).loc["clip", "estimate"] for name in ("unadjusted", "mixed")
    )
    assert plain == pytest.approx(0.35, abs=0.02)
    assert mixed == pytest.approx(EFFECT["clip"], abs=0.02)


def test_a_factor_that_is_nested_in_the_paradigm_is_left_out_and_named():
    table, models = made_up()
    frame = table.assign(
        **{f: [models[m].get(f, "none") for m in table["model"]] for f in ("architecture", "train_data")}
    )
    kept, left_out = usable_factors(frame.assign(objective=frame["paradigm"]))
    assert "architecture" in kept
    assert left_out == ["objective"]
    assert "objective" in estimates(table, models, "mixed")["status"].iloc[0]


def test_people_and_controls_are_no_paradigm_and_two_single_models_have_no_interval():
    table = pd.DataFrame(
        {"model": list("abcd"), "paradigm": ["supervised", "clip", "human", "random"], "metric": "x", "human": "h",
         "value": [0.1, 0.3, 0.9, 0.0], "status": "ok"}
    )  # fmt: skip
    effects = paradigm_effects(table, {name: {} for name in "abcd"})
    assert set(effects["paradigm"]) == {"supervised", "clip"}
    clip = effects.set_index("paradigm").loc["clip"]
    assert clip["estimate"] == pytest.approx(0.2)
    assert np.isnan(clip["ci_low"])
