"""Odd-one-out accuracy before and after a transform, as rows of the tidy table."""

from repalign.odd_one_out import CHANCE, correct_triplets
from repalign.scoring.odd_one_out import JUDGES
from repalign.scoring.rows import score_table
from repalign.statistics import odd_one_out_interval


def transform_scores(model, layer, transformed, triplets, transform, *, n_boot, confidence, seed):
    """Rows of one transformed layer.

    Parameters
    ----------
    model, layer : str
    transformed : (n, d) array, the embedding after the transform
    triplets : (m, 3) int array
    transform : repalign.naive_transform.transform.NaiveTransform
    n_boot, confidence, seed : see `repalign.statistics`

    Returns
    -------
    data frame: `odd_one_out_naive` (centred cosine, all triplets, those it was fitted on), `odd_one_out_naive_held_out`
    (centred cosine, transforms fitted on other objects) and `odd_one_out_held_out` (no transform, the same triplets)
    """
    correct = correct_triplets(transformed, triplets)
    low, high = odd_one_out_interval(
        correct, triplets, len(transformed), n_boot=n_boot, confidence=confidence, seed=seed
    )
    held_out = transform.held_out
    shared = {"model": model, "layer": layer, "human": JUDGES, "chance": CHANCE, "seed": seed}
    shared["status"] = "ok" if transform.converged and held_out.converged else "not converged"
    return score_table(
        [
            {**shared, "metric": "odd_one_out_naive", "value": float(correct.mean()), "n": len(triplets)}
            | {"ci_low": low, "ci_high": high},
            {
                **shared,
                "metric": "odd_one_out_naive_held_out",
                "value": held_out.accuracy_cosine,
                "n": held_out.n,
            },
            {**shared, "metric": "odd_one_out_held_out", "value": held_out.baseline, "n": held_out.n},
        ]
    )
