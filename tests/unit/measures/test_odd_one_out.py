"""Odd-one-out accuracy and noise ceiling: slow references, invariances, real data."""

import itertools

import numpy as np
import pandas as pd
import pytest
from repalign.errors import InputError
from repalign.measures.odd_one_out import (
    accuracy,
    correct_triplets,
    median_answers,
    noise_ceiling,
    similarity_matrix,
)

rng = np.random.default_rng(0)


def random_triplets(n_objects, n, seed=0):
    return np.argsort(np.random.default_rng(seed).random((n, n_objects)), axis=1)[:, :3]


def slow_answers(similarity, triplets):
    """(correct, tied) per triplet, by looking at the three pairs one by one."""
    for i, j, k in triplets:
        pairs = [similarity[i, j], similarity[i, k], similarity[j, k]]
        highest = [pair for pair in range(3) if np.isclose(pairs[pair], max(pairs), rtol=0, atol=1e-12)]
        yield highest == [0], len(highest) > 1


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("centre", [True, False])
def test_accuracy_equals_the_slow_reference(similarity, centre):
    embedding, triplets = rng.normal(1, 1, (20, 5)), random_triplets(20, 300)
    x = embedding - embedding.mean(axis=0) if centre and similarity != "dot" else embedding
    slow_similarity = {
        "cosine": lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
        "dot": lambda a, b: a @ b,
        "euclidean": lambda a, b: -np.linalg.norm(a - b),
    }[similarity]
    matrix = np.array([[slow_similarity(a, b) for b in x] for a in x])
    correct, tied = np.array(list(slow_answers(matrix, triplets))).T
    result = accuracy(embedding, triplets, similarity, centre)
    assert (result.accuracy, result.n, result.n_ties) == (correct.mean(), 300, tied.sum())
    np.testing.assert_array_equal(correct_triplets(embedding, triplets, similarity, centre), correct)
    np.testing.assert_array_equal(correct_triplets(matrix, triplets, "precomputed"), correct)


def test_ties_count_as_wrong_and_are_reported():
    # 0, 1, 2 tie three ways; of 0, 1, 3 the pair 0-1 is closest; of 3, 4, 0 the pair 3-4.
    matrix = np.array(
        [[9, 5, 5, 1, 2], [5, 9, 5, 1, 2], [5, 5, 9, 1, 2], [1, 1, 1, 9, 3], [2, 2, 2, 3, 9]], dtype=float
    )
    result = accuracy(matrix, [[0, 1, 2], [0, 1, 3], [0, 3, 1], [3, 4, 0]], "precomputed")
    assert (result.accuracy, result.n, result.n_ties) == (0.5, 4, 1)
    # The two pairs that people rejected tie above the kept one: wrong, and no answer either.
    result = accuracy(matrix, [[0, 1, 4]], "precomputed")
    assert (result.accuracy, result.n_ties) == (1.0, 0)
    matrix[0, 1] = matrix[1, 0] = 0
    result = accuracy(matrix, [[0, 1, 4]], "precomputed")
    assert (result.accuracy, result.n_ties) == (0.0, 1)


def test_duplicated_objects_tie_in_spite_of_rounding():
    # Object i and its copy i + 1 are equally similar to every j, whatever order the products are summed in.
    x = rng.normal(size=(203, 301))
    x[1:40:2] = x[0:40:2]
    matrix = similarity_matrix(x)
    copies = np.arange(0, 40, 2)
    matrix[copies, copies + 1] = matrix[copies + 1, copies] = -5
    triplets = np.array([[j, i, i + 1] for i, j in itertools.product(copies, range(100, 200))])
    result = accuracy(matrix, triplets, "precomputed")
    assert (result.accuracy, result.n_ties) == (0, len(triplets))


def test_invariances():
    x, triplets = rng.normal(size=(30, 8)), random_triplets(30, 500)
    expected = accuracy(x, triplets)
    rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert accuracy(x @ rotation * 3 + 7, triplets) == expected
    assert accuracy(x, triplets[:, [1, 0, 2]]) == expected
    order = rng.permutation(30)
    assert accuracy(x[order], np.argsort(order)[triplets]) == expected
    assert accuracy(x + 2, triplets, "dot") == accuracy(x + 2, triplets, "dot", centre=False)
    assert accuracy(x + 2, triplets, "dot") != accuracy(x, triplets, "dot")


