"""Files as spreadsheets, data frames and other programs write them are read as meant, and what was done is logged."""

import json
import logging
import unicodedata

import numpy as np
import pandas as pd
import pytest
import torch
from repalign.errors import InputError
from repalign.inputs.features import read_precomputed
from repalign.inputs.objects import read_order
from repalign.inputs.things import (
    read_concepts,
    read_human,
    read_repeated_triplets,
    read_triplets,
    require_pairs,
)
from safetensors.torch import save_file
from scipy.spatial.distance import pdist, squareform

OBJECTS = ["ant", "bee", "cat", "crème_brûlée", "music_box"]
SHUFFLED = ["cat", "music_box", "ant", "crème_brûlée", "bee"]
X = np.array(
    [[0.25, -1, 3], [1.5, 2, 0.125], [0, 1, 7], [4, 4.75, 1], [-2, 0.5, 1.25]]
)  # in the order of OBJECTS
ROWS = X[[OBJECTS.index(name) for name in SHUFFLED]]
D = squareform(pdist(X))
D_ROWS = squareform(pdist(ROWS))
FRAME = pd.DataFrame(ROWS)
NAMED = pd.DataFrame(ROWS, index=[name.replace("_", " ") for name in SHUFFLED])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, logger="repalign")
    (tmp_path / "order.txt").write_text("\n".join(SHUFFLED) + "\n")


