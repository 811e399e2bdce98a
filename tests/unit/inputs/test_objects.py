import numpy as np
import pytest
from repalign.errors import InputError
from repalign.inputs.objects import file_order, positions, read_order

OBJECTS = ("ant", "bee", "cat", "dog")


def test_positions_reorder_by_name():
    names = ("dog", None, "ant", "cat", "bee")
    rows, present = positions(names, OBJECTS, "f")
    assert [names[row] for row in rows] == present == list(OBJECTS)


def test_a_subset_must_be_declared():
    with pytest.raises(InputError, match="^f lacks cat, dog; every object of this study needs a row.$"):
        positions(("bee", "ant"), OBJECTS, "f")
    rows, present = positions(("bee", "ant"), OBJECTS, "f", coverage="subset")
    np.testing.assert_array_equal(rows, [1, 0])
    assert present == ["ant", "bee"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("ant", "bee", "cat", "dog", "dog"), "f names dog more than once; each object needs one row."),
        (("ant", "bee", "cat", "eel"), "f names eel, not among the 4 objects of this study"),
    ],
)
def test_wrong_names_are_refused_by_name(names, message):
    with pytest.raises(InputError, match=message):
        positions(names, OBJECTS, "f")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "ant\nmusic box\n\n", ("ant", "music_box")),
        ("a.csv", "Word,exclude\nant,\nbee,1\n", ("ant", None)),
        ("a.tsv", "n\tuniqueID\n1\tant\n", ("ant",)),
        ("a.txt", "crème_brûlée\n", ("crème_brûlée",)),
    ],
)
def test_orders_are_read_from_text_and_tables(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_order(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "ant\n\nbee\n", "has an empty line 2; give one object name a line"),
        ("a.txt", "ant\nant\n", "names ant more than once"),
        ("a.csv", "label\nant\n", "names no objects: it needs a column called uniqueID"),
        ("a.txt", None, "does not exist; correct the path"),
    ],
)
def test_bad_orders_are_refused(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_order(tmp_path / name)


@pytest.mark.things
def test_file_order_is_that_of_the_image_files(things_dir):
    names = read_order(things_dir / "unique_id.txt")
    assert file_order(names) == read_order(things_dir / "file_order.txt")


@pytest.mark.things
def test_the_two_orders_of_things_differ_in_21_rows(things_dir):
    ours, files = (read_order(things_dir / f"{name}.txt") for name in ("unique_id", "file_order"))
    assert len(ours) == 1854
    assert sorted(ours) == sorted(files)
    assert sum(a != b for a, b in zip(ours, files, strict=True)) == 21
