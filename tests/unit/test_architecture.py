"""The rooms of the library: what each may import. The contracts are in pyproject.toml, read by import-linter."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow_scripts/repalign"


def lint_imports(folder):
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--config",
        ROOT / "pyproject.toml",
    ]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )


def test_every_room_imports_only_what_it_may():
    run = lint_imports(LIBRARY.parent)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("measures/rdm.py", "from repalign.analysis.maps import pooled"),
        ("gwot/system.py", "from repalign.study.sheets import select"),
        ("statistics/bootstrap.py", "from repalign.measures.rsa import ranks"),
        ("storage/artefacts.py", "from repalign.figures.style import styled"),
    ],
)
def test_an_import_from_a_room_above_is_found(tmp_path, room, line):
    shutil.copytree(LIBRARY, tmp_path / "repalign", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "repalign" / room
    module.write_text(f"{module.read_text()}\n{line}\n")
    run = lint_imports(tmp_path)
    assert run.returncode == 1
    assert "BROKEN" in run.stdout


def imported(path):
    """Top-level names of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


# Builds the job of a script for the debugger, so it has to ask Snakemake, inside its function.
ASKS_SNAKEMAKE = LIBRARY / "jobs/mock.py"


def test_the_library_imports_no_script_and_no_snakemake():
    outside = {path.stem for path in LIBRARY.parent.glob("*.py")} | {"snakemake", "rules"}
    found = {path: outside & set(imported(path)) for path in LIBRARY.rglob("*.py")}
    assert {path: names for path, names in found.items() if names} == {ASKS_SNAKEMAKE: {"snakemake"}}


def test_what_the_rules_import_loads_neither_torch_nor_snakemake():
    """`rules/common.smk` is read again in every job of a cluster."""
    pattern = re.compile(r"^from repalign\S* import (?:\([^)]*\)|[^(\n]+)$", re.MULTILINE)
    lines = [line for path in ROOT.glob("rules/**/*.smk") for line in pattern.findall(path.read_text())]
    assert len(lines) > 5
    heavy = ("torch", "snakemake", "matplotlib", "scipy", "sklearn", "pandas", "pyarrow")
    code = "\n".join(["import sys", *lines, f"print({{*{heavy}}} & {{*sys.modules}})"])
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(LIBRARY.parent)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "set()", run.stdout + run.stderr


def test_every_module_lies_in_a_room():
    flat = {path.name for path in LIBRARY.glob("*.py")}
    assert flat == {"__init__.py", "__main__.py", "devices.py", "errors.py", "labels.py"}


# Rooms whose public functions are annotated, each argument and the result; mypy checks them (`make lint`).
ANNOTATED = ("storage", "study")


def bare(path):
    """Public functions and methods of a file that lack an annotation."""
    tree = ast.parse(path.read_text())
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for node in (node for owner in owners for node in owner.body):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            missing = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            if missing or node.returns is None:
                yield f"{path.relative_to(LIBRARY)}: {node.name}"


def test_public_functions_are_annotated():
    paths = [path for room in ANNOTATED for path in (LIBRARY / room).rglob("*.py")]
    # Written anew with the columns of scores.
    paths.remove(LIBRARY / "storage/score_table.py")
    assert len(paths) > 8
    assert [name for path in paths for name in bare(path)] == []
