import numpy as np
import pytest
from repalign.errors import InputError
from repalign.inputs.features import read_precomputed
from repalign.inputs.objects import read_order
from repalign.measures.rdm import dissimilarity, upper_triangle
from repalign.measures.rsa import METHODS, compare, rsa_interval
from resamples import draws, percentiles
from scipy import stats

PEERS = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_equals_scipy_with_ties(method):
    rng = np.random.default_rng(0)
    a, b = (dissimilarity(rng.integers(0, 3, (20, 4)) + 0.0, "euclidean") for _ in range(2))
    pairs = np.triu_indices(20, 1)
    assert compare(a, b, method) == pytest.approx(PEERS[method](a[pairs], b[pairs]).statistic, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_invariances(method):
    rng = np.random.default_rng(1)
    a, b = (dissimilarity(rng.normal(size=(15, 4)), "euclidean") for _ in range(2))
    order = rng.permutation(15)
    value = compare(a, b, method)
    assert compare(b, a, method) == pytest.approx(value)
    assert compare(3 * a + 1, b, method) == pytest.approx(value)
    assert compare(a[np.ix_(order, order)], b[np.ix_(order, order)], method) == pytest.approx(value)
    assert compare(a, a, method) == pytest.approx(1)


def test_what_cannot_be_correlated_is_refused():
    rdm = dissimilarity(np.random.default_rng(2).normal(size=(5, 3)))
    with pytest.raises(InputError, match="same 3 or more objects"):
        compare(rdm, rdm[:4, :4])
    with pytest.raises(InputError, match="all dissimilarities of a matrix are equal"):
        compare(rdm, np.ones((5, 5)))
    with pytest.raises(InputError, match="Unknown RSA method 'cka'"):
        compare(rdm, rdm, "cka")


@pytest.mark.things
@pytest.mark.parametrize(("model", "expected"), [("clip_vit_b32", 0.41602), ("vgg16_srf200", 0.36199)])
def test_real_features_give_the_known_correlations(things_dir, model, expected):
    objects = read_order(things_dir / "unique_id.txt")
    human = read_precomputed(
        things_dir / "human" / "spose_embedding_66d_sorted.txt", ["x"], objects, things_dir / "unique_id.txt"
    )
    features = read_precomputed(
        things_dir / "models" / f"{model}.npy", ["x"], objects, things_dir / "file_order.txt"
    )
    value = compare(dissimilarity(human["x"]), dissimilarity(features["x"]))
    assert value == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_rsa_interval_equals_resampling_fixed_ranks_without_same_object_pairs(method):
    a, b = (dissimilarity(x, "euclidean") for x in np.random.default_rng(0).normal(size=(2, 12, 3)))
    i, j = np.triu_indices(12, k=1)
    values = [
        upper_triangle(rdm) if method == "pearson" else stats.rankdata(upper_triangle(rdm)) for rdm in (a, b)
    ]
    slow = []
    for counts in draws(1, 40, 12):
        copies = counts[i] * counts[j]
        slow.append(stats.pearsonr(*(np.repeat(v, copies) for v in values)).statistic)
    assert rsa_interval(a, b, method, n_boot=40, seed=1) == pytest.approx(percentiles(slow))


def test_kendall_has_no_interval():
    with pytest.raises(InputError, match="kendall"):
        rsa_interval(np.eye(3), np.eye(3), "kendall")
