import itertools

import numpy as np
import pytest
from repalign.errors import InputError
from repalign.inputs.features import read_precomputed
from repalign.inputs.objects import read_order
from repalign.measures.rdm import dissimilarity
from repalign.measures.rsa import METHODS, _influences, average_rdm, compare, rsa_interval
from repalign.statistics.ceilings import group_ceiling
from repalign.statistics.shared_objects import pair_variance
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
def test_influences_are_what_the_correlation_changes_by(method):
    rng = np.random.default_rng(0)
    a = rng.normal(size=400)
    b = a + rng.normal(size=400)
    influences = _influences(a, b, method)
    assert influences.mean() == pytest.approx(0, abs=1e-12)
    for number in range(5):
        without = METHODS[method](np.delete(a, number), np.delete(b, number))
        assert influences[number] / 399 == pytest.approx(METHODS[method](a, b) - without, abs=2e-4)


def test_the_error_sums_what_pairs_with_a_common_object_share():
    deviations = np.random.default_rng(0).normal(size=(7, 7))
    deviations = np.triu(deviations, 1)
    i, j = np.triu_indices(7, 1)
    deviations[i, j] -= deviations[i, j].mean()
    slow = 0.0
    for a, b in zip(i, j, strict=True):
        for c, d in zip(i, j, strict=True):
            slow += len({a, b} & {c, d}) * deviations[a, b] * deviations[c, d]
    assert pair_variance(deviations + deviations.T) == pytest.approx(slow / 21**2)


def test_the_interval_holds_the_value_and_none_is_given_for_few_objects():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 40, 5))
    a, b = dissimilarity(x), dissimilarity(x + noise)
    low, high = rsa_interval(a, b)
    assert 0 < low < compare(a, b) < high < 1
    narrow = rsa_interval(a, b, confidence=0.5)
    assert low < narrow[0] < narrow[1] < high
    order = rng.permutation(40)
    assert rsa_interval(b[np.ix_(order, order)], a[np.ix_(order, order)]) == pytest.approx((low, high))
    assert rsa_interval(a, a) == pytest.approx((1, 1))
    assert np.isnan(rsa_interval(a[:4, :4], b[:4, :4])).all()


def test_the_average_rdm_correlates_more_with_its_members_than_they_do_with_each_other():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 4))
    people = [dissimilarity(x + rng.normal(size=x.shape)) for _ in range(6)]
    lower, upper, n = group_ceiling(people, average_rdm, compare)
    pairs = [compare(a, b) for a, b in itertools.combinations(people, 2)]
    assert np.mean(pairs) < lower < upper < 1
    assert n == 6


def test_kendall_has_no_interval():
    with pytest.raises(InputError, match="kendall"):
        rsa_interval(np.eye(3), np.eye(3), "kendall")
