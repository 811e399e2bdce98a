"""Exact nearest neighbours, and the share of them that two embeddings have in common."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from repalign.errors import InputError
from repalign.measures.rdm import unit_rows
from repalign.statistics.intervals import NO_INTERVAL
from repalign.statistics.subsampling import N_SUBSETS, subsampling_interval, subsets

# Bytes of one block of rows of the distance matrix, and of one block of differences, which should fit the cache.
BLOCK_BYTES = 64 * 2**20
CACHE_BYTES = 2**20

METRICS = ("euclidean", "cosine", "correlation")


def _prepared(features: ArrayLike, metric: str) -> NDArray[np.float64]:
    """Rows whose Euclidean distances order points as the metric does, centred for precision."""
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise InputError(
            f"Nearest neighbours need finite features of shape (n, d), but these have shape {x.shape} or hold NaN or "
            "infinity; drop or repair such rows."
        )
    if metric not in METRICS:
        raise InputError(f"Unknown neighbour metric '{metric}'; choose one of {', '.join(METRICS)}.")
    if metric != "euclidean":
        x = unit_rows(x, metric)
    return x - x.mean(axis=0)


def _duplicate_groups(x: NDArray) -> NDArray[np.intp]:
    """(n,) numbers, the same for equal rows."""
    # Adding 0 turns -0 into 0, so that equal rows have equal bytes.
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in x + 0.0])


def nearest_neighbours(
    features: ArrayLike, n_neighbours: int, metric: str = "euclidean", exclude_duplicates: bool = True
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest other points of every point, exactly.

    A matrix product finds candidates. Their distances are then computed from differences of features, so that they
    are precise and exactly symmetric. Equal distances are ordered by index.

    Parameters
    ----------
    features : (n, d) array
    n_neighbours : int
        At most n - 1.
    metric : str
        `euclidean`, `cosine` or `correlation` (1 - the correlation over features).
    exclude_duplicates : bool
        Leave out points with exactly the same features, not only the point itself.

    Returns
    -------
    indices : (n, n_neighbours) int array, nearest first
    distances : (n, n_neighbours) float64 array
        Infinite where duplicates leave fewer than `n_neighbours` other points.

    Raises
    ------
    InputError
        Too few points, features that are not finite, an unknown metric; a row of zeros under `cosine`, or a constant
        one under `correlation`.
    """
    x = _prepared(features, metric)
    n = len(x)
    if not 1 <= n_neighbours < n:
        raise InputError(
            f"The number of nearest neighbours must lie between 1 and {n - 1} for {n} points, but is {n_neighbours}."
        )
    groups = _duplicate_groups(x)
    has_duplicates = groups.max() + 1 < n
    squares = np.einsum("ij,ij->i", x, x)
    # Rounding in the product may leave out a candidate nearly as close as the last one: take a few more.
    n_candidates = min(n - 1, n_neighbours + 8)
    block = max(1, BLOCK_BYTES // (8 * n))
    indices, distances = np.empty((n, n_neighbours), dtype=np.intp), np.empty((n, n_neighbours))
    for start in range(0, n, block):
        rows = np.arange(start, min(start + block, n))
        approximate = squares - 2 * (x[rows] @ x.T)
        approximate[rows - start, rows] = np.inf
        if has_duplicates and exclude_duplicates:
            approximate[groups[rows, None] == groups] = np.inf
        candidates = np.sort(np.argpartition(approximate, n_candidates - 1, axis=1)[:, :n_candidates], axis=1)
        exact = _squared_distances(x, rows, candidates)
        exact[np.isinf(np.take_along_axis(approximate, candidates, axis=1))] = np.inf
        nearest = np.argsort(exact, axis=1, kind="stable")[:, :n_neighbours]
        indices[rows] = np.take_along_axis(candidates, nearest, axis=1)
        distances[rows] = np.take_along_axis(exact, nearest, axis=1)
    # Between unit vectors, 1 - cosine is half the squared distance.
    return indices, np.sqrt(distances) if metric == "euclidean" else distances / 2


def _squared_distances(x: NDArray, rows: NDArray, candidates: NDArray) -> NDArray[np.float64]:
    """(len(rows), n_candidates) squared distances, from differences."""
    squared = np.empty(candidates.shape)
    step = max(1, CACHE_BYTES // (8 * candidates.shape[1] * x.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        difference = x[candidates[part]]
        difference -= x[rows[part], None]
        np.einsum("ijk,ijk->ij", difference, difference, out=squared[part])
    return squared


def shared_neighbours(
    a: NDArray,
    b: NDArray,
    n_neighbours: int = 10,
    metric: str = "cosine",
    clip_quantile: float | None = None,
) -> NDArray[np.float64]:
    """Share of every object's nearest neighbours that two embeddings have in common [1].

    Parameters
    ----------
    a, b : (n, d_a), (n, d_b) arrays
        The same objects in the same order.
    n_neighbours : int
    metric : str
        See `nearest_neighbours`.
    clip_quantile : float, optional
        Clip the features of each embedding first (see `clip_outliers`); the published protocol [1] has 0.95.

    Returns
    -------
    (n,) array in [0, 1]; the chance is n_neighbours / (n - 1), the mean is the mutual k-nearest-neighbour alignment

    References
    ----------
    [1] Huh, Cheung, Wang & Isola (2024), The Platonic representation hypothesis, ICML.
    """
    if len(a) != len(b):
        raise InputError(
            f"Both embeddings need the same objects in the same order, but they have {len(a)} and {len(b)} rows."
        )
    if clip_quantile is not None:
        a, b = clip_outliers(a, clip_quantile), clip_outliers(b, clip_quantile)
    first, second = (_membership(x, n_neighbours, metric) for x in (a, b))
    return (first & second).sum(axis=1) / n_neighbours


def clip_outliers(features: NDArray, clip_quantile: float) -> NDArray:
    """Features cut at plus and minus a quantile of their absolute values, one quantile for all of them."""
    if not 0 < clip_quantile <= 1:
        raise InputError(
            f"The quantile to clip at must lie between 0 and 1, not {clip_quantile}; write 0.95."
        )
    bound = np.quantile(np.abs(features), clip_quantile)
    return np.clip(features, -bound, bound)


def mutual_neighbours(
    a: NDArray,
    b: NDArray,
    n_neighbours: int = 10,
    metric: str = "cosine",
    clip_quantile: float | None = None,
) -> float:
    """Mutual k-nearest-neighbour alignment: the mean of `shared_neighbours`."""
    return float(shared_neighbours(a, b, n_neighbours, metric, clip_quantile).mean())


def mutual_neighbours_interval(
    a: NDArray,
    b: NDArray,
    n_neighbours: int = 10,
    metric: str = "cosine",
    clip_quantile: float | None = None,
    *,
    n_subsets: int = N_SUBSETS,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of `mutual_neighbours` over objects, whose neighbours are found anew in every subset.

    Parameters
    ----------
    a, b, n_neighbours, metric, clip_quantile
        As in `shared_neighbours`.
    n_subsets, confidence, seed
        See `repalign.statistics.subsampling`.

    Returns
    -------
    (low, high) : floats in [0, 1]; NaN where the subsets have too few objects for the neighbours
    """
    n = len(a)
    value = mutual_neighbours(a, b, n_neighbours, metric, clip_quantile)
    drawn = subsets(n, n_subsets, seed=seed)
    m = drawn.shape[1]
    if n_neighbours >= m:
        return NO_INTERVAL
    if clip_quantile is not None:
        a, b = clip_outliers(a, clip_quantile), clip_outliers(b, clip_quantile)
    # More than half of a list lie in a subset, so its first entries hold the nearest neighbours within every subset.
    length = min(n - 1, 3 * n_neighbours + 20)
    lists = [nearest_neighbours(x, length, metric, exclude_duplicates=False)[0] for x in (a, b)]
    samples = np.array([_shared_within(lists, indices, n_neighbours) for indices in drawn])
    return subsampling_interval(value, samples, n, m, confidence, bounds=(0, 1))


def _shared_within(lists: list[NDArray], indices: NDArray, n_neighbours: int) -> float:
    """`mutual_neighbours` of a subset of the objects, from the full lists of their nearest neighbours."""
    n = len(lists[0])
    inside = np.zeros(n, dtype=bool)
    inside[indices] = True
    member = []
    for neighbours in lists:
        present = inside[neighbours[indices]]
        nearest = present & (np.cumsum(present, axis=1) <= n_neighbours)
        table = np.zeros((len(indices), n), dtype=bool)
        np.put_along_axis(table, neighbours[indices], nearest, axis=1)
        member.append(table)
    return float((member[0] & member[1]).sum() / (len(indices) * n_neighbours))


def _membership(features: NDArray, n_neighbours: int, metric: str) -> NDArray[np.bool_]:
    """(n, n) whether object j is among the nearest neighbours of object i."""
    indices, _ = nearest_neighbours(features, n_neighbours, metric, exclude_duplicates=False)
    member = np.zeros((len(indices), len(indices)), dtype=bool)
    np.put_along_axis(member, indices, True, axis=1)
    return member