def write(name, content):
    with open(name, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return name


def german(frame, **options):
    return frame.to_csv(sep=";", decimal=",", **options)


def r_table(frame):
    """As R's write.table: the heading has no cell for the row names."""
    rows = [" ".join(f'"V{i + 1}"' for i in range(frame.shape[1]))]
    rows += [
        " ".join([f'"{name}"', *map(str, row)]) for name, row in zip(SHUFFLED, frame.to_numpy(), strict=True)
    ]
    return "\n".join(rows).replace('"', "") + "\n"


LINES = FRAME.to_csv(index=False, header=False)
TABLES = {
    # name of the file: content, whether the order is declared, what the log says
    "a data frame with its index.csv": (FRAME.to_csv(), True, "numbers the rows"),
    "a data frame without its header.csv": (FRAME.to_csv(header=False), True, "numbers the rows"),
    "a data frame without its index.csv": (FRAME.to_csv(index=False), True, "numbers the columns"),
    "an index that was reset.csv": (FRAME.reset_index().to_csv(index=False), True, "numbers the rows"),
    "an index that was saved twice.csv": (
        FRAME.reset_index().rename(columns={"index": "Unnamed: 0"}).to_csv(index=False),
        True,
        "numbers the rows",
    ),
    "named rows.csv": (NAMED.to_csv(), False, "with names"),
    "named rows and an order that agrees.csv": (NAMED.to_csv(), True, "with names"),
    "named rows without a header.csv": (NAMED.to_csv(header=False), False, "with names"),
    "names behind row numbers.csv": (NAMED.reset_index(names="object").to_csv(), False, "numbers the rows"),
    "names behind row numbers without a header.csv": (
        NAMED.reset_index().to_csv(header=False),
        False,
        "numbers the rows",
    ),
    "a heading of its own.csv": (NAMED.rename_axis("thing").add_prefix("f").to_csv(), False, "names the col"),
    "names in the last column.csv": (
        FRAME.add_prefix("f").assign(object=SHUFFLED).to_csv(index=False),
        False,
        "with names",
    ),
    "quoted.csv": (NAMED.to_csv(quoting=1), False, "with names"),
    "semicolons and decimal commas.csv": (german(NAMED), False, "decimal commas"),
    "semicolons without names.csv": (german(FRAME, index=False, header=False), True, "semicolons"),
    "semicolons with an index.csv": (german(FRAME), True, "numbers the rows"),
    "said to Excel.csv": ("sep=;\r\n" + german(NAMED).replace("\n", "\r\n"), False, "semicolons"),
    "tabs and decimal commas.tsv": (NAMED.to_csv(sep="\t", decimal=","), False, "decimal commas"),
    "tabs.csv": (NAMED.to_csv(sep="\t"), False, "tabs"),
    "commas.tsv": (NAMED.to_csv(), False, "commas"),
    "commas.txt": (LINES, True, "commas"),
    "semicolons.txt": (german(FRAME, index=False, header=False), True, "semicolons"),
    "spaces and decimal commas.txt": (
        FRAME.to_csv(sep=" ", decimal=",", index=False, header=False),
        True,
        "decimal commas",
    ),
    "spaces.csv": (LINES.replace(",", "  "), True, "spaces"),
    "a comment.txt": ("# x y z\n" + LINES.replace(",", " "), True, "5 rows of 3"),
    "a comment.csv": ("# x,y,z\n" + LINES, True, "5 rows of 3"),
    "as R writes it.txt": (r_table(FRAME).replace("music_box", "music_box"), False, "with names"),
    "capitals.CSV": (NAMED.to_csv(), False, "with names"),
    "capitals.TXT": (LINES.replace(",", " "), True, "5 rows of 3"),
    "a mark of the byte order.txt": ("\ufeff" + LINES.replace(",", " "), True, "5 rows of 3"),
    "a mark of the byte order.csv": ("\ufeff" + NAMED.to_csv(header=False), False, "with names"),
    "UTF-16.csv": (NAMED.to_csv().encode("utf-16"), False, "with names"),
    "composed of parts.csv": (unicodedata.normalize("NFD", NAMED.to_csv()), False, "with names"),
    "Windows.csv": (NAMED.to_csv(lineterminator="\r\n"), False, "with names"),
    "blank lines at the end.csv": (NAMED.to_csv() + "\n\n  \n", False, "with names"),
    "a separator at the end.csv": (LINES.replace("\n", ",\n"), True, "ends with a separator"),
    "spaces around.csv": (NAMED.to_csv().replace(",", " , "), False, "with names"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_as_its_owner_meant_it(name, caplog):
    content, declared, said = TABLES[name]
    found = read_precomputed(write(name, content), ["f"], OBJECTS, "order.txt" if declared else None)["f"]
    np.testing.assert_array_equal(found, X.astype(np.float32))
    assert said in caplog.text


def test_names_that_are_numbers_are_names(caplog):
    objects = ["001", "12", "7", "40", "3"]
    frame = pd.DataFrame(ROWS, index=["40", "3", "7", "12", "001"])
    for content in (frame.to_csv(), frame.to_csv(header=False), frame.rename_axis("id").to_csv()):
        found = read_precomputed(write("f.csv", content), ["f"], objects)["f"]
        np.testing.assert_array_equal(found, ROWS[[4, 3, 2, 0, 1]].astype(np.float32))
    assert "the names of the objects, which are numbers" in caplog.text


def test_a_heading_of_numbers_is_told_by_the_number_of_rows():
    data = np.vstack([[0, 1, 2], ROWS[1:]])
    content = pd.DataFrame(data).to_csv(index=False, header=False)
    found = read_precomputed(write("f.csv", content), ["f"], SHUFFLED, "order.txt")["f"]
    np.testing.assert_array_equal(found, data.astype(np.float32))


@pytest.mark.parametrize("ending", ["NPY", "NPZ", "SAFETENSORS"])
def test_endings_in_capitals(ending):
    path = f"f.{ending}"
    if ending == "SAFETENSORS":
        save_file({"f": torch.tensor(ROWS)}, path)
    else:
        with open(path, "wb") as file:
            np.save(file, ROWS) if ending == "NPY" else np.savez(file, f=ROWS)
    np.testing.assert_array_equal(read_precomputed(path, ["f"], OBJECTS, "order.txt")["f"], X)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int32])
def test_every_kind_of_tensor_becomes_float32(dtype, caplog):
    tensor = torch.tensor(ROWS, dtype=dtype)
    save_file({"a": tensor, "b": torch.ones(5, 2, dtype=torch.float32).cumsum(1)}, "f.safetensors")
    found = read_precomputed("f.safetensors", ["a", "b"], SHUFFLED, "order.txt")
    np.testing.assert_array_equal(found["a"], tensor.float().numpy())
    np.testing.assert_array_equal(found["b"][0], [1, 2])
    assert "float32" in caplog.text


@pytest.mark.parametrize("written", ["json", "lines", "commas"])
def test_names_in_the_metadata_of_a_tensor_file(written):
    text = {"json": json.dumps(SHUFFLED), "lines": "\n".join(SHUFFLED), "commas": ",".join(SHUFFLED)}[written]
    save_file({"f": torch.tensor(ROWS)}, "f.safetensors", metadata={"objects": text})
    np.testing.assert_array_equal(read_precomputed("f.safetensors", ["f"], OBJECTS)["f"], X)


def test_names_in_an_archive_under_a_name_of_their_own(caplog):
    np.savez("f.npz", f=ROWS, labels=np.array(SHUFFLED))
    np.testing.assert_array_equal(read_precomputed("f.npz", ["f"], OBJECTS)["f"], X)
    assert "its array 'labels'" in caplog.text


# --- orders and categories ---


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.txt", "\ufeff" + "\r\n".join(SHUFFLED) + "\r\n\r\n"),
        ("o.TXT", unicodedata.normalize("NFD", "\n".join(SHUFFLED))),
        ("o.txt", "\n".join(SHUFFLED).encode("utf-16")),
        ("o.csv", "\ufeffname;n\n" + "\n".join(f"{name};1,5" for name in SHUFFLED)),
        ("o.CSV", pd.DataFrame({"object": SHUFFLED}).to_csv()),
        ("o.tsv", "object,comment\n" + "\n".join(f'{name},"a; b"' for name in SHUFFLED)),
        ("o.txt", "\n".join(SHUFFLED).replace("_", "\N{NO-BREAK SPACE}")),
    ],
)
def test_orders(name, content):
    assert read_order(write(name, content)) == tuple(SHUFFLED)


