from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from repalign.figures.captions import render_caption
from repalign.figures.effects import plot_effects
from repalign.figures.panels import panel
from repalign.statistics.paradigm_effects import paradigm_effects, usable_factors

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
                "metric": "cka",
                "variant": "",
                "reference": "h",
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
    assert found.loc["supervised", "baseline"] == "supervised"
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
        {"model": list("abcd"), "paradigm": ["supervised", "clip", "human", "random"], "metric": "cka",
         "variant": "", "reference": "h",
         "value": [0.1, 0.3, 0.9, 0.0], "status": "ok"}
    )  # fmt: skip
    effects = paradigm_effects(table, {name: {} for name in "abcd"})
    assert set(effects["paradigm"]) == {"supervised", "clip"}
    clip = effects.set_index("paradigm").loc["clip"]
    assert clip["estimate"] == pytest.approx(0.2)
    assert np.isnan(clip["ci_low"])


def few(paradigms, **factors):
    """Models of these paradigms with values of no pattern, and what their rows say of each."""
    names = [f"m{i}" for i in range(len(paradigms))]
    table = pd.DataFrame(
        {"model": names, "paradigm": paradigms, "metric": "cka",
         "variant": "", "reference": "h", "status": "ok",
         "value": np.random.default_rng(0).random(len(names))}
    )  # fmt: skip
    return table, {name: {key: values[i] for key, values in factors.items()} for i, name in enumerate(names)}


def test_few_models_have_no_interval_and_the_figure_says_so_in_words():
    table, models = few(["supervised", "self_supervised", "self_supervised", "clip"])
    effects = paradigm_effects(table, models)
    assert list(effects["status"].unique()) == ["too few models for an interval: 4 in 3 paradigms"]
    assert effects["ci_low"].isna().all()
    means = table.groupby("paradigm")["value"].mean()
    clip = effects.set_index("paradigm").loc["clip", "estimate"]
    assert clip == pytest.approx(means["clip"] - means["supervised"])
    style = {"width_mm": 90, "font_size": 7, "titles": False}
    figure, _ = plot_effects(effects, [panel("cka")], style)
    assert [text.get_text().split()[:2] for text in figure.axes[0].texts] == [["too", "few"]]
    assert len(figure.axes[0].lines) == 1, "nothing but the line at zero"


def test_fewer_models_than_parameters_leave_least_squares():
    table, models = few(["supervised", "self_supervised", "clip"] * 2, architecture=list("aabbab"),
                        train_data=list("uvuvuv"), objective=list("xyyxxy"))  # fmt: skip
    effects = paradigm_effects(table, models)
    assert set(effects["model"]) == {"unadjusted"}
    assert (effects["status"] == "no mixed model: 6 models are too few for its 7 parameters").all()


def test_an_architecture_confounded_with_the_paradigm_leaves_least_squares():
    table, models = few(["supervised"] * 4 + ["clip"] * 4, architecture=["resnet"] * 4 + ["vit"] * 4)
    effects = paradigm_effects(table, models)
    assert set(effects["model"]) == {"unadjusted"}
    assert effects["status"].str.startswith("no mixed model: no architecture").all()
    assert effects["ci_low"].notna().all()


def test_two_factors_that_are_one_are_taken_once():
    table, models = made_up()
    for row in models.values():
        row["objective"] = row["architecture"].upper()
    mixed = estimates(table, models, "mixed")
    assert mixed["random_effects"].iloc[0] == "architecture, train_data"
    assert "objective" in mixed["status"].iloc[0]


@pytest.mark.parametrize("seed", range(3))
def test_intervals_stay_on_the_scale_of_the_data_however_few_models_there_are(seed):
    rng = np.random.default_rng(seed)
    for n in (4, 5, 6, 8, 11):
        factors = {
            name: list(rng.choice(["a", "b", "c"], n)) for name in ("architecture", "train_data", "objective")
        }
        table, models = few([list(EFFECT)[i % 3] for i in range(n)], **factors)
        effects = paradigm_effects(table, models)
        width = (effects["ci_high"] - effects["ci_low"]).dropna()
        # Values lie in [0, 1]; the widest t interval has two degrees of freedom.
        assert width.between(1e-6, 10).all()


def test_mixed_model_is_that_of_statsmodels():
    rng = np.random.default_rng(1)
    factors = {"architecture": rng.choice(list("abcdef"), 60), "train_data": rng.choice(list("uvwx"), 60)}
    table, models = few([list(EFFECT)[i % 3] for i in range(60)], **factors)
    frame = table.assign(**factors)
    for name in factors:
        frame["value"] += frame[name].map(lambda level: 0.4 * (ord(level) % 3))
    table["value"] = frame["value"]
    direct = smf.mixedlm(
        "value ~ C(paradigm, Treatment('supervised'))", frame, groups=np.ones(len(frame)), re_formula="0",
        vc_formula={"architecture": "0 + C(architecture)", "train_data": "0 + C(train_data)"},
    ).fit(reml=True)  # fmt: skip
    found = estimates(table, models, "mixed")
    for name in ("self_supervised", "clip"):
        term = f"C(paradigm, Treatment('supervised'))[T.{name}]"
        assert found.loc[name, "estimate"] == pytest.approx(direct.params[term], abs=2e-4)
        # Student's t with 60 - 3 - 2 degrees of freedom.
        half = (found.loc[name, "ci_high"] - found.loc[name, "ci_low"]) / 2
        assert half == pytest.approx(2.004 * direct.bse[term], rel=0.02)


def test_the_caption_says_which_models_were_fitted():
    template = Path(__file__).parents[3] / "config/captions/paradigm_effects.j2"
    style = {"confidence": 0.95}
    few_models = paradigm_effects(*few(["supervised", "clip"]))
    assert "too few models" in render_caption(template, few_models, style=style)
    confounded = paradigm_effects(
        *few(["supervised"] * 4 + ["clip"] * 4, architecture=["resnet"] * 4 + ["vit"] * 4)
    )
    caption = render_caption(template, confounded, style=style)
    assert "no mixed model" in caption
    assert "filled" not in caption
    caption = render_caption(template, paradigm_effects(*made_up()), style=style)
    assert "random intercepts for architecture, training set" in caption
