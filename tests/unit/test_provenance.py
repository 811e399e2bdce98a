import json

import pytest
from repalign import provenance
from repalign.provenance import code_digest

FILES = {
    "score.py": "from lib.a import f\nprint(f(1))\n",
    "other.py": "from lib.c import h\n",
    "lib/__init__.py": '"""A library."""\n',
    "lib/a.py": '"""Doc."""\n\ndef f(x):\n    """Doc."""\n    from lib import b\n    return b.g(x)  # why\n',
    "lib/b.py": "import math\n\ndef g(x):\n    return x + 1\n",
    "lib/c.py": "def h():\n    pass\n",
}


@pytest.fixture
def tree(tmp_path):
    """Write the files, some changed, into a folder of their own and return the digests of both scripts."""

    def digests(number, changes=None):
        root = tmp_path / str(number)
        for name, text in (FILES | (changes or {})).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return {name: code_digest(root / f"{name}.py") for name in ("score", "other")}

    return digests


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("lib/a.py", "# why", "# because"),
        ("lib/a.py", '"""Doc."""', '"""Longer documentation."""'),
        ("lib/b.py", "x + 1", "(x\n            + 1)"),
        ("lib/__init__.py", "A library", "The library"),
    ],
)
def test_comments_docstrings_and_format_do_not_count(tree, name, old, new):
    assert tree(1) == tree(2, {name: FILES[name].replace(old, new)})


def test_a_change_two_imports_deep_counts_for_those_who_use_it(tree):
    before, after = tree(1), tree(2, {"lib/b.py": FILES["lib/b.py"].replace("x + 1", "x + 2")})
    assert before["score"] != after["score"]
    assert before["other"] == after["other"]


def test_a_package_file_counts_for_all_below_it(tree):
    before, after = tree(1), tree(2, {"lib/__init__.py": "LIMIT = 1\n"})
    assert before["score"] != after["score"]
    assert before["other"] != after["other"]


def test_relative_imports_are_followed(tree):
    relative = {"lib/a.py": "from .b import g\n\ndef f(x):\n    return g(x)\n"}
    before, after = tree(1, relative), tree(2, relative | {"lib/b.py": "def g(x):\n    return -x\n"})
    assert before["score"] != after["score"]


def test_what_is_kept_beside_the_bytecode_is_used_and_may_be_damaged_or_missing(tmp_path, tree, monkeypatch):
    before = tree(1)
    kept = next((tmp_path / "1/__pycache__").glob("provenance.*.json"))
    assert len(json.loads(kept.read_text())) == len(set(FILES.values()))
    monkeypatch.setattr(provenance, "_facts", lambda *_: pytest.fail("known code was read anew"))
    provenance._Facts.of.cache_clear()
    assert {name: code_digest(tmp_path / f"1/{name}.py") for name in before} == before
    monkeypatch.undo()
    kept.write_text("{broken")
    provenance._Facts.of.cache_clear()
    assert {name: code_digest(tmp_path / f"1/{name}.py") for name in before} == before
    (tmp_path / "1/lib/b.py").write_text(FILES["lib/b.py"].replace("x + 1", "x + 2"))
    provenance._Facts.of.cache_clear()
    assert code_digest(tmp_path / "1/score.py") != before["score"]
