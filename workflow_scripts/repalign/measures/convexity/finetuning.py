"""What fine-tuning changes in a layer, as rows of the tidy table."""

import numpy as np

from repalign.errors import InputError
from repalign.measures.convexity.graph import graph_convexity
from repalign.measures.convexity.intervals import graph_convexity_samples
from repalign.measures.convexity.scores import MEMBERSHIPS, category_members, study_memberships
from repalign.measures.odd_one_out import correct_triplets
from repalign.measures.odd_one_out_scores import change_rows
from repalign.statistics.subsampling import subsampling_interval
from repalign.storage.score_table import CATEGORIES, score_table

CHANGE = "finetuning_change"


def finetuning_scores(
    model, layer, behaviour, triplets, points, concepts, objects, settings, *, confidence, seed
):
    """Change of odd-one-out accuracy and convexity from a model to its fine-tuned version, paired over objects.

    Parameters
    ----------
    model, layer : str, the pretrained model and its layer
    behaviour : two (n, d) arrays, before and after, of the objects that the triplets index
    triplets : (m, 3) int array
    points : two (p, d) arrays, before and after, of the points of the convexity study
    concepts, objects, settings : see `repalign.measures.convexity.scores.convexity_scores`
    confidence, seed : see `repalign.statistics.subsampling`

    Returns
    -------
    data frame with the variant `finetuning_change` of the metrics `odd_one_out` and `convexity`
    """
    if len(points[0]) != len(points[1]):
        raise InputError(
            f"{model} and its fine-tuned version describe {len(points[0])} and {len(points[1])} images; extract "
            "both from the same image set."
        )
    correct = np.stack([correct_triplets(x, triplets) for x in behaviour])
    rows = change_rows((None, None, CHANGE), correct, triplets, len(behaviour[0]), confidence=confidence)
    memberships = study_memberships(settings["categories"])[0]
    members, _ = category_members(concepts, objects, MEMBERSHIPS[memberships])
    inside = members.any(axis=1)
    members, means, samples = members[inside], [], []
    own = (members, settings["n_neighbours"], settings["pairs"], seed)
    for features in points:
        means.append(graph_convexity(features[inside], *own, metric=settings["metric"]).mean)
        drawn, m = graph_convexity_samples(features[inside], *own, metric=settings["metric"])
        samples.append(drawn[:, -1])
    low, high = subsampling_interval(
        means[1] - means[0], samples[1] - samples[0], len(members), m, confidence, bounds=(-1, 1)
    )
    change = {
        "metric": "convexity",
        "variant": CHANGE,
        "reference": CATEGORIES,
        "value": means[1] - means[0],
        "ci_low": low,
        "ci_high": high,
    }
    rows.append(change | {"n": len(members)})
    return score_table([{"model": model, "layer": layer, "seed": seed} | row for row in rows])
