"""Odd-one-out accuracy of every layer of a model."""

from repalign.odd_one_out import CHANCE, accuracy, correct_triplets, similarity_matrix
from repalign.scoring.rows import score_table
from repalign.statistics import odd_one_out_interval

JUDGES = "triplets"
INTERVALS = {"objects": "odd_one_out", "triplets": "odd_one_out_over_triplets"}


def odd_one_out_scores(model, embeddings, objects, triplets, *, similarity, centre, n_boot, confidence, seed):
    """Accuracy with intervals over objects and over triplets, and the share of triplets that a layer leaves tied.

    Parameters
    ----------
    model : str
    embeddings : repalign.representations.Embeddings
    objects : names that the triplets index
    triplets : (n, 3) int array, the kept pair first
    similarity, centre : see `repalign.odd_one_out.accuracy`
    n_boot, confidence, seed : see `repalign.statistics`

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
