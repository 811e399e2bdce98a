"""What fine-tuning changes in a layer, as rows of the tidy table."""

import numpy as np

from repalign.errors import InputError
from repalign.measures.convexity.graph import graph_convexity
from repalign.measures.convexity.intervals import convexity_samples, layer_samples
from repalign.measures.convexity.scores import MEMBERSHIPS, category_members, study_memberships
from repalign.measures.odd_one_out import correct_triplets
from repalign.measures.odd_one_out_scores import change_rows
from repalign.statistics.bootstrap import percentile_interval
from repalign.storage.score_table import CATEGORIES, score_table

CHANGE = "finetuning_change"


def finetuning_scores(
    model, layer, behaviour, triplets, points, concepts, objects, settings, *, n_boot, confidence, seed
):
    """Change of odd-one-out accuracy and convexity from a model to its fine-tuned version, paired over objects.

    Parameters
    ----------
    model, layer : str, the pretrained model and its layer
    behaviour : two (n, d) arrays, before and after, of the objects that the triplets index
    triplets : (m, 3) int array
    points : two (p, d) arrays, before and after, of the points of the convexity study
    concepts, objects, settings : see `repalign.measures.convexity.scores.convexity_scores`
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`

    Returns
    -------
    data frame with the variant `finetuning_change` of the metrics `odd_one_out` and `convexity`
    """
    if len(points[0]) != len(points[1]):
        raise InputError(
            f"{model} and its fine-tuned version describe {len(points[0])} and {len(points[1])} images; extract "
            "both from the same image set."
        )
    boot = {"n_boot": n_boot, "confidence": confidence, "seed": seed}
    correct = np.stack([correct_triplets(x, triplets) for x in behaviour])
    rows = change_rows((None, None, CHANGE), correct, triplets, len(behaviour[0]), **boot)
    memberships = study_memberships(settings["categories"])[0]
    members, classes = category_members(concepts, objects, MEMBERSHIPS[memberships])
    inside = members.any(axis=1)
    members, means, samples = members[inside], [], []
    for features in points:
        result = graph_convexity(
            features[inside],
            members,
            settings["n_neighbours"],
            settings["pairs"],
            seed,
            metric=settings["metric"],
            classes=classes,
            keep_pairs=True,
        )
        means.append(result.mean)
        samples.append(layer_samples(convexity_samples(result.pairs, members, n_boot=n_boot, seed=seed)))
    low, high = percentile_interval(samples[1] - samples[0], confidence)
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
