"""The naive transform and its family: gradients, optimum, folds without leaks, real data."""

import numpy as np
import pytest
import torch
from repalign.errors import InputError
from repalign.measures import odd_one_out
from repalign.naive_transform.apply import apply, from_artefact, to_artefact
from repalign.naive_transform.objectives import GlobalObjective, Locality, NaiveObjective
from repalign.naive_transform.solve import solve_global, solve_naive
from repalign.naive_transform.transform import fit, select
from repalign.naive_transform.triplets import TripletCrossEntropy, object_folds, split_triplets
from scipy import optimize


@pytest.fixture(autouse=True)
def _one_thread():
    # Problems this small only lose time to threads.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def simulate(n_objects, d, n_triplets, seed=0, relevant=3):
    """Features, and choices by a softmax over similarities in a few of their directions."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_objects, d))
    z = x @ rng.normal(size=(d, relevant)) * 1.5
    triplets = np.argsort(rng.random((n_triplets, n_objects)), axis=1)[:, :3]
    return x, choose(z @ z.T, triplets, rng)


def choose(similarity, triplets, rng):
    i, j, k = triplets.T
    logits = np.stack([similarity[i, j], similarity[i, k], similarity[j, k]], axis=1)
    pair = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
    return np.take_along_axis(triplets, np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])[pair], axis=1)


def slow_loss(weights, bias, x, triplets, regularisation, norm="frobenius_squared"):
    """The definition, triplet by triplet."""
    z, total = x @ weights.T + bias, 0.0
    for i, j, k in triplets:
        logits = np.array([z[i] @ z[j], z[i] @ z[k], z[j] @ z[k]])
        total -= logits[0] - np.logaddexp.reduce(logits)
    size = np.linalg.norm(weights)
    return total / len(triplets) + regularisation * (size**2 if norm == "frobenius_squared" else size)


def check_gradient(objective, start):
    """Compare with central differences in every coordinate."""
    for tensor, gradient in zip(start, objective(*start)[1], strict=True):
        for position in range(tensor.numel()):
            values = []
            for step in (1e-5, -1e-5):
                moved = tensor.clone()
                moved.view(-1)[position] += step
                values.append(objective(*[moved if other is tensor else other for other in start])[0])
            slope = (values[0] - values[1]) / 2e-5
            assert float(gradient.reshape(-1)[position]) == pytest.approx(slope, abs=1e-8, rel=1e-5)


@pytest.mark.parametrize("norm", ["frobenius_squared", "frobenius"])
def test_gradient_of_the_naive_objective(norm):
    x, triplets = simulate(12, 4, 100)
    objective = NaiveObjective(torch.from_numpy(x), TripletCrossEntropy(triplets, 12), 0.3, norm)
    rng = torch.Generator().manual_seed(0)
    check_gradient(
        objective, [torch.randn(3, 4, generator=rng).double(), torch.randn(4, generator=rng).double()]
    )


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_gradient_of_the_global_and_the_glocal_objective(alpha):
    x, triplets = simulate(12, 4, 100)
    x = torch.from_numpy(x)
    objective = GlobalObjective(x, TripletCrossEntropy(triplets, 12), 0.3, alpha, Locality(x, 0.5))
    rng = torch.Generator().manual_seed(0)
    check_gradient(
        objective, [torch.randn(4, 4, generator=rng).double(), torch.randn(4, generator=rng).double()]
    )


def test_locality_equals_its_definition():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 9, 4))
    expected = 0.0
    for i in range(9):
        others = [j for j in range(9) if j != i]
        cosines = [
            [y[i] @ y[j] / np.linalg.norm(y[i]) / np.linalg.norm(y[j]) / 0.3 for j in others] for y in (x, z)
        ]
        teacher, student = (np.array(c) - np.logaddexp.reduce(c) for c in cosines)
        expected -= np.exp(teacher) @ student / 9
    assert Locality(torch.from_numpy(x), 0.3)(torch.from_numpy(z))[0] == pytest.approx(expected)


def test_cross_entropy_in_chunks_and_of_huge_similarities(monkeypatch):
    x, triplets = simulate(15, 3, 200)
    loss, gradient = TripletCrossEntropy(triplets, 15)(torch.from_numpy(x @ x.T))
    assert loss == pytest.approx(slow_loss(np.eye(3), 0, x, triplets, 0))
    monkeypatch.setattr("repalign.naive_transform.triplets.CHUNK", 7)
    again, same_gradient = TripletCrossEntropy(triplets, 15)(torch.from_numpy(x @ x.T))
    assert again == pytest.approx(loss)
    torch.testing.assert_close(same_gradient, gradient)
    loss, gradient = TripletCrossEntropy(triplets, 15)(torch.from_numpy(1e6 * x @ x.T))
    assert np.isfinite(loss)
    assert torch.isfinite(gradient).all()


def generic_optimum(x, triplets, regularisation, norm):
    """The objective that a generic optimiser reaches over W and b, from a random start."""
    d = x.shape[1]
    i, j, k = torch.from_numpy(triplets).T
    features = torch.from_numpy(x)

    def objective(flat):
        parameters = torch.tensor(flat, requires_grad=True)
        weights, bias = parameters[:-d].view(d, d), parameters[-d:]
        z = features @ weights.T + bias
        logits = torch.stack([(z[i] * z[j]).sum(1), (z[i] * z[k]).sum(1), (z[j] * z[k]).sum(1)], dim=1)
        size = torch.linalg.norm(weights)
        loss = -torch.log_softmax(logits, dim=1)[:, 0].mean()
        loss = loss + regularisation * (size**2 if norm == "frobenius_squared" else size)
        loss.backward()
        return float(loss.detach()), parameters.grad.numpy()

    begin = np.random.default_rng(0).normal(size=d * (d + 1))
    return optimize.minimize(objective, begin, jac=True, method="BFGS", options={"maxiter": 300}).fun


@pytest.mark.parametrize("norm", ["frobenius_squared", "frobenius"])
@pytest.mark.parametrize("regularisation", [1e-3, 0.1, 1.0, 10.0])
def test_the_loss_is_the_objective_of_the_weights_and_bias(norm, regularisation):
    x, triplets = simulate(20, 5, 600, relevant=2)
    x = (x - x.mean()) / x.std() + 0.3
    fit = solve_naive(x, triplets, regularisation, norm)
    objective = slow_loss(fit.weights, fit.bias, x, triplets, regularisation, norm)
    assert fit.loss == pytest.approx(objective, rel=1e-6)


@pytest.mark.parametrize(("norm", "regularisation"), [("frobenius_squared", 0.05), ("frobenius", 0.1)])
def test_the_optimum_is_that_of_a_generic_optimiser(norm, regularisation):
    x, triplets = simulate(20, 5, 600, relevant=2)
    x = (x - x.mean()) / x.std() + 0.3
    solution = solve_naive(x, triplets, regularisation, norm, tolerance=1e-6)
    assert solution.converged
    # The weights and the bias that are returned, put into the definition, reach the loss that is reported.
    reached = slow_loss(solution.weights, solution.bias, x, triplets, regularisation, norm)
    assert reached == pytest.approx(solution.loss, rel=1e-9)
    generic = generic_optimum(x, triplets, regularisation, norm)
    # The infimum needs an endless bias, so the generic optimiser stops a little above it.
    assert solution.loss <= generic + 2e-5
    assert solution.loss == pytest.approx(generic, abs=3e-3)


def test_the_first_rank_is_extended_until_the_optimum_is_global(monkeypatch):
    x, triplets = simulate(40, 8, 3000, relevant=6)
    expected = solve_naive(x, triplets, 1e-3, tolerance=1e-5)
    monkeypatch.setattr("repalign.naive_transform.solve.FIRST_RANK", 1)
    grown = solve_naive(x, triplets, 1e-3, tolerance=1e-5)
    assert grown.loss == pytest.approx(expected.loss, abs=1e-5)
    monkeypatch.setattr("repalign.naive_transform.solve.OPTIMALITY_TOLERANCE", np.inf)
    assert solve_naive(x, triplets, 1e-3, tolerance=1e-5).loss > expected.loss + 0.01


def test_the_optimum_does_not_depend_on_the_axes_of_the_features():
    x, triplets = simulate(30, 6, 1000)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    for solve in (solve_naive, solve_global):
        a, b = (solve(y, triplets, 0.05, tolerance=1e-6) for y in (x, x @ rotation))
        assert a.loss == pytest.approx(b.loss, abs=1e-5)
        z, y = x @ a.weights.T + a.bias, x @ rotation @ b.weights.T + b.bias
        agreement = [odd_one_out.accuracy(e, triplets, "dot").accuracy for e in (z, y)]
        assert agreement[0] == pytest.approx(agreement[1], abs=0.005)


def test_strong_regularisation_of_the_global_transform_leaves_a_scaled_identity():
    x, triplets = simulate(30, 6, 1000)
    weights = solve_global(x, triplets, 1e3, tolerance=1e-4).weights
    np.testing.assert_allclose(weights, np.eye(6) * np.diag(weights).mean(), atol=0.02)
    strong, weak = (solve_global(x, triplets, 1e-2, alpha=a, temperature=0.1) for a in (0.9, 0.1))

    def locality(solution):
        return Locality(torch.from_numpy(x), 0.1)(torch.from_numpy(x @ solution.weights.T + solution.bias))[0]

    assert locality(strong) < locality(weak)


def test_held_out_triplets_share_no_object_with_training_triplets():
    triplets = np.argsort(np.random.default_rng(0).random((4000, 31)), axis=1)[:, :3]
    folds = object_folds(31, 3, seed=1)
    assert sorted(np.bincount(folds)) == [10, 10, 11]
    for fold in range(3):
        training, held_out = split_triplets(triplets, folds, fold)
        assert not set(triplets[training].ravel()) & set(triplets[held_out].ravel())
        assert (folds[triplets[held_out]] == fold).all()
        assert held_out.any()
        assert training.any()


def test_a_planted_leak_is_seen(monkeypatch):
    # Choices follow a hidden embedding that has nothing to do with the features, which however tell every object
    # apart: what is learnt about an object does not carry over to others, unless test objects are trained on.
    rng = np.random.default_rng(0)
    features, hidden = rng.normal(size=(45, 60)), 2 * rng.normal(size=(45, 2))
    triplets = np.argsort(rng.random((6000, 45)), axis=1)[:, :3]
    triplets = choose(hidden @ hidden.T, triplets, rng)
    honest = fit(features, triplets, 0.01, tolerance=1e-2).held_out
    assert honest.accuracy == pytest.approx(1 / 3, abs=0.06)

    def leaky(triplets, fold_of_object, fold):
        inside = (fold_of_object[triplets] == fold).sum(axis=1)
        return np.ones(len(triplets), dtype=bool), inside == 3

    monkeypatch.setattr("repalign.naive_transform.transform.split_triplets", leaky)
    monkeypatch.setattr(
        "repalign.naive_transform.transform.training_objects", lambda folds, fold: np.arange(len(folds))
    )
    assert fit(features, triplets, 0.01, tolerance=1e-2).held_out.accuracy > 0.6


def test_selection_and_application():
    x, triplets = simulate(60, 10, 6000)
    transform, tried = select(x, triplets, [10.0, 0.02, 1e-5], tolerance=1e-2)
    assert [h.regularisation for h in tried] == [10.0, 0.02, 1e-5]
    assert transform.held_out == min(tried, key=lambda h: h.cross_entropy)
    assert transform.regularisation == 0.02
    assert transform.converged
    assert transform.held_out.accuracy > transform.held_out.baseline + 0.05
    assert transform.held_out.cross_entropy < np.log(3)
    z = apply(transform, x)
    assert odd_one_out.accuracy(z, triplets, "dot").accuracy == transform.accuracy
    assert odd_one_out.accuracy(z, triplets).accuracy == transform.accuracy_cosine
    np.testing.assert_allclose(apply(transform, x[:3]), z[:3])
    answers = transform.held_out.answers
    assert (answers.transformed.mean(), answers.original.mean()) == (
        transform.held_out.accuracy_cosine,
        transform.held_out.baseline,
    )
    read = from_artefact(*to_artefact(transform))
    assert read.held_out == transform.held_out
    np.testing.assert_array_equal(read.weights, transform.weights)
    again = fit(x, triplets, 0.02, tolerance=1e-2)
    np.testing.assert_array_equal(again.weights, transform.weights)
    assert fit(x, triplets, 0.02, seed=1, tolerance=1e-2).held_out != again.held_out


@pytest.mark.parametrize("variant", ["global", "glocal"])
def test_the_other_variants_raise_the_held_out_accuracy_too(variant):
    x, triplets = simulate(60, 10, 6000)
    transform = fit(x, triplets, 0.02, variant=variant, tolerance=1e-2)
    assert transform.variant == variant
    assert transform.held_out.accuracy > transform.held_out.baseline + 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regularisation": 0.0}, "positive"),
        ({"folds": 10}, "fewer folds"),
        ({"variant": "local"}, "local"),
        ({"norm": "nuclear"}, "nuclear"),
        ({"alpha": 0.1}, "no option alpha"),
        ({"embedding": np.ones((20, 3))}, "constant"),
        ({"triplets": np.array([[0, 1, 20]])}, "object 20"),
    ],
)
def test_bad_requests_are_refused(change, message):
    x, triplets = simulate(20, 3, 300)
    with pytest.raises(InputError, match=message):
        fit(**{"embedding": x, "triplets": triplets, "regularisation": 0.1, **change})


def test_features_of_another_width_are_refused():
    x, triplets = simulate(30, 3, 500)
    with pytest.raises(InputError, match="3 features"):
        apply(fit(x, triplets, 0.1), np.ones((4, 5)))


@pytest.mark.slow
@pytest.mark.things
def test_held_out_accuracy_rises_on_things(things):
    embedding, triplets = things.embedding("clip_vit_b32"), things.triplets()
    transform = fit(embedding, triplets, 0.1, tolerance=1e-2)
    assert transform.converged
    assert transform.held_out.baseline == pytest.approx(0.505, abs=0.02)
    assert min(transform.held_out.accuracy, transform.held_out.accuracy_cosine) >= 0.50496 + 0.05
