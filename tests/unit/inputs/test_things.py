from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from repalign.errors import InputError
from repalign.inputs.objects import read_order
from repalign.inputs.things import (
    membership_matrix,
    read_concepts,
    read_human,
    read_repeated_triplets,
    read_triplets,
)
from repalign.measures.odd_one_out import accuracy
from repalign.measures.rdm import dissimilarity, upper_triangle
from scipy.io import savemat
from scipy.stats import spearmanr

CONFIG = Path(__file__).parents[3] / "config"
OBJECTS = ("ant", "bee", "cat", "dog")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "unique_id.txt").write_text("ant\nbee\ncat\ndog\n")
    (tmp_path / "file_order.txt").write_text("dog\ncat\nbee\nant\n")
    (tmp_path / "exclusive.csv").write_text(
        ",insect,pet,others\ndog,0,1,0\nbee,1,0,0\nant,1,0,0\ncat,0,0,1\n"
    )
    (tmp_path / "manual.tsv").write_text("pet\tinsect\n1\t0\n0\t0\n0\t1\n1\t1\n")
    return tmp_path


def test_concepts_are_joined_by_name(folder):
    concepts = read_concepts(
        folder / "unique_id.txt", folder / "exclusive.csv", folder / "manual.tsv", folder / "file_order.txt"
    )
    assert concepts["object"].tolist() == list(OBJECTS)
    assert concepts["category"].tolist() == ["insect", "insect", "others", "pet"]
    assert concepts["categories"].tolist() == ["pet;insect", "insect", "", "pet"]
    members, names = membership_matrix(concepts)
    assert names == ["insect", "pet"]
    np.testing.assert_array_equal(members, [[1, 1], [1, 0], [0, 0], [0, 1]])


def test_without_an_exclusive_table_the_last_category_counts(folder):
    files = (folder / "unique_id.txt", None, folder / "manual.tsv", folder / "file_order.txt")
    concepts = read_concepts(*files, exclusive_order=["insect", "pet"])
    assert concepts["category"].tolist() == ["pet", "insect", "others", "pet"]
    assert concepts["categories"].tolist() == ["pet;insect", "insect", "", "pet"]
    with pytest.raises(InputError, match="exclusive_order lacks pet"):
        read_concepts(*files, exclusive_order=["insect"])
    with pytest.raises(InputError, match="names no categories"):
        read_concepts(folder / "unique_id.txt", None)


@pytest.mark.things
def test_the_published_exclusive_table_follows_an_order(things_dir):
    order = yaml.safe_load((CONFIG / "things.yaml").read_text())["exclusive_order"]
    files = (things_dir / "unique_id.txt", things_dir / "categories/category_mat_exclusive.csv")
    rest = (things_dir / "categories/category_mat_manual.tsv", things_dir / "unique_id.txt")
    published = read_concepts(*files, *rest).set_index("object")["category"]
    rebuilt = read_concepts(files[0], None, *rest, exclusive_order=order).set_index("object")["category"]
    assert published.index[published != rebuilt].tolist() == ["gorilla"]


def test_memberships_without_names_need_an_order(folder):
    with pytest.raises(InputError, match=r"manual\.tsv does not name its rows; declare their order"):
        read_concepts(folder / "unique_id.txt", folder / "exclusive.csv", folder / "manual.tsv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",a,b\nant,1,0\nbee,1,1\ncat,0,0\ndog,1,0\n", "gives bee, cat not exactly one category"),
        (",a,b\nant,1,0\nbee,2,0\ncat,0,1\ndog,1,0\n", "holds something other than 0 and 1"),
        (",a,b\nant,1,0\nbee,1,0\ncat,0,1\n", "lacks dog"),
        (",a,b\nant,1,0\nbee,1,0\ncat,0,1\ndog,1,0\nelk,1,0\n", "names elk, not among"),
    ],
)
def test_bad_category_tables_are_refused(folder, text, message):
    (folder / "exclusive.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_concepts(folder / "unique_id.txt", folder / "exclusive.csv")


def test_triplets_are_renumbered_by_name(folder):
    (folder / "t.txt").write_text("0 1 2\n3 2 0\n")
    triplets = read_triplets(folder / "t.txt", OBJECTS, folder / "file_order.txt")
    assert [[OBJECTS[i] for i in row] for row in triplets] == [["dog", "cat", "bee"], ["ant", "bee", "dog"]]


def test_triplets_of_undeclared_order_are_refused(folder):
    (folder / "t.txt").write_text("0 1 2\n")
    with pytest.raises(
        InputError, match="does not say which objects its indices mean; declare things.triplets_order"
    ):
        read_triplets(folder / "t.txt", OBJECTS)
    with pytest.raises(InputError, match="does not say which objects"):
        read_repeated_triplets(folder / "t.txt", OBJECTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 2\n0 1 4\n", "row 2: an index lies outside the 4 objects"),
        ("0 1 2\n-1 1 2\n", "row 2: an index lies outside"),
        ("0 1 1\n", "row 1 names an object twice"),
        ("0 1\n", "triplets need at least 3 columns"),
        ("0 1 1.5\n", "holds numbers that are not integers"),
        ("a b c\n", "has a line of column names and nothing below it"),
    ],
)
def test_bad_triplets_are_refused(folder, text, message):
    (folder / "t.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        read_triplets(folder / "t.txt", OBJECTS, folder / "file_order.txt")


def test_repeated_triplets_are_one_based_and_keep_the_position(folder):
    (folder / "r.tsv").write_text("1\t2\t3\t3\t7\n4\t2\t1\t1\t8\n")
    (folder / "r.txt").write_text((folder / "r.tsv").read_text())
    responses = read_repeated_triplets(folder / "r.txt", OBJECTS, folder / "file_order.txt")
    np.testing.assert_array_equal(responses, [[3, 2, 1, 3], [0, 2, 3, 1]])
    np.testing.assert_array_equal(
        read_repeated_triplets(folder / "r.tsv", OBJECTS, folder / "file_order.txt"), responses
    )
    (folder / "r.txt").write_text("1 2 3 4 7\n")
    with pytest.raises(InputError, match="row 1: the position of the odd one is 4, not 1, 2 or 3"):
        read_repeated_triplets(folder / "r.txt", OBJECTS, folder / "file_order.txt")


def test_a_human_rdm_may_cover_a_declared_subset(folder):
    matrix = np.array([[0, 1, 3], [1, 0, 2], [3, 2, 0.0]])
    savemat(folder / "rdm.mat", {"rdm": matrix})
    (folder / "words.csv").write_text("Word,exclude\ndog,\ncat,1\nant,\n")
    rdm, present = read_human(folder / "rdm.mat", "dissimilarity", OBJECTS, folder / "words.csv", "subset")
    assert present == ["ant", "dog"]
    np.testing.assert_array_equal(rdm, [[0, 3], [3, 0]])
    with pytest.raises(InputError, match=r"words\.csv lacks bee, cat"):
        read_human(folder / "rdm.mat", "dissimilarity", OBJECTS, folder / "words.csv")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.arange(16.0).reshape(4, 4), "is not symmetric"),
        (np.eye(4) + 0.1, "it holds similarities; turn it into dissimilarities"),
        (np.random.default_rng(0).normal(size=(4, 3)), "is 4 x 3; a dissimilarity matrix is square"),
        (np.full((4, 4), np.nan), "holds NaN or infinity for ant, bee, cat, dog"),
    ],
)
def test_bad_matrices_are_refused(folder, matrix, message):
    np.save(folder / "m.npy", matrix)
    with pytest.raises(InputError, match=message):
        read_human(folder / "m.npy", "dissimilarity", OBJECTS, folder / "unique_id.txt")


