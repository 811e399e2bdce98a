"""A made-up study in tables, for tests of figures and report: every paradigm, two layers, two humans."""

import numpy as np
import pandas as pd

PARADIGMS = ("supervised", "self_supervised", "self_sup_sup", "clip")
HUMANS = ("people", "others_group")
# Metric and variant to chance and the value of a perfect model.
METRICS = {
    ("gwot", "top1"): (0.02, 0.3), ("gwot", "top5"): (0.05, 0.5), ("gwot_category", "top1"): (0.05, 0.6),
    ("gwot_category_others", "top1"): (0.1, 0.6), ("gwot_category_any", "top1"): (0.08, 0.7),
    ("rsa", "spearman"): (0, 0.5),
}  # fmt: skip


def made_up_models(n=8):
    """Sheet rows of n models in four paradigms, one of people and one random control."""
    rows = {}
    for i in range(n):
        paradigm = PARADIGMS[i % 4]
        rows[f"model_{i}"] = {
            **{"paradigm": paradigm, "architecture": f"vit_{'sbl'[i % 3]}16", "train_data": f"set_{i % 2}"},
            **{"objective": paradigm, "source": "timm", "identifier": f"vit_{i}"},
        }
    rows["other_people"] = {"paradigm": "human", "source": "precomputed", "identifier": "x.npy"}
    rows["noise"] = {"paradigm": "random", "source": "random", "identifier": "8"}
    for row in rows.values():
        row |= {"layers": ["first", "last"], "readout": "last"}
    return rows


def made_up_scores(models, seed=0):
    """A tidy table over two layers, two humans and the main measures."""
    rng, rows = np.random.default_rng(seed), []
    for (metric, variant), (chance, top) in METRICS.items():
        for human in HUMANS:
            for i, (name, row) in enumerate(models.items()):
                for depth, layer in enumerate(row["layers"]):
                    share = {"human": 0.95, "random": 0.01}.get(row["paradigm"], 0.15 + 0.07 * (i % 9))
                    value = chance + (top - chance) * share * (0.4 + 0.6 * depth) + rng.normal(scale=0.004)
                    rows.append(
                        {
                            **{
                                "study": "made_up",
                                "model": name,
                                "paradigm": row["paradigm"],
                                "layer": layer,
                            },
                            **{"depth": float(depth), "reference": human, "metric": metric},
                            **{"variant": variant, "value": value},
                            **{
                                "ci_low": value - 0.02,
                                "ci_high": value + 0.02,
                                "chance": chance,
                                "chance_low": chance - 0.02 if metric.startswith("gwot") else np.nan,
                                "chance_high": chance + 0.02 if metric.startswith("gwot") else np.nan,
                                "ceiling": top,
                            },
                            **{"n": 40, "seed": 0, "status": "ok"},
                        }
                    )
    rows += [
        row | {"metric": name, "variant": variant, "reference": reference}
        for name, variant, reference in (
            ("clustering", "ami", "categories"),
            ("clustering", "ami", "people"),
            ("odd_one_out", "", "triplets"),
        )
        for row in rows
        if row["metric"] == "rsa" and row["reference"] == "people"
    ]
    return pd.DataFrame(rows)


# Three families in three paradigms, two of them with a fine-tuned version.
FINETUNED = {"network": "network_ft", "mae": "mae_ft"}
DEEP = {
    name: {"paradigm": paradigm, "layers": [f"layer_{i}" for i in range(5)], "readout": "layer_4"}
    for name, paradigm in (
        ("network", "supervised"),
        ("network_ft", "supervised"),
        ("mae", "self_supervised"),
        ("mae_ft", "self_sup_sup"),
        ("clip", "clip"),
    )
}


def made_up_layers(seed=0):
    """A tidy table of the convexity study: five models, five layers, measures that rise with depth."""
    rng, rows = np.random.default_rng(seed), []
    references = {"convexity": "categories", "odd_one_out": "triplets"}
    for metric, variant, low, high in (
        ("convexity", "", 0.1, 0.7), ("odd_one_out", "", 0.35, 0.6), ("rsa", "spearman", 0.05, 0.5),
        ("cka", "", 0.1, 0.6), ("gwot", "top1", 0.0, 0.3), ("gwot_category", "top1", 0.05, 0.6),
    ):  # fmt: skip
        for rank, (model, row) in enumerate(DEEP.items()):
            for index, layer in enumerate(row["layers"]):
                value = low + (high - low) * (0.1 + 0.05 * rank + 0.15 * index + rng.normal(scale=0.03))
                names = {"study": "made_up", "model": model, "paradigm": row["paradigm"], "layer": layer}
                rows.append(
                    names
                    | {
                        "depth": index / 4,
                        "reference": references.get(metric, "people"),
                        "metric": metric,
                        "variant": variant,
                        "value": value,
                    }
                    | {"ci_low": value - 0.02, "ci_high": value + 0.02, "chance": low, "n": 40, "seed": 0}
                    | {"chance_low": np.nan, "chance_high": np.nan}
                    | {"ceiling": 0.67 if metric == "odd_one_out" else np.nan, "status": "ok"}
                )
    return pd.DataFrame(rows)


def made_up_concepts(n=40, names="object {}"):
    """n objects in four categories and `others`."""
    category = np.array(["animal", "food", "tool", "vehicle", "others"])[np.arange(n) * 5 // n]
    return pd.DataFrame(
        {"object": [names.format(i) for i in range(n)], "category": category, "categories": category}
    )


def made_up_plan(n=40, sharpness=1.0, seed=0):
    """A plan whose diagonal stands out by a factor."""
    rng = np.random.default_rng(seed)
    plan = rng.dirichlet(np.ones(n), n) + sharpness * np.eye(n)
    return plan / plan.sum()
