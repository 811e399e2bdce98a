"""Data of the figures of geometry: objects in the plane, ranked dissimilarities, similarity of all systems."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.labels import paradigm_order
from repalign.measures.rdm import upper_triangle
from repalign.measures.registry import (
    CATEGORY_MATCHING,
    MATCHING,
    from_model_to_human,
    headline_rows,
    measure_of,
)
from repalign.measures.rsa import ranks
from repalign.storage.score_table import column_name

# Columns of `gwot_map.parquet`: each rate, and the same rate in the other direction.
RATES = {
    column_name(measure.metric, "top1"): column_name(from_model_to_human(measure).metric, "top1")
    for measure in (MATCHING, CATEGORY_MATCHING)
}


def object_map(rdm, seed=0):
    """Coordinates of objects in the plane by t-SNE, started from classical scaling.

    Parameters
    ----------
    rdm : (n, n) array of dissimilarities
    seed : int

    Returns
    -------
    (n, 2) array, scaled to the unit square.
    """
    from sklearn.manifold import TSNE

    start = classical_scaling(rdm, 2)
    start = 1e-4 * start / start[:, 0].std()
    perplexity = min(30, (len(rdm) - 1) / 3)
    place = TSNE(perplexity=perplexity, metric="precomputed", init=start, random_state=seed, n_jobs=1)
    found = place.fit_transform(np.maximum(rdm, 0))
    return (found - found.min(axis=0)) / np.ptp(found, axis=0)


def classical_scaling(rdm, dimensions=2):
    """Classical multidimensional scaling (Torgerson 1952): (n, dimensions) coordinates, largest spread first."""
    from sklearn.manifold import ClassicalMDS

    rdm = np.asarray(rdm, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        # Rounding can make the tiny distance of two almost equal systems differ between both directions.
        found = ClassicalMDS(n_components=dimensions, metric="precomputed").fit_transform((rdm + rdm.T) / 2)
    # Rounding can also make the eigenvalue of a dimension without spread negative, and its root NaN.
    return np.nan_to_num(found)


def rank_matrix(rdm):
    """Dissimilarities as ranks among all pairs, from 0 (closest pair) to 1; symmetric, with a zero diagonal."""
    values = ranks(upper_triangle(rdm))
    matrix = np.zeros_like(np.asarray(rdm), dtype=np.float64)
    matrix[np.triu_indices(len(matrix), k=1)] = (values - 1) / max(len(values) - 1, 1)
    return matrix + matrix.T


def similarity_of_systems(ranked):
    """Spearman correlation of every two dissimilarity matrices.

    Parameters
    ----------
    ranked : dict of name to the ranks of one upper triangle (a vector), of the same objects

    Returns
    -------
    data frame with one row per ordered pair: first, second, rsa
    """
    names = list(ranked)
    values = np.corrcoef(np.array([ranked[name] for name in names]))
    rows, columns = np.indices(values.shape).reshape(2, -1)
    return pd.DataFrame(
        {"first": [names[i] for i in rows], "second": [names[j] for j in columns], "rsa": values.ravel()}
    )


def matching_of_systems(alignments):
    """Top-1 matching of objects and of categories between every two systems, in both directions.

    Parameters
    ----------
    alignments : data frame, `aggregate/gwot_map.parquet`: one row per unordered pair

    Returns
    -------
    data frame with one row per ordered pair: first, second, gwot_top1, gwot_category_top1
    """
    forth = alignments[["source", "target", *RATES]]
    back = alignments[["target", "source", *RATES.values()]]
    both = [rows.set_axis(["first", "second", *RATES], axis=1) for rows in (forth, back)]
    return pd.concat(both, ignore_index=True)


def choose_models(table, human, metric):
    """The model with the highest score of every paradigm, in the order of the figures; people left out."""
    own = headline_rows(table, [measure_of(metric)])
    own = own[(own["reference"] == human) & (own["status"] == "ok")]
    own = own[own["paradigm"] != "human"]
    if own.empty:
        raise InputError(f"There is no {measure_of(metric).name} of any model against {human} to choose by.")
    best = own.loc[own.groupby("paradigm")["value"].idxmax()].set_index("paradigm")
    return list(best.loc[paradigm_order(own["paradigm"]), "model"])
