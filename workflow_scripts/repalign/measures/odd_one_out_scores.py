"""Odd-one-out accuracy of every layer of a model, and of two embeddings on the same triplets."""

from repalign.measures.odd_one_out import CHANCE, accuracy, correct_triplets, similarity_matrix
from repalign.measures.odd_one_out_intervals import change_interval, odd_one_out_interval
from repalign.storage.score_table import TRIPLETS, score_table

# The variant of the accuracy, by what its interval is over.
INTERVALS = {"objects": "", "triplets": "over_triplets"}


def odd_one_out_scores(model, embeddings, objects, triplets, *, similarity, centre, confidence, seed):
    """Accuracy with intervals over objects and over triplets, and the share of triplets that a layer leaves tied.

    Parameters
    ----------
    model : str
    embeddings : repalign.inputs.representations.Embeddings
    objects : names that the triplets index
    triplets : (n, 3) int array, the kept pair first
    similarity, centre : see `repalign.measures.odd_one_out.accuracy`
    confidence : see `repalign.measures.odd_one_out_intervals`
    seed : of the study, for the column of that name

    Returns
    -------
    data frame with three rows a layer: `odd_one_out` (its interval is over objects), its variant `over_triplets` (the
    same accuracy, its interval over judgements about these objects) and `odd_one_out_ties`; reference 'triplets'
    """
    rows = []
    for layer in embeddings.layers:
        matrix = similarity_matrix(embeddings.rows(layer, objects), similarity, centre)
        result = accuracy(matrix, triplets, "precomputed")
        correct = correct_triplets(matrix, triplets, "precomputed")
        shared = {"model": model, "layer": layer, "reference": TRIPLETS, "n": result.n, "seed": seed}
        for over, variant in INTERVALS.items():
            low, high = odd_one_out_interval(correct, triplets, len(objects), over, confidence=confidence)
            rows.append(
                {
                    **shared,
                    "metric": "odd_one_out",
                    "variant": variant,
                    "value": result.accuracy,
                    "ci_low": low,
                    "ci_high": high,
                    "chance": CHANCE,
                }
            )
        rows.append({**shared, "metric": "odd_one_out_ties", "value": result.n_ties / result.n})
    return score_table(rows)


def change_rows(variants, correct, triplets, n_objects, *, confidence):
    """The accuracies of two embeddings on the same triplets, and the paired change from the first to the second.

    Parameters
    ----------
    variants : (str or None, str or None, str)
        Of `odd_one_out`, for the first accuracy, the second, and the change; None leaves one out.
    correct : (2, m) boolean array
    triplets, n_objects, confidence : see `repalign.measures.odd_one_out_intervals`; intervals are over objects

    Returns
    -------
    list of dict with metric, variant, reference, value, ci_low, ci_high, chance (not of a change) and n
    """
    own = {"triplets": triplets, "n_objects": n_objects, "confidence": confidence}
    values = correct.mean(axis=1)
    found = [
        *(
            (value, odd_one_out_interval(row, **own), {"chance": CHANCE})
            for value, row in zip(values, correct, strict=True)
        ),
        (values[1] - values[0], change_interval(*correct, **own), {}),
    ]
    rows = []
    for variant, (value, (low, high), chance) in zip(variants, found, strict=True):
        if variant is not None:
            rows.append(
                {
                    **{"metric": "odd_one_out", "variant": variant, "reference": TRIPLETS},
                    **{"value": float(value), "ci_low": low, "ci_high": high, "n": correct.shape[1]},
                    **chance,
                }
            )
    return rows
