"""Maps that figures draw: objects in two dimensions, dissimilarity matrices in few cells, models among models."""

import numpy as np
import pandas as pd

from repalign.errors import InputError
from repalign.labels import paradigm_order
from repalign.measures.rdm import upper_triangle
from repalign.measures.rsa import ranks


def object_map(rdm, seed=0):
    """Place objects in the plane so that neighbours stay neighbours (t-SNE, started from classical scaling).

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
    centred = -0.5 * np.asarray(rdm, dtype=np.float64) ** 2
    centred = centred - centred.mean(axis=0) - centred.mean(axis=1)[:, None] + centred.mean()
    values, vectors = np.linalg.eigh(centred)
    last = np.argsort(-values)[:dimensions]
    # The sign of an eigenvector is arbitrary: fix it, so that equal data gives equal maps.
    sign = np.sign(vectors[np.abs(vectors[:, last]).argmax(axis=0), last])
    return vectors[:, last] * sign * np.sqrt(np.maximum(values[last], 0))


def transported(plan, positions):
    """Where a plan puts the model's objects on the human map: (n, 2) means of positions, weighted by mass.

    Parameters
    ----------
    plan : (n, n) array, rows human, columns model
    positions : (n, 2) array of the human's objects
    """
    plan = np.asarray(plan, dtype=np.float64)
    return plan.T @ positions / plan.sum(axis=0)[:, None]


def pooled(matrix, order, cells=150):
    """A square matrix in a new order, its cells averaged to at most `cells` a side."""
    matrix = np.asarray(matrix, dtype=np.float64)[np.ix_(order, order)]
    n = len(matrix)
    starts = np.arange(min(n, cells)) * n // min(n, cells)
    sizes = np.diff(np.r_[starts, n])
    sums = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
    return sums / np.outer(sizes, sizes)


def rank_shares(rdm):
    """The matrix of ranks of the upper triangle, from 0 (closest pair) to 1; zero diagonal."""
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
    rates = ["gwot_top1", "gwot_category_top1"]
    forth = alignments.rename(columns={"source": "first", "target": "second"})
    back = alignments[["target", "source", *(f"{rate}_columns" for rate in rates)]]
    back = back.set_axis(["first", "second", *rates], axis=1)
    return pd.concat([forth[["first", "second", *rates]], back], ignore_index=True)


def choose_models(table, human, metric):
    """The model with the highest score of every paradigm, in the order of the figures; people left out."""
    own = table[(table["metric"] == metric) & (table["human"] == human) & (table["status"] == "ok")]
    own = own[own["paradigm"] != "human"]
    if own.empty:
        raise InputError(f"There is no {metric} of any model against {human} to choose by.")
    best = own.loc[own.groupby("paradigm")["value"].idxmax()].set_index("paradigm")
    return list(best.loc[paradigm_order(own["paradigm"]), "model"])


def category_order(category):
    """Indices that sort objects by category, `others` last, and keep their order within."""
    category = np.asarray(category, dtype=str)
    return np.lexsort((np.arange(len(category)), category, category == "others"))
