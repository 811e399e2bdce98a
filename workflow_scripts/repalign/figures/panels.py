"""What the figures of scores show: the panels of each."""

from repalign.figures.forest import Panel
from repalign.labels import shown

RATE = (-3, 103)  # limits of an axis in per cent; points at either end are not cut


def agreement(method):
    """Agreement with people: RSA and odd-one-out accuracy."""
    return [
        Panel(f"rsa_{method}", f"RSA ({method.capitalize()} correlation)"),
        Panel("odd_one_out", "odd-one-out accuracy (%)", 100),
    ]


def matching(top_k):
    """Unsupervised alignment: objects (top-k) and categories."""
    objects = [Panel(f"gwot_top{k}", f"top-{k} matching (%)", 100, RATE) for k in sorted(top_k)]
    return [*objects, Panel(f"gwot_category_top{min(top_k)}", "category matching (%)", 100, RATE)]


def category_matching(k):
    """Category matching with and without the objects of no category."""
    tables = {
        "category": "without “others”",
        "category_others": "with “others”",
        "category_any": "any of its categories",
    }
    return [Panel(f"gwot_{name}_top{k}", f"{label} (%)", 100, RATE) for name, label in tables.items()]


def clustering(table):
    """Clusters against the categories and against the clusters of people."""
    humans = dict.fromkeys(table.loc[table["metric"] == "clustering_ami", "human"])
    return [
        Panel(
            "clustering_ami",
            f"AMI with {'categories' if human == 'categories' else shown(human)}",
            human=human,
        )
        for human in humans
    ]


def layers(method):
    """The layer ablation: objects, categories and RSA over depth."""
    return [
        Panel("gwot_top1", "object matching (%)", 100),
        Panel("gwot_category_top1", "category matching (%)", 100),
        Panel(f"rsa_{method}", f"RSA ({method.capitalize()})"),
    ]


def effects(method):
    """Axis label and factor of the measures whose paradigm effects are drawn."""
    return {
        "gwot_top1": ("object matching (points)", 100),
        "gwot_category_top1": ("category matching (points)", 100),
        f"rsa_{method}": ("RSA", 1),
        "odd_one_out": ("odd-one-out (points)", 100),
    }
