"""Declared dependencies, the lock and the conda environments agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "envs/requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
STAGES = sorted((ROOT / "envs").glob("*.yaml"))


def locked(python="3.11"):
    """Version by package on Linux and one Python version."""
    versions = {}
    environment = {
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    for line in LOCK.splitlines():
        if match := re.match(r"^([A-Za-z0-9_.\[\]-]+)==(\S+)(?: ; (.*?))? \\$", line):
            name, version, marker = match.groups()
            if marker is None or Marker(marker).evaluate(environment):
                versions[canonicalize_name(name)] = version
    return versions


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_declared_dependency_is_locked_within_its_range(python):
    versions = locked(python)
    declared = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["test"]
    for requirement in map(Requirement, declared):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_every_locked_package_has_hashes_and_no_index_is_named():
    entries = re.split(r"\n(?=[a-zA-Z])", LOCK)
    packages = [entry for entry in entries if re.match(r"[A-Za-z0-9_.\[\]-]+==", entry)]
    assert len(packages) > 100
    assert all("--hash=sha256:" in entry for entry in packages)
    assert "://" not in LOCK
    assert "--index" not in LOCK


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_conda_environments_pin_what_the_lock_pins(path):
    versions = locked()
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]}
    pins = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    for requirement in map(Requirement, pins):
        name = canonicalize_name(requirement.name)
        assert name in declared
        assert str(requirement.specifier) == f"=={versions[name]}"


def test_every_rule_with_a_script_has_its_script_and_its_environment():
    scripts, used = set(), set()
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text()
        for block in re.split(r"\n\s*(?=rule |checkpoint )", text)[1:]:
            name = re.match(r"(?:rule|checkpoint) (\w+)", block)[1]
            if match := re.search(r'script:\s*"\.\./workflow_scripts/(\w+)\.py"', block):
                assert match[1] == name
                # What was fetched stays as it is, whatever becomes of the code that fetched it. A rule without a log of
                # its own has the digest by its name, see rules/names.smk.
                assert f'code=code("{name}")' in block or name.startswith("fetch_") or "log:" not in block
                scripts.add(name)
                used.add(re.search(r'conda:\s*"\.\./envs/(\w+)\.yaml"', block)[1])
    assert scripts == {path.stem for path in (ROOT / "workflow_scripts").glob("*.py")}
    assert used <= {path.stem for path in STAGES}
