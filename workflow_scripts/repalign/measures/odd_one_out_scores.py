"""Odd-one-out accuracy of every layer of a model, and of two embeddings on the same triplets."""

from repalign.measures.odd_one_out import CHANCE, accuracy, correct_triplets, similarity_matrix
from repalign.measures.odd_one_out_intervals import odd_one_out_interval, odd_one_out_samples
from repalign.statistics.bootstrap import percentile_interval
from repalign.storage.score_table import score_table

JUDGES = "triplets"
INTERVALS = {"objects": "odd_one_out", "triplets": "odd_one_out_over_triplets"}


def odd_one_out_scores(model, embeddings, objects, triplets, *, similarity, centre, n_boot, confidence, seed):
    """Accuracy with intervals over objects and over triplets, and the share of triplets that a layer leaves tied.

    Parameters
    ----------
    model : str
    embeddings : repalign.inputs.representations.Embeddings
    objects : names that the triplets index
    triplets : (n, 3) int array, the kept pair first
    similarity, centre : see `repalign.measures.odd_one_out.accuracy`
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`

    Returns
    -------
    data frame with three rows a layer: `odd_one_out` (its interval is over objects), `odd_one_out_over_triplets` (the
    same accuracy, its interval over judgements about these objects) and `odd_one_out_ties`; `human` is 'triplets'
    """
    rows = []
    for layer in embeddings.layers:
        matrix = similarity_matrix(embeddings.of(layer, objects), similarity, centre)
        result = accuracy(matrix, triplets, "precomputed")
        correct = correct_triplets(matrix, triplets, "precomputed")
        boot = {"n_boot": n_boot, "confidence": confidence, "seed": seed}
        shared = {"model": model, "layer": layer, "human": JUDGES, "n": result.n, "seed": seed}
        for over, metric in INTERVALS.items():
            low, high = odd_one_out_interval(correct, triplets, len(objects), over, **boot)
            rows.append(
                {
                    **shared,
                    "metric": metric,
                    "value": result.accuracy,
                    "ci_low": low,
                    "ci_high": high,
                    "chance": CHANCE,
                }
            )
        rows.append({**shared, "metric": "odd_one_out_ties", "value": result.n_ties / result.n})
    return score_table(rows)


def change_rows(metrics, correct, triplets, n_objects, *, n_boot, confidence, seed):
    """The accuracies of two embeddings on the same triplets, and the paired change from the first to the second.

    Parameters
    ----------
    metrics : names of the two accuracies; None leaves the first one out. The change is the second with `_change`
    correct : (2, m) boolean array
    triplets, n_objects, n_boot, confidence, seed : see `repalign.statistics.bootstrap.odd_one_out_samples`

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
