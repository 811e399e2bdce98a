import json

import pytest
from repalign.storage import provenance
from repalign.storage.provenance import code_digest

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


def moved(renames, changes=None):
    """The files with some renamed; `changes` holds texts by new name."""
    kept = {name: text for name, text in FILES.items() if name not in renames}
    return kept | {new: FILES[old] for old, new in renames.items()} | (changes or {})


@pytest.fixture
def digest(tmp_path):
    """Digest of `score.py` in a folder that holds just these files."""

    def compute(number, files):
        root = tmp_path / f"whole{number}"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return code_digest(root / "score.py")

    return compute


MOVES = {
    "two rooms": moved(
        {"lib/a.py": "lib/rooms/first.py", "lib/b.py": "lib/deep/er/second.py"},
        {
            "score.py": "from lib.rooms.first import f\nprint(f(1))\n",
            "lib/rooms/__init__.py": '"""A room."""\n',
            "lib/deep/__init__.py": "",
            "lib/deep/er/__init__.py": "# nothing\n",
            "lib/rooms/first.py": FILES["lib/a.py"]
            .replace("from lib import b", "from lib.deep.er import second")
            .replace("b.g(x)", "second.g(x)"),
        },
    ),
    "another package": moved(
        {"lib/__init__.py": "kit/__init__.py", "lib/a.py": "kit/a.py", "lib/b.py": "kit/b.py"},
        {
            "score.py": "from kit.a import f\nprint(f(1))\n",
            "kit/a.py": FILES["lib/a.py"].replace("from lib import b", "from kit import b"),
        },
    ),
    "imported by its dotted name": FILES
    | {"score.py": "from lib.a import f\nprint(f(1))\n"}
    | {"lib/a.py": "import lib.b\n\ndef f(x):\n    return lib.b.g(x)\n"},
    "relative": FILES | {"lib/a.py": "from . import b\n\ndef f(x):\n    return b.g(x)\n"},
    "under another name": FILES | {"lib/a.py": "import lib.b as c\n\ndef f(x):\n    return c.g(x)\n"},
}


@pytest.mark.parametrize("case", MOVES)
def test_a_module_may_be_moved_and_renamed(digest, case):
    # Where an import stands within a module is not part of the code either.
    files = MOVES[case]
    assert digest(1, FILES) == digest(2, files)
    text = next(name for name in files if "return x + 1" in files[name])
    deep = files | {text: files[text].replace("x + 1", "x + 2")}
    assert digest(3, deep) == digest(4, FILES | {"lib/b.py": FILES["lib/b.py"].replace("x + 1", "x + 2")})
    assert digest(3, deep) != digest(1, FILES)


def test_the_same_name_from_another_module_counts(digest):
    both = {"lib/a.py": "from lib.b import g\nfrom lib.c import h\n\ndef f(x):\n    return g(x) + h()\n"}
    both |= {"lib/b.py": "def g(x):\n    pass\n\ndef h():\n    return 1\n"}
    both |= {"lib/c.py": "def g(x):\n    return 1\n\ndef h():\n    pass\n"}
    swapped = both["lib/a.py"].replace("lib.b", "lib.x").replace("lib.c", "lib.b").replace("lib.x", "lib.c")
    assert digest(1, FILES | both) != digest(2, FILES | both | {"lib/a.py": swapped})


def test_modules_that_import_each_other_are_digested(digest):
    circle = {"lib/b.py": "from lib import a\n\ndef g(x):\n    return a.f(x - 1) if x else 0\n"}
    changed = {"lib/b.py": circle["lib/b.py"].replace("else 0", "else 1")}
    assert digest(1, FILES | circle) != digest(2, FILES | changed)


def test_the_cache_beside_the_bytecode_is_used_and_may_be_damaged_or_missing(tmp_path, tree, monkeypatch):
    before = tree(1)
    kept = next((tmp_path / "1/__pycache__").glob("provenance.*.json"))
    assert len(json.loads(kept.read_text())) == 2 * len(set(FILES.values()))
    monkeypatch.setattr(provenance, "_parsed", lambda *_: pytest.fail("known code was parsed anew"))
    provenance._Sources.below.cache_clear()
    assert {name: code_digest(tmp_path / f"1/{name}.py") for name in before} == before
    monkeypatch.undo()
    kept.write_text("{broken")
    provenance._Sources.below.cache_clear()
    assert {name: code_digest(tmp_path / f"1/{name}.py") for name in before} == before
    (tmp_path / "1/lib/b.py").write_text(FILES["lib/b.py"].replace("x + 1", "x + 2"))
    provenance._Sources.below.cache_clear()
    assert code_digest(tmp_path / "1/score.py") != before["score"]