@pytest.mark.parametrize("mark", ["1", "1.0", "True", "TRUE", "x", "yes"])
def test_rows_are_excluded_however_a_spreadsheet_says_it(mark, caplog):
    content = f"object,exclude\nant,False\nbee,{mark}\ncat,\n"
    assert read_order(write("o.csv", content)) == ("ant", None, "cat")
    assert "1 of 3 rows are marked as excluded" in caplog.text


CATEGORIES = pd.DataFrame(
    {"pet": [0, 0, 1, 0, 0], "food": [1, 0, 0, 1, 0], "others": [0, 1, 0, 0, 1]}, SHUFFLED
)


@pytest.mark.parametrize(
    "content",
    [
        CATEGORIES.to_csv(),
        CATEGORIES.astype(bool).to_csv(),
        CATEGORIES.astype(float).to_csv(sep=";"),
        CATEGORIES.reset_index(names="object").to_csv(),
        "\ufeff" + CATEGORIES.to_csv(sep="\t", lineterminator="\r\n"),
    ],
)
def test_categories(content):
    write("unique_id.txt", "\n".join(OBJECTS))
    concepts = read_concepts("unique_id.txt", write("c.csv", content))
    expected = CATEGORIES.loc[OBJECTS].idxmax(axis=1)
    assert concepts["category"].tolist() == expected.tolist()


def test_memberships_may_name_or_number_their_rows():
    write("unique_id.txt", "\n".join(OBJECTS))
    members = CATEGORIES[["pet", "food"]]
    expected = ["", "", "food", "food", "pet"]
    expected = [";".join(members.columns[row > 0]) for row in members.loc[OBJECTS].to_numpy()]
    for content, order in (
        (members.to_csv(index=False), "order.txt"),
        (members.reset_index(drop=True).to_csv(), "order.txt"),
        (members.to_csv(), "order.txt"),
        (members.to_csv(), None),
    ):
        files = {"memberships_path": write("m.csv", content), "memberships_order": order}
        concepts = read_concepts("unique_id.txt", None, **files, exclusive_order=["pet", "food"])
        assert concepts["categories"].tolist() == expected


# --- triplets ---


def test_triplets_with_excluded_objects_are_left_out_and_counted(caplog):
    """Fifteen objects and twenty names, of which the last five are excluded."""
    names = [f"object{i:02d}" for i in range(20)]
    write("order.csv", "object,exclude\n" + "".join(f"{n},{int(i >= 15)}\n" for i, n in enumerate(names)))
    generator = np.random.default_rng(0)
    raw = np.array([generator.permutation(20)[:3] for _ in range(311)])
    np.savetxt("t.txt", raw, fmt="%d")
    objects = names[14::-1]
    triplets = read_triplets("t.txt", objects, "order.csv")
    kept = raw[(raw < 15).all(axis=1)]
    np.testing.assert_array_equal(triplets, 14 - kept)
    assert 100 < len(kept) < 200
    assert f"{311 - len(kept)} of 311 rows are left out" in caplog.text
    positions = generator.integers(1, 4, 311)
    np.savetxt("r.txt", np.column_stack([raw + 1, positions]), fmt="%d")
    repeated = read_repeated_triplets("r.txt", objects, "order.csv")
    np.testing.assert_array_equal(repeated, np.column_stack([14 - kept, positions[(raw < 15).all(axis=1)]]))


TRIPLETS = pd.DataFrame([[0, 1, 2], [3, 2, 0], [4, 1, 0], [1, 2, 3], [2, 4, 0], [0, 3, 1], [4, 0, 2]])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", TRIPLETS.to_csv(index=False, header=False)),
        ("t.csv", TRIPLETS.add_prefix("image").to_csv(index=False)),
        ("t.csv", TRIPLETS.add_prefix("image").to_csv()),
        ("t.csv", TRIPLETS.to_csv(header=False)),
        ("t.TSV", TRIPLETS.to_csv(sep="\t", index=False, header=False)),
        ("t.txt", "\ufeff" + TRIPLETS.to_csv(sep=" ", index=False, header=False, lineterminator="\r\n")),
        ("t.txt", TRIPLETS.assign(subject=7).to_csv(sep=";", index=False, header=False)),
    ],
)
def test_triplets_in_tables(name, content):
    triplets = read_triplets(write(name, content), OBJECTS, "order.txt")
    expected = np.array([OBJECTS.index(name) for name in SHUFFLED])[TRIPLETS.to_numpy()]
    np.testing.assert_array_equal(triplets, expected)