@pytest.fixture(scope="module")
def real(things_dir):
    objects = read_order(things_dir / "unique_id.txt")
    files = {
        "spose66": ("human/spose_embedding_66d_sorted.txt", "unique_id"),
        "clip_vit_b32": ("models/clip_vit_b32.npy", "file_order"),
        "vgg16_srf200": ("models/vgg16_srf200.npy", "file_order"),
    }
    read = {
        name: read_human(things_dir / path, "embedding", objects, things_dir / f"{order}.txt")[0]
        for name, (path, order) in files.items()
    }
    triplets = things_dir / "triplets" / "triplets_100k.txt"
    return objects, read, read_triplets(triplets, objects, things_dir / "file_order.txt")


@pytest.mark.things
def test_real_odd_one_out_accuracy_to_five_digits(real, reference_dir):
    _, embeddings, triplets = real
    expected = pd.read_csv(reference_dir / "odd_one_out_reference.tsv", sep="\t")
    assert len(expected) == 9
    for row in expected.itertuples():
        similarity = row.similarity.removeprefix("centered_")
        value = accuracy(embeddings[row.embedding], triplets, similarity, centre=row.similarity != similarity)
        assert round(value.accuracy, 5) == row.accuracy, row


@pytest.mark.things
def test_the_wrong_order_would_cost_what_it_is_known_to_cost(real, things_dir):
    objects, embeddings, triplets = real
    wrong = read_triplets(things_dir / "triplets/triplets_100k.txt", objects, things_dir / "unique_id.txt")
    touched = (wrong != triplets).any(axis=1)
    assert 0.02 < touched.mean() < 0.05
    right_way, wrong_way = (accuracy(embeddings["spose66"], t[touched]).accuracy for t in (triplets, wrong))
    assert right_way - wrong_way > 0.1


@pytest.mark.things
def test_real_concepts_and_categories(things_dir):
    concepts = read_concepts(
        things_dir / "unique_id.txt",
        things_dir / "categories" / "category_mat_exclusive.csv",
        things_dir / "categories" / "category_mat_manual.tsv",
        things_dir / "unique_id.txt",
        things_dir / "things_concepts.tsv",
    )
    assert (concepts["category"] != "others").sum() == 1295
    members, names = membership_matrix(concepts)
    assert len(names) == 27
    assert np.bincount(members.sum(axis=1)).tolist() == [559, 992, 277, 26]
    assert concepts.set_index("object").loc["aardvark", ["word", "category"]].tolist() == [
        "aardvark",
        "animal",
    ]


@pytest.mark.things
def test_the_real_human_rdm_agrees_with_the_embedding(real, things_dir):
    objects, embeddings, _ = real
    rdm, present = read_human(
        things_dir / "human" / "RDM48_triplet.mat",
        "dissimilarity",
        objects,
        things_dir / "human/words48.csv",
        "subset",
    )
    assert len(present) == 43
    rows = [objects.index(name) for name in present]
    assert (
        spearmanr(upper_triangle(rdm), upper_triangle(dissimilarity(embeddings["spose66"][rows]))).statistic
        > 0.8
    )
