import numpy as np
import pytest
from repalign.errors import InputError
from repalign.measures.rdm import METRICS, dissimilarity, upper_triangle
from scipy.spatial.distance import cdist


def slow_triplet_choice(x):
    s, n = x @ x.T, len(x)
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                others = [k for k in range(n) if k not in (i, j)]
                kept = [
                    np.exp(s[i, j]) / (np.exp(s[i, j]) + np.exp(s[i, k]) + np.exp(s[j, k])) for k in others
                ]
                out[i, j] = 1 - np.mean(kept)
    return out


SLOW = {
    name: (lambda x, name=name: cdist(x, x, name))
    for name in ("cosine", "correlation", "euclidean", "sqeuclidean")
}
SLOW |= {"dot": lambda x: -np.array([[a @ b for b in x] for a in x]), "triplet_choice": slow_triplet_choice}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "d"), [(3, 2), (17, 5), (9, 30)])
def test_every_metric_equals_its_slow_reference(metric, n, d):
    x = np.random.default_rng(n * d).normal(1, 1, (n, d))
    np.testing.assert_allclose(dissimilarity(x, metric), SLOW[metric](x), atol=1e-7)


@pytest.mark.parametrize("metric", METRICS)
def test_rdms_are_symmetric_and_follow_the_order_of_objects(metric):
    rng = np.random.default_rng(0)
    x, order = rng.normal(size=(12, 4)), rng.permutation(12)
    rdm = dissimilarity(x, metric)
    np.testing.assert_array_equal(rdm, rdm.T)
    np.testing.assert_allclose(dissimilarity(x[order], metric), rdm[np.ix_(order, order)], atol=1e-12)
    if metric != "dot":
        assert (np.diag(rdm) == 0).all()


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"correlation"}))
def test_a_rotation_changes_nothing(metric):
    rng = np.random.default_rng(1)
    x, rotation = rng.normal(size=(10, 6)), np.linalg.qr(rng.normal(size=(6, 6)))[0]
    np.testing.assert_allclose(dissimilarity(x @ rotation, metric), dissimilarity(x, metric), atol=1e-10)


def test_triplet_choice_survives_large_similarities():
    x = 40 * np.random.default_rng(2).normal(size=(8, 3))
    rdm = dissimilarity(x, "triplet_choice")
    assert np.isfinite(rdm).all()
    assert ((rdm >= 0) & (rdm <= 1)).all()


def test_rows_of_zeros_constant_rows_and_unknown_metrics_are_refused():
    x = np.ones((4, 3))
    x[2] = 0
    with pytest.raises(InputError, match="Row 2 of the embedding is all zeros, so its cosine"):
        dissimilarity(x, "cosine")
    with pytest.raises(
        InputError, match="Rows 0, 1, 2, 3 of the embedding are constant, so their correlation"
    ):
        dissimilarity(x, "correlation")
    with pytest.raises(InputError, match="Unknown metric 'cosinus'; choose one of cosine"):
        dissimilarity(x, "cosinus")


def test_upper_triangle_runs_row_by_row():
    assert upper_triangle(np.arange(9).reshape(3, 3)).tolist() == [1, 2, 5]