def test_triplets_whose_first_objects_count_are_triplets():
    write("t.txt", "0 1 2\n1 2 3\n2 3 4\n3 4 0\n")
    np.testing.assert_array_equal(read_triplets("t.txt", SHUFFLED, "order.txt")[:, 0], [0, 1, 2, 3])


# --- matrices ---


def with_diagonal(matrix, value):
    return matrix + np.diag(np.full(len(matrix), float(value)))


UPPER = D_ROWS[np.triu_indices(5, 1)]
NAN_BELOW = np.where(np.tri(5, k=-1, dtype=bool), np.nan, D_ROWS)
D_FRAME = pd.DataFrame(D_ROWS, SHUFFLED, SHUFFLED)
MATRICES = {
    "whole.npy": (D_ROWS, True, ""),
    "single precision.npy": (D_ROWS.astype(np.float32), True, ""),
    "condensed.npy": (UPPER, True, "10 values are the pairs of 5 objects"),
    "condensed in a row.npy": (UPPER[None], True, "10 values are the pairs"),
    "condensed.txt": ("\n".join(map(str, UPPER)), True, "10 values are the pairs"),
    "condensed.csv": (",".join(map(str, UPPER)), True, "10 values are the pairs"),
    "NaN on the diagonal.npy": (with_diagonal(D_ROWS, np.nan), True, "5 of 5 values on the diagonal"),
    "infinite on the diagonal.npy": (with_diagonal(D_ROWS, np.inf), True, "5 of 5 values on the diagonal"),
    "the upper triangle.npy": (np.triu(D_ROWS), True, "the lower triangle is empty"),
    "the lower triangle.npy": (np.tril(D_ROWS), True, "the upper triangle is empty"),
    "NaN below.npy": (NAN_BELOW, True, "the lower triangle is empty"),
    "NaN above and on the diagonal.npy": (
        with_diagonal(NAN_BELOW.T, np.nan),
        True,
        "the upper triangle is empty",
    ),
    "named.csv": (D_FRAME.to_csv(), False, "with names"),
    "named and in order.csv": (D_FRAME.to_csv(), True, "with names"),
    "named by columns.csv": (D_FRAME.to_csv(index=False), False, "named by the heading"),
    "named by rows.csv": (D_FRAME.to_csv(header=False), False, "with names"),
    "with an index.csv": (pd.DataFrame(D_ROWS).to_csv(), True, "numbers the rows"),
    "from a spreadsheet.csv": (german(D_FRAME), False, "decimal commas"),
    "named, NaN on the diagonal.tsv": (
        D_FRAME.mask(np.eye(5, dtype=bool)).to_csv(sep="\t"),
        False,
        "5 of 5 values on the diagonal",
    ),
    "whole.csv": (pd.DataFrame(D_ROWS).to_csv(index=False, header=False), True, ""),
    "capitals.TXT": (pd.DataFrame(D_ROWS).to_csv(sep=" ", index=False, header=False), True, ""),
    "capitals.NPY": (D_ROWS, True, ""),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_is_read_as_its_owner_meant_it(name, caplog):
    content, declared, said = MATRICES[name]
    if isinstance(content, np.ndarray):
        with open(name, "wb") as file:
            np.save(file, content)
    else:
        write(name, content)
    matrix, present = read_human(name, "dissimilarity", OBJECTS, "order.txt" if declared else None)
    assert present == OBJECTS
    np.testing.assert_allclose(matrix, D, rtol=1e-6, atol=1e-12)
    assert not np.diag(matrix).any()
    assert said in caplog.text


def test_a_named_matrix_in_an_archive():
    np.savez("h.npz", rdm=D_ROWS, objects=np.array(SHUFFLED))
    np.testing.assert_allclose(read_human("h.npz", "dissimilarity", OBJECTS)[0], D)


def test_a_named_matrix_may_be_a_subset():
    some = D_FRAME.iloc[:3, :3]
    matrix, present = read_human(write("h.csv", some.to_csv()), "dissimilarity", OBJECTS, None, "subset")
    assert present == ["ant", "cat", "music_box"]
    np.testing.assert_allclose(matrix, D[np.ix_([0, 2, 4], [0, 2, 4])])


def test_a_human_of_two_objects_is_refused_before_anything_is_compared():
    np.save("h.npy", D_ROWS[:2, :2])
    write("two.txt", "\n".join(SHUFFLED[:2]))
    matrix, present = read_human("h.npy", "dissimilarity", OBJECTS, "two.txt", "subset")
    assert matrix.shape == (2, 2)
    message = r"^h.npy covers 2 of the study's objects \(cat, music_box\); a comparison needs at least 3.$"
    with pytest.raises(InputError, match=message):
        require_pairs(present, "h.npy")
