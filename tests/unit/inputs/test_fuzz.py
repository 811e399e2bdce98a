"""Whatever bytes a file holds and whatever a config says, the answer is a result or one sentence, never a traceback."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from repalign.errors import InputError
from repalign.inputs.features import FORMATS, read_precomputed
from repalign.inputs.objects import read_order
from repalign.inputs.things import read_concepts, read_human, read_triplets
from repalign.storage.artefacts import read_arrays
from repalign.study.sheets import expand_layers, read_models
from repalign.study.study import read_study
from small_files import CATEGORIES, NPY, NPZ, OBJECTS, ORDER, TABLE_OF_NUMBERS, TENSORS
from small_studies import DEFAULTS, MODEL, ROOT, SCHEMAS, sheet

FUZZ = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WHOLE = {".npy": NPY, ".npz": NPZ, ".safetensors": TENSORS, ".txt": b"1 2\n3 4\n5 6\n7 8\n"}
TABLES = {".csv": TABLE_OF_NUMBERS.encode(), ".tsv": TABLE_OF_NUMBERS.replace(",", "\t").encode()}


@st.composite
def damaged(draw, whole):
    """A good file with bytes replaced, removed, inserted or cut, or bytes of any kind."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(["replace", "remove", "insert", "cut"])):
            case "replace":
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=3))
            case "remove":
                del content[place : place + draw(st.integers(1, 9))]
            case "insert":
                content[place:place] = draw(st.binary(max_size=9))
            case "cut":
                del content[place:]
    return bytes(content)


def answer(function, *arguments):
    """The result, or the sentence of an InputError; everything else fails the test."""
    try:
        return function(*arguments)
    except InputError as error:
        sentence = str(error)
    assert sentence.strip()
    assert len(sentence) < 1500
    return None


@pytest.mark.parametrize("ending", FORMATS)
@FUZZ
@given(data=st.data())
def test_damaged_features_are_read_or_refused(ending, data, tmp_path):
    path, order = tmp_path / f"f{ending}", tmp_path / "order.txt"
    path.write_bytes(data.draw(damaged((WHOLE | TABLES)[ending])))
    order.write_text(ORDER)
    for declared in (order, None):
        result = answer(read_precomputed, path, ["f"], OBJECTS, declared)
        if result is not None:
            assert np.isfinite(result["f"]).all()
            assert len(result["f"]) == len(OBJECTS)
    if ending == ".safetensors":
        answer(read_arrays, path)


@FUZZ
@given(data=st.data())
def test_damaged_things_files_are_read_or_refused(data, tmp_path):
    order = tmp_path / "order.txt"
    order.write_text(ORDER)
    for name, whole in {"t.txt": b"0 1 2\n", "o.csv": b"object,exclude\na,1\nb,0\n"}.items():
        (tmp_path / name).write_bytes(data.draw(damaged(whole)))
    (tmp_path / "c.csv").write_bytes(data.draw(damaged(CATEGORIES.encode())))
    (tmp_path / "h.mat").write_bytes(data.draw(damaged(b"MATLAB 5.0 MAT-file" + bytes(120))))
    triplets = answer(read_triplets, tmp_path / "t.txt", OBJECTS, order)
    assert triplets is None or (triplets < len(OBJECTS)).all()
    answer(read_order, tmp_path / "o.csv")
    answer(read_concepts, order, tmp_path / "c.csv")
    answer(read_human, tmp_path / "h.mat", "dissimilarity", OBJECTS, order)


@FUZZ
@given(content=damaged(sheet(MODEL).encode()))
def test_damaged_sheets_are_read_or_refused(content, tmp_path):
    path = tmp_path / "models.tsv"
    path.write_bytes(content)
    models = answer(read_models, path, SCHEMAS["models"], {"things_dir": "d"})
    for name, row in (models or {}).items():
        assert name.isidentifier() or name[0].isdigit()
        assert all("/" not in layer and layer.strip(".") for layer in row["layers"])


@FUZZ
@given(text=st.text(alphabet="ab.{}0123-_,/ \n'\"$", max_size=30))
@example("a.{0..999999999999999999999}")
@example("{0..1}{0..1}")
def test_layers_expand_to_safe_names_or_are_refused(text):
    for name in answer(expand_layers, text) or []:
        assert "/" not in name
        assert not set(name) & set(" \n'\"${}")
        assert name.strip(".")


def leaves(node, path=()):
    for key, value in node.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(FUZZ, max_examples=150)
@given(key=st.sampled_from(list(leaves(DEFAULTS))), value=VALUES)
def test_any_value_of_any_key_is_taken_or_refused(key, value, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = copy.deepcopy(DEFAULTS)
    node = config
    for part in key[:-1]:
        node = node[part]
    node[key[-1]] = value
    study = answer(read_study, config, SCHEMAS)
    if study is not None:
        json.dumps(study.config)  # what passed is plain data
        assert Path(study.config["study"]).name == study.config["study"]


@FUZZ
@given(name=st.text(max_size=12), value=VALUES)
def test_any_unknown_key_is_refused(name, value, monkeypatch):
    monkeypatch.chdir(ROOT)
    if name not in DEFAULTS:
        with pytest.raises(InputError):
            read_study(copy.deepcopy(DEFAULTS) | {name: value}, SCHEMAS)
