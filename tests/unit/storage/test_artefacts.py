import numpy as np
import pandas as pd
import pytest
from repalign.errors import InputError
from repalign.storage.artefacts import atomic, read_arrays, read_table, write_arrays, write_table


def test_arrays_come_back_with_their_metadata(tmp_path):
    path = tmp_path / "deep" / "a.safetensors"
    arrays = {"b": np.arange(6.0).reshape(2, 3).T, "a": np.array([1, 2], dtype=np.int32)}
    write_arrays(path, arrays, {"objects": ["naïve", "b,c"], "seed": 3})
    back, metadata = read_arrays(path)
    assert metadata == {"objects": ["naïve", "b,c"], "seed": 3}
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype


def test_equal_content_gives_equal_bytes(tmp_path):
    arrays = {name: np.full(3, i) for i, name in enumerate("xyz")}
    metadata = {str(i): i for i in range(20)}
    for name, order in (("a", 1), ("b", -1)):
        write_arrays(tmp_path / name, arrays, dict(list(metadata.items())[::order]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic(path) as temporary:
        temporary.write_bytes("not bytes")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_array_and_a_broken_file_are_named(tmp_path):
    path = tmp_path / "a.safetensors"
    write_arrays(path, {"layer1": np.ones(2)}, {})
    with pytest.raises(InputError, match=r"a\.safetensors has no array layer2; it holds layer1\."):
        read_arrays(path, ["layer2"])
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(
        InputError, match="has changed since it was written .*; delete it and type the same command again"
    ):
        read_arrays(path)


@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_tables_keep_every_digit(tmp_path, ending):
    frame = pd.DataFrame({"name": ["a", "b"], "value": [1 / 3, np.nan], "n": [1, 2]})
    write_table(tmp_path / f"t.{ending}", frame)
    pd.testing.assert_frame_equal(read_table(tmp_path / f"t.{ending}"), frame, check_dtype=False)
