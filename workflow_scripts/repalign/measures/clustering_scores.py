"""How far the clusters of every layer fall together with categories and with people's clusters."""

import numpy as np

from repalign.inputs.things import OTHERS
from repalign.measures.clustering import agreement, agreement_interval, chance_agreement, clusters
from repalign.storage.score_table import CATEGORIES, score_table


def clustering_scores(model, embeddings, concepts, humans, *, n_init, confidence, seed):
    """Adjusted mutual information of k-means clusters, k = number of categories.

    Parameters
    ----------
    model : str
    embeddings : repalign.inputs.representations.Embeddings
    concepts : data frame with the columns object and category; objects in `others` are left out of the comparison
        with categories, not of that with people
    humans : dict of str to repalign.inputs.representations.System; dissimilarity matrices, which have no clusters, are
        skipped
    n_init, confidence, seed : see `repalign.measures.clustering`

    Returns
    -------
    data frame of the metric `clustering`, variant `ami`; reference: 'categories', and every human embedding
    """
    named = concepts[concepts["category"] != OTHERS]
    k = named["category"].nunique()
    expected = {CATEGORIES: (tuple(named["object"]), named["category"].to_numpy())}
    for name, human in humans.items():
        if human.kind == "embedding":
            expected[name] = (human.objects, clusters(human.array, k, n_init, seed))
    rows = []
    for layer in embeddings.layers:
        for name, (objects, labels) in expected.items():
            embedding = embeddings.rows(layer, objects)
            found = clusters(embedding, k, n_init, seed)
            low, high = agreement_interval(embedding, found, labels, confidence=confidence, seed=seed)
            rows.append(
                {
                    **{"model": model, "layer": layer, "reference": name},
                    **{"metric": "clustering", "variant": "ami"},
                    **{"value": agreement(found, labels), "ci_low": low, "ci_high": high},
                    **{
                        "chance": chance_agreement(found, np.asarray(labels), seed=seed),
                        "n": len(labels),
                        "seed": seed,
                    },
                }
            )
    return score_table(rows)
