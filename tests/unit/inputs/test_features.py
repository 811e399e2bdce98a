import numpy as np
import pytest
from repalign.errors import InputError
from repalign.inputs.features import random_features, read_precomputed
from repalign.storage.artefacts import write_arrays

OBJECTS = ("ant", "bee", "cat", "dog")
SHUFFLED = ("cat", "ant", "dog", "bee")
X = np.array([[1.0, 2, 3], [4, 5, 7], [7, 8, 10], [0, 1, 3]])  # in the order of OBJECTS
ROWS = X[[OBJECTS.index(name) for name in SHUFFLED]]  # as the file has them


@pytest.fixture
def order(tmp_path):
    path = tmp_path / "order.txt"
    path.write_text("\n".join(SHUFFLED) + "\n")
    return path


def save(path, rows):
    """Write rows in the format of the path's ending."""
    if path.suffix == ".npy":
        np.save(path, rows)
    elif path.suffix == ".npz":
        np.savez(path, features=rows)
    elif path.suffix == ".safetensors":
        write_arrays(path, {"features": rows}, {})
    else:
        np.savetxt(path, rows, delimiter={".csv": ",", ".tsv": "\t"}.get(path.suffix, " "))


@pytest.mark.parametrize("ending", ["npy", "npz", "safetensors", "txt", "csv", "tsv"])
def test_every_format_is_reordered_by_name(tmp_path, order, ending):
    path = tmp_path / f"f.{ending}"
    save(path, ROWS)
    read = read_precomputed(path, ["features"], OBJECTS, order)
    np.testing.assert_array_equal(read["features"], X.astype(np.float32))


@pytest.mark.parametrize("ending", ["npy", "npz", "safetensors", "txt", "csv"])
def test_a_file_without_names_is_refused_unless_its_order_is_declared(tmp_path, ending):
    path = tmp_path / f"f.{ending}"
    save(path, ROWS)
    with pytest.raises(InputError, match=r"f\.\w+ does not name its rows and no order is declared; set"):
        read_precomputed(path, ["features"], OBJECTS)


def test_files_that_name_their_rows_need_no_order(tmp_path):
    np.savez(tmp_path / "f.npz", features=ROWS, objects=np.array(SHUFFLED))
    write_arrays(tmp_path / "f.safetensors", {"features": ROWS}, {"objects": SHUFFLED})
    lines = [",".join([name, *map(str, row)]) for name, row in zip(SHUFFLED, ROWS, strict=True)]
    (tmp_path / "f.csv").write_text("\n".join(lines))
    (tmp_path / "headed.csv").write_text("\n".join(["object,a,b,c", *lines]))
    for name in ("f.npz", "f.safetensors", "f.csv", "headed.csv"):
        np.testing.assert_array_equal(read_precomputed(tmp_path / name, ["features"], OBJECTS)["features"], X)


def test_several_layers_and_a_leading_axis_of_one(tmp_path, order):
    np.savez(tmp_path / "f.npz", a=ROWS[None], b=2 * ROWS)
    read = read_precomputed(tmp_path / "f.npz", ["b", "a"], OBJECTS, order)
    assert list(read) == ["b", "a"]
    np.testing.assert_array_equal(read["b"], 2 * read["a"])


def with_value(value):
    rows = ROWS.copy()
    rows[2, 1] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (with_value(np.nan), r"f\.npy holds NaN or infinity for dog; recompute these rows"),
        (with_value(-np.inf), r"f\.npy holds NaN or infinity for dog"),
        (
            np.where(np.arange(4)[:, None] == 1, 5.0, ROWS),
            r"f\.npy is constant for ant, so these objects have no",
        ),
        (ROWS[:3], r"f\.npy has 3 rows but its order names 4; use the order of this very file"),
        (ROWS[:, 0], r"f\.npy holds a float64 array of shape \(4,\); repalign needs objects x features"),
        (ROWS.astype(str), r"f\.npy holds a <U\d+ array"),
        (np.array([[None]]), "is not a plain npy array"),
    ],
)
def test_bad_features_are_refused_by_name(tmp_path, order, rows, message):
    np.save(tmp_path / "f.npy", rows, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        read_precomputed(tmp_path / "f.npy", ["features"], OBJECTS, order)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.csv", "1,2\n3,x\n5,6\n7,8\n", r"f\.csv has 'x' in data row 2, where a number belongs"),
        ("f.csv", "1,2\n3,nan\n5,6\n7,8\n", "holds NaN or infinity for ant"),
        ("f.txt", "1 2\n3\n", r"f\.txt has 1 instead of 2 cells in row 2"),
        ("f.doc", "1", r"is none of \.npy, \.npz"),
        ("f.npy", "no array", "is not a plain npy array"),
        ("f.npz", "no archive", "is not a plain npz archive"),
    ],
)
def test_broken_files_are_refused(tmp_path, order, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_precomputed(tmp_path / name, ["features"], OBJECTS, order)


def test_unknown_layers_list_what_there_is(tmp_path, order):
    np.savez(tmp_path / "f.npz", block1=ROWS, block2=ROWS)
    with pytest.raises(InputError, match="has no layer block3; it holds block1, block2"):
        read_precomputed(tmp_path / "f.npz", ["block3"], OBJECTS, order)
    np.save(tmp_path / "f.npy", ROWS)
    with pytest.raises(InputError, match="holds one layer but the sheet asks for a, b"):
        read_precomputed(tmp_path / "f.npy", ["a", "b"], OBJECTS, order)


def test_random_controls_follow_the_seed():
    one, same, other = (random_features("8", ["features"], 50, seed)["features"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.2
    with pytest.raises(InputError, match="needs a number of features"):
        random_features("many", ["features"], 5, 0)
