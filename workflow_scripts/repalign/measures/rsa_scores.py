"""RSA of every layer of a model with every human representation."""

import numpy as np

from repalign.measures.rdm import dissimilarity
from repalign.measures.rsa import compare, rsa_interval
from repalign.storage.score_table import score_table


def rsa_scores(model, embeddings, humans, *, metric, method, confidence, seed):
    """Correlation of dissimilarities, with intervals over objects.

    Parameters
    ----------
    model : str
    embeddings : repalign.inputs.representations.Embeddings
    humans : dict of str to repalign.inputs.representations.System
    metric, method : see `repalign.measures.rdm.dissimilarity` and `repalign.measures.rsa.compare`
    confidence : see `repalign.measures.rsa.rsa_interval`; `kendall` has no interval
    seed : of the study, for the column of that name

    Returns
    -------
    data frame with one row per layer and human (column `reference`), the variant being the method; chance is 0
    """
    rows = []
    for human_name, human in humans.items():
        human_rdm = human.rdm(metric)
        for layer in embeddings.layers:
            rdm = dissimilarity(embeddings.rows(layer, human.objects), metric)
            low, high = np.nan, np.nan
            if method != "kendall":
                low, high = rsa_interval(human_rdm, rdm, method, confidence=confidence)
            rows.append(
                {
                    "model": model,
                    "layer": layer,
                    "reference": human_name,
                    "metric": "rsa",
                    "variant": method,
                    "value": compare(human_rdm, rdm, method),
                    "ci_low": low,
                    "ci_high": high,
                    "chance": 0.0,
                    "n": len(human.objects),
                    "seed": seed,
                }
            )
    return score_table(rows)
