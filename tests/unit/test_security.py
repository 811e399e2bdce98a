"""What was downloaded is data, hashes come before use, names never reach a shell, secrets stay where they are."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from audit import affected, known, locked

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow_scripts"
SOURCES = sorted([*LIBRARY.rglob("*.py"), *(ROOT / "profiles").rglob("*.py")])
RULES = [ROOT / "Snakefile", *sorted((ROOT / "rules").rglob("*.smk"))]


def calls(path):
    """Every call of a Python file: its dotted name and its keyword arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}, node


def test_nothing_that_runs_code_from_data_is_called():
    """No unpickling, no eval, no YAML that makes objects, no shell."""
    forbidden = re.compile(
        r"(^|\.)(eval|exec|system|popen|load_pickle|read_pickle|unsafe_load|full_load|joblib\.load)$"
        r"|^(pickle|marshal|shelve|dill|cloudpickle)\.(loads?|open)$|^yaml\.load$|^torch\.hub\.load$"
    )
    allowed = {"network.eval", "module.eval", "self.eval", "model.eval"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {name}"
        for path in SOURCES
        for name, _, node in calls(path)
        if forbidden.search(name) and name not in allowed and not name.endswith((".eval", ").eval"))
    ]
    assert found == []
    assert not any("shell=True" in path.read_text() for path in SOURCES)


@pytest.mark.parametrize(
    ("function", "argument", "value"),
    [
        (r"(^|\.)torch\.load$", "weights_only", "True"),
        (r"^np\.load$", "allow_pickle", "False"),
        (r"(Config|Processor|Model)\.from_(pretrained|config)$", "trust_remote_code", "False"),
    ],
)
def test_loaders_that_could_run_code_are_told_not_to(function, argument, value):
    found = [
        (path.name, node.lineno, keywords.get(argument))
        for path in SOURCES
        for name, keywords, node in calls(path)
        if re.search(function, name)
    ]
    assert found, f"nothing calls {function} any more: drop this row"
    assert [entry for entry in found if entry[2] != value] == []


def test_no_rule_has_a_shell_command():
    """Names from sheets end as wildcards, so no rule may paste them into a shell."""
    for path in RULES:
        assert not re.search(r"^\s*(shell|run)\s*:", path.read_text(), re.MULTILINE), path.name


def test_subprocesses_get_lists_not_strings():
    for path in SOURCES:
        for name, _, node in calls(path):
            if re.match(r"subprocess\.(run|Popen|check_output|call|check_call)$", name):
                assert isinstance(node.args[0], ast.List | ast.Name), f"{path.name}:{node.lineno}"


def test_yaml_of_the_workflow_is_read_as_data():
    for path in RULES:
        assert not re.search(r"yaml\.(load|full_load|unsafe_load)\(", path.read_text()), path.name


def test_importing_the_checks_of_a_job_loads_nothing_heavy():
    """Every job of the cluster parses the workflow again."""
    code = (
        "import sys; import repalign.study.study, repalign.study.resources, repalign.storage.provenance;"
        "print([n for n in ('torch', 'pandas', 'scipy', 'sklearn', 'matplotlib', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=LIBRARY, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_locked_package_has_a_known_vulnerability():
    """As of the day that the table names; `make audit` asks the database of today."""
    rows, day = known()
    versions = locked()
    assert len(versions) > 100
    assert len(rows) > 100
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", day)
    bad = [row for row in rows if row["package"] in versions and affected(row, versions[row["package"]])]
    assert bad == []


def test_a_vulnerable_version_would_be_found():
    rows, _ = known()
    old = {"pillow": "9.0.0", "pyyaml": "5.3", "requests": "2.30.0"}
    found = {row["package"] for row in rows if row["package"] in old and affected(row, old[row["package"]])}
    assert found == set(old)
