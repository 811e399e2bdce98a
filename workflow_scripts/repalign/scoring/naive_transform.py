"""Odd-one-out accuracy before and after a transform, as rows of the tidy table."""

import numpy as np

from repalign.odd_one_out import CHANCE, correct_triplets
from repalign.scoring.odd_one_out import JUDGES
from repalign.scoring.rows import score_table
from repalign.statistics import odd_one_out_samples, percentile_interval


def transform_scores(model, layer, embedding, transformed, triplets, transform, *, n_boot, confidence, seed):
    """Rows of one transformed layer.

    Parameters
    ----------
    model, layer : str
    embedding, transformed : (n, d) arrays, the embedding before and after the transform
    triplets : (m, 3) int array
    transform : repalign.naive_transform.transform.NaiveTransform
    n_boot, confidence, seed : see `repalign.statistics`; intervals are over objects, those of changes paired

    Returns
    -------
    data frame: `odd_one_out_naive` (centred cosine, all triplets, those it was fitted on) and its `_change` from the
    original; `odd_one_out_naive_held_out` (centred cosine, transforms fitted on other objects), `odd_one_out_held_out`
    (no transform, the same triplets) and `odd_one_out_naive_held_out_change` between them
    """
    held_out = transform.held_out
    status = "ok" if transform.converged and held_out.converged else "not converged"
    shared = {"model": model, "layer": layer, "human": JUDGES, "seed": seed, "status": status}
    correct = np.stack([correct_triplets(x, triplets) for x in (embedding, transformed)])
    answers = held_out.answers
    on_others = np.stack([answers.original, answers.transformed])
    boot = {"n_boot": n_boot, "confidence": confidence, "seed": seed}
    rows = change_rows((None, "odd_one_out_naive"), correct, triplets, len(embedding), **boot)
    names = ("odd_one_out_held_out", "odd_one_out_naive_held_out")
    rows += change_rows(names, on_others, answers.triplets, len(embedding), **boot)
    return score_table([shared | row for row in rows])


def change_rows(metrics, correct, triplets, n_objects, *, n_boot, confidence, seed):
    """The accuracies of two embeddings on the same triplets, and the paired change from the first to the second.

    Parameters
    ----------
    metrics : names of the two accuracies; None leaves the first one out. The change is the second with `_change`
    correct : (2, m) boolean array
    triplets, n_objects, n_boot, confidence, seed : see `repalign.statistics.odd_one_out_samples`

    Returns
    -------
    list of dict with metric, value, ci_low, ci_high, chance (not of a change) and n
    """
    samples = odd_one_out_samples(correct, triplets, n_objects, n_boot=n_boot, seed=seed)
    values = correct.mean(axis=1)
    found = [(metrics[0], values[0], samples[0]), (metrics[1], values[1], samples[1])]
    found.append((f"{metrics[1]}_change", values[1] - values[0], samples[1] - samples[0]))
    rows = []
    for metric, value, drawn in found:
        if metric is not None:
            low, high = percentile_interval(drawn, confidence)
            row = {
                "metric": metric,
                "value": float(value),
                "ci_low": low,
                "ci_high": high,
                "n": correct.shape[1],
            }
            rows.append(row if metric.endswith("_change") else row | {"chance": CHANCE})
    return rows
