"""CKA and mutual nearest neighbours of every layer with every human embedding."""

from repalign.measures.cka import ResampledCka, linear_cka
from repalign.measures.neighbours import mutual_neighbours, mutual_neighbours_interval
from repalign.storage.score_table import score_table


def similarity_scores(model, embeddings, humans, *, n_neighbours, metric, n_boot, confidence, seed):
    """Similarity measures that need two embeddings; humans known by dissimilarities alone are skipped.

    Parameters
    ----------
    model : str
    embeddings : repalign.inputs.representations.Embeddings
    humans : dict of str to repalign.inputs.representations.System
    n_neighbours, metric : see `repalign.measures.neighbours.shared_neighbours`
    n_boot, confidence, seed : see `repalign.statistics.bootstrap`, for CKA, and `repalign.statistics.subsampling`

    Returns
    -------
    data frame with the metrics `cka` (debiased, linear) and `mutual_neighbours`
    """
    rows = []
    for name, human in humans.items():
        if human.kind != "embedding":
            continue
        resampled = ResampledCka(human.array, n_boot=n_boot, seed=seed)
        for layer in embeddings.layers:
            embedding = embeddings.rows(layer, human.objects)
            shared = {
                "model": model,
                "layer": layer,
                "reference": name,
                "n": len(human.objects),
                "seed": seed,
            }
            low, high = resampled.interval(embedding, confidence)
            rows.append(
                {
                    **shared,
                    "metric": "cka",
                    "value": linear_cka(embedding, human.array),
                    "ci_low": low,
                    "ci_high": high,
                    "chance": 0.0,
                }
            )
            pair = (embedding, human.array, n_neighbours, metric)
            low, high = mutual_neighbours_interval(*pair, confidence=confidence, seed=seed)
            rows.append(
                {
                    **shared,
                    "metric": "mutual_neighbours",
                    "value": mutual_neighbours(*pair),
                    "ci_low": low,
                    "ci_high": high,
                    "chance": n_neighbours / (len(human.objects) - 1),
                }
            )
    return score_table(rows)
