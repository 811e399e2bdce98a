"""Published numbers of the convexity study beside ours, and whether they agree."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from repalign.analysis.correlations import variant_of
from repalign.statistics.bootstrap import mean_interval, percentile_interval, resample_weights
from repalign.study.sheets import resolve_layer

MEASURES = {"oooa": "odd_one_out", "convexity": "convexity"}
COLUMNS = ["source", "kind", "model", "position", "metric", "value", "unit", "text"]
# The variant of a measure that a published change is about.
CHANGES = {
    "transform": "naive_change",
    "finetuning": "finetuning_change",
    "held_out": "naive_held_out_change",
}
STATISTICS = ("mean", "sd")
NOT_AVERAGED = ("random", "human")

# Every kind of the published table: what a number is, and over models the mean or the standard deviation.
KINDS = {kind: (kind, "") for kind in ("value", "transform", "finetuning", "correlation", "identifier")} | {
    f"{kind}_{statistic}": (kind, statistic)
    for kind in ("transform", "finetuning")
    for statistic in STATISTICS
}


@dataclass(frozen=True)
class Quantity:
    """What a number is about: kind, model (or variant, or group of layers), position of the layer, metric.

    `statistic` is `mean` or `sd` over models, or '' for a number of one model.
    """

    kind: str
    model: str
    position: str
    metric: str
    statistic: str = ""


@dataclass(frozen=True)
class ConvexityStudy:
    """All results of this study that have a published counterpart.

    Attributes
    ----------
    scores : tidy table of `repalign.analysis.layer_scores.layer_scores`
    correlations : data frame of `repalign.analysis.correlations.grouped_correlations`
    models : dict of model to its descriptive fields, with `paradigm`, `layers` and `identifier`
    finetuned : dict of pretrained models to their fine-tuned versions
    published : data frame with `COLUMNS`, or None: kind is one of `KINDS`: a value, a change (by the transform or by
        fine-tuning), mean or standard deviation of a change over models, a correlation (of a group of layers) or an
        identifier. The
        fine-tuned version of a model is called `<model>_ft`.
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`
    """

    scores: pd.DataFrame
    correlations: pd.DataFrame
    models: dict
    finetuned: dict
    published: pd.DataFrame | None = None
    n_boot: int = 1000
    confidence: float = 0.95
    seed: int = 0
    _found: dict = field(init=False, repr=False)
    _printed: dict = field(init=False, repr=False)

    def __post_init__(self):
        ok = self.scores[self.scores["status"] == "ok"]
        keys = ok[["model", "layer", "metric", "variant"]].itertuples(index=False, name=None)
        numbers = ok[["value", "ci_low", "ci_high"]].itertuples(index=False, name=None)
        object.__setattr__(self, "_found", dict(zip(keys, numbers, strict=True)))
        object.__setattr__(self, "_printed", {quantity_of(row): row["value"] for row in self.records()})

    def records(self):
        """The published numbers as dictionaries."""
        return [] if self.published is None else self.published.to_dict("records")

    def of_variant(self, variant):
        """Our models of a variant; those without a fine-tuned version count as pretrained, controls as neither."""
        return [
            name
            for name, row in self.models.items()
            if (variant_of(name, self.finetuned) == "finetuned") == (variant == "finetuned")
            and row["paradigm"] not in NOT_AVERAGED
        ]

    def ours(self, quantity):
        """(value, low, high) in the unit of the published number, None where it was not run."""
        if quantity.kind == "correlation":
            return self._correlation(quantity.model)
        if quantity.statistic:
            return self._average(quantity)
        if quantity.model not in self.models:
            return None
        layer = resolve_layer(quantity.position, self.models[quantity.model]["layers"])
        variant = CHANGES.get(quantity.kind, "")
        found = self._found.get((quantity.model, layer, MEASURES[quantity.metric], variant))
        return found and tuple(100 * number for number in found)

    def cell(self, quantity):
        """Ours with its interval, the published number and the verdict, as a dictionary.

        The verdict is `agrees` where the published number, rounded as it is, lies within our interval (or is our
        number, where that has none), `differs`, `not run`, or empty where nothing was published.
        """
        ours, published = self.ours(quantity), self._printed.get(quantity, np.nan)
        if self._is_of_other_models(quantity):
            ours = None
        value, low, high = ours or (np.nan, np.nan, np.nan)
        verdict = ""
        if np.isfinite(published):
            verdict = "not run" if ours is None else "differs"
            # Published with one decimal (percent) or two (correlations): allow for half a unit of the last one.
            margin = 0.005 if quantity.kind == "correlation" else 0.05
            ends = (low, high) if np.isfinite(low) else (value, value)
            if ours is not None and ends[0] - margin <= published <= ends[1] + margin:
                verdict = "agrees"
        return {"ours": value, "ci_low": low, "ci_high": high, "published": published, "verdict": verdict}

    def _is_of_other_models(self, quantity):
        """Whether a published correlation of a group of layers is about models that were not all run."""
        about_group = quantity.kind == "correlation" and quantity in self._printed
        named = {q.model for q in self._printed if q.kind == "identifier"}
        return about_group and quantity.model not in named and not named <= set(self.models)

    def _correlation(self, group):
        pearson = self.correlations[self.correlations["method"] == "pearson"]
        found = pearson.loc[pearson["group"] == group, ["value", "ci_low", "ci_high"]].to_numpy(dtype=float)
        return tuple(map(float, found[0])) if len(found) and np.isfinite(found[0][0]) else None

    def _average(self, quantity):
        """Over the models behind the published average where we have them all, else over all of ours."""
        own = self.of_variant(quantity.model)
        if quantity in self._printed:
            alone = replace(quantity, statistic="")
            named = {q.model for q in self._printed if replace(q, model=quantity.model) == alone}
            own = [name for name in named if variant_of_published(name) == quantity.model]
        changes = [self.ours(replace(quantity, model=name, statistic="")) for name in sorted(own)]
        if None in changes and quantity in self._printed:
            return None
        values = np.array([change[0] for change in changes if change])
        if len(values) < 2:
            return None
        if quantity.statistic == "mean":
            interval = mean_interval(values, n_boot=self.n_boot, confidence=self.confidence, seed=self.seed)
            return float(values.mean()), *interval
        weights = resample_weights(np.random.default_rng(self.seed), self.n_boot, len(values))
        mean = weights @ values / len(values)
        variance = (weights @ values**2 - len(values) * mean**2) / (len(values) - 1)
        return float(values.std(ddof=1)), *percentile_interval(
            np.sqrt(np.maximum(variance, 0)), self.confidence
        )


def variant_of_published(model):
    """`finetuned` or `pretrained`, by the name that the published table gives a model."""
    return "finetuned" if model.endswith("_ft") else "pretrained"


def quantity_of(record):
    """The quantity of one row of the published table."""
    kind, statistic = KINDS[record["kind"]]
    return Quantity(kind, record["model"], record["position"], record["metric"], statistic)


def compare_published(study):
    """Every published number with ours, its interval and a verdict: a data frame, see `ConvexityStudy.cell`."""
    rows = []
    for record in study.records():
        if record["kind"] == "identifier":
            ours = identifier(study, record["model"])
            cell = {"ours": np.nan, "ci_low": np.nan, "ci_high": np.nan, "ours_text": ours}
            rows.append({**record, **cell, "verdict": text_verdict(ours, record["text"])})
        else:
            rows.append({**record, **study.cell(quantity_of(record))})
    columns = [*COLUMNS, "ours", "ours_text", "ci_low", "ci_high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def identifier(study, model):
    """The checkpoint of a model of ours, or ''."""
    return study.models.get(model, {}).get("identifier", "")


def text_verdict(ours, published):
    """As `ConvexityStudy.cell`, of two texts."""
    if not published:
        return ""
    return "not run" if not ours else "agrees" if ours == published else "differs"