def test_a_random_embedding_is_at_chance_and_the_truth_is_perfect():
    x, triplets = rng.normal(size=(60, 10)), random_triplets(60, 20000)
    similarity = similarity_matrix(x)
    i, j, k = triplets.T
    pairs = np.stack([similarity[i, j], similarity[i, k], similarity[j, k]])
    kept_first = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])[pairs.argmax(axis=0)]
    human = np.take_along_axis(triplets, kept_first, axis=1)
    assert accuracy(x, human).accuracy == 1
    assert accuracy(np.random.default_rng(1).normal(size=(60, 10)), human).accuracy == pytest.approx(
        1 / 3, abs=0.05
    )


@pytest.mark.parametrize(
    ("triplets", "message"),
    [
        ([[0, 1, 9]], "object 9"),
        ([[0, 1, -1]], "index -1"),
        ([[0, 1, 2], [0, 1, 1]], "Triplet 1"),
        ([[0, 1]], "shape"),
        ([[0.0, 1.0, 2.0]], "float64"),
        (np.empty((0, 3), dtype=int), "n > 0"),
    ],
)
def test_bad_triplets_are_refused(triplets, message):
    with pytest.raises(InputError, match=message):
        accuracy(rng.normal(size=(9, 3)), triplets)


@pytest.mark.parametrize(
    ("matrix", "similarity", "message"),
    [
        (np.triu(np.ones((4, 4))), "precomputed", "transpose"),
        (np.ones((4, 3)), "precomputed", r"\(4, 3\)"),
        (np.full((4, 4), np.nan), "precomputed", "finite"),
        (np.ones((4, 3)), "cosinus", "cosinus"),
        (np.ones((4, 3)), "cosine", "zero"),
    ],
)
def test_bad_similarities_are_refused(matrix, similarity, message):
    with pytest.raises(InputError, match=message):
        accuracy(matrix, [[0, 1, 2]], similarity)


def test_noise_ceiling_is_the_mean_share_of_the_modal_answer():
    responses = [
        [1, 2, 3, 1, 100],
        [3, 2, 1, 3, 101],  # the same triplet in another order: object 1 again
        [2, 1, 3, 1, 102],  # object 2
        [4, 5, 6, 2, 100],
        [4, 6, 5, 3, 101],  # object 5 twice
        [7, 8, 9, 1, 100],  # answered once: says nothing
    ]
    lower, upper, n = noise_ceiling(responses)
    assert upper == pytest.approx((2 / 3 + 1) / 2)
    # Without itself: the two for object 1 see a tie of 1 and 2, the one for object 2 sees only the other.
    assert lower == pytest.approx((2 * 0.5 / 3 + 1) / 2)
    assert n == 2
    assert noise_ceiling(np.array(responses)[:, :4]) == noise_ceiling(responses)
    assert median_answers(responses) == 2.5


def test_guessing_people_leave_one_out_are_at_chance():
    triplets = np.repeat(random_triplets(100, 2000), 25, axis=0)
    position = np.random.default_rng(1).integers(1, 4, len(triplets))
    lower, upper, _ = noise_ceiling(np.column_stack([triplets, position]))
    assert upper == pytest.approx(0.433, abs=0.005)
    assert lower == pytest.approx(1 / 3, abs=0.01)


def test_noise_ceiling_recovers_a_planted_agreement():
    generator = np.random.default_rng(2)
    triplets = np.repeat(random_triplets(100, 400) + 1, 25, axis=0)
    triplets = np.take_along_axis(triplets, np.argsort(generator.random(triplets.shape), axis=1), axis=1)
    agree = generator.random(len(triplets)) < 0.8
    lowest = triplets.argmin(axis=1)
    position = np.where(agree, lowest, (lowest + generator.integers(1, 3, len(triplets))) % 3) + 1
    lower, upper, _ = noise_ceiling(np.column_stack([triplets, position]))
    assert lower == pytest.approx(0.8, abs=0.01)
    assert upper == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("responses", "message"),
    [([[1, 2, 3]], "4 columns"), ([[1, 2, 3, 0]] * 2, "position 0"), ([[1, 2, 3, 1]], "two responses")],
)
def test_bad_responses_are_refused(responses, message):
    with pytest.raises(InputError, match=message):
        noise_ceiling(responses)


@pytest.mark.things
def test_reference_values_on_things(things):
    table = pd.read_csv(things.reference / "odd_one_out_reference.tsv", sep="\t")
    options = {
        "dot": {"similarity": "dot"},
        "cosine": {"similarity": "cosine", "centre": False},
        "centered_cosine": {"similarity": "cosine"},
    }
    for row in table.itertuples():
        result = accuracy(things.embedding(row.embedding), things.triplets(), **options[row.similarity])
        assert result.accuracy == pytest.approx(row.accuracy, abs=5e-6), row
        assert (result.n, result.n_ties) == (100_000, 0)
