"""Odd-one-out accuracy before and after a transform, as rows of the tidy table."""

import numpy as np

from repalign.measures.odd_one_out import correct_triplets
from repalign.measures.odd_one_out_scores import change_rows
from repalign.storage.score_table import score_table


def transform_scores(model, layer, embedding, transformed, triplets, transform, *, confidence, seed):
    """Rows of one transformed layer.

    Parameters
    ----------
    model, layer : str
    embedding, transformed : (n, d) arrays, the embedding before and after the transform
    triplets : (m, 3) int array
    transform : repalign.naive_transform.transform.NaiveTransform
    confidence : of intervals over objects, see `repalign.measures.odd_one_out_intervals`
    seed : of the study, for the column of that name

    Returns
    -------
    data frame of the metric `odd_one_out`, variants: `naive` (centred cosine, all triplets, those it was fitted on) and
    `naive_change`, from the original; `naive_held_out` (centred cosine, transforms fitted on other objects), `held_out`
    (no transform, the same triplets) and `naive_held_out_change` between them
    """
    held_out = transform.held_out
    status = "ok" if transform.converged and held_out.converged else "not converged"
    shared = {"model": model, "layer": layer, "seed": seed, "status": status}
    correct = np.stack([correct_triplets(x, triplets) for x in (embedding, transformed)])
    answers = held_out.answers
    on_others = np.stack([answers.original, answers.transformed])
    rows = change_rows(
        (None, "naive", "naive_change"), correct, triplets, len(embedding), confidence=confidence
    )
    variants = ("held_out", "naive_held_out", "naive_held_out_change")
    rows += change_rows(variants, on_others, answers.triplets, len(embedding), confidence=confidence)
    return score_table([shared | row for row in rows])
