"""What the figures of scores show: the panels of each."""

from dataclasses import dataclass

from repalign.labels import shown
from repalign.measures.registry import (
    CATEGORY_MATCHING,
    MATCHING,
    PLAN_MEASURES,
    headline_rows,
    in_role,
    measure_of,
)
from repalign.storage.score_table import CATEGORIES

RATE = (-3, 103)  # limits of an axis in per cent; points at either end are not cut


@dataclass(frozen=True)
class Panel:
    """One measure of the tidy table: label and limits of its axis, and the one reference it shows, or None for all."""

    metric: str
    variant: str
    label: str
    limits: tuple[float, float] | None = None
    reference: str | None = None

    @property
    def measure(self):
        """The declaration of the metric."""
        return measure_of(self.metric)

    @property
    def factor(self):
        """What values are multiplied by: rates are shown in per cent."""
        return 100 if self.measure.is_rate else 1

    def rows(self, table):
        """The rows of a tidy table that this panel shows."""
        own = table[(table["metric"] == self.metric) & (table["variant"] == self.variant)]
        return own if self.reference is None else own[own["reference"] == self.reference]


def panel(metric, variant="", name=None, unit="%", limits=None, reference=None):
    """A panel whose label is the measure's name, or another one, with the unit where it is a rate."""
    measure = measure_of(metric)
    label = (name or measure.name) + (f" ({unit})" if measure.is_rate else "")
    return Panel(metric, variant, label, limits, reference)


def agreement(method):
    """Agreement with people: RSA and odd-one-out accuracy."""
    return [panel("rsa", method, f"RSA ({method.capitalize()} correlation)"), panel("odd_one_out")]


def matching(top_k):
    """Unsupervised alignment: objects (top-k) and categories."""
    objects = [panel(MATCHING.metric, f"top{k}", f"top-{k} matching", limits=RATE) for k in sorted(top_k)]
    return [*objects, panel(CATEGORY_MATCHING.metric, f"top{min(top_k)}", limits=RATE)]


def category_matching(k):
    """Category matching with and without the objects of no category."""
    names = ("without “others”", "with “others”", "any of its categories")
    return [
        panel(measure.metric, f"top{k}", name, limits=RATE)
        for measure, name in zip(PLAN_MEASURES[1:], names, strict=True)
    ]


def clustering(table):
    """Clusters against the categories and against the clusters of people."""
    return [
        panel("clustering", "ami", f"AMI with {_plain(reference)}", reference=reference)
        for reference in dict.fromkeys(table.loc[table["metric"] == "clustering", "reference"])
    ]


def _plain(reference):
    return reference if reference == CATEGORIES else shown(reference)


def layers(method):
    """The layer ablation: objects, categories and RSA over depth."""
    return [
        panel(MATCHING.metric, "top1"),
        panel(CATEGORY_MATCHING.metric, "top1"),
        panel("rsa", method, f"RSA ({method.capitalize()})"),
    ]


def effects(method):
    """The measures whose paradigm effects are drawn."""
    return [
        panel(MATCHING.metric, "top1", unit="points"),
        panel(CATEGORY_MATCHING.metric, "top1", unit="points"),
        panel("rsa", method),
        panel("odd_one_out", name="odd-one-out", unit="points"),
    ]


def main_measures(table):
    """A panel for each main measure of a tidy table, and reference where there are several, in a fixed order."""
    found = []
    for measure in in_role("main"):
        own = headline_rows(table, [measure])
        references = list(dict.fromkeys(own["reference"]))
        for variant in dict.fromkeys(own["variant"]):
            for reference in references:
                name = measure.name + (f", {shown(reference)}" if len(references) > 1 else "")
                found.append(panel(measure.metric, variant, name, reference=reference))
    return found
