"""What made a result: digests of the code behind a script, and of files."""

import ast
import hashlib
import json
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

MOST_KEPT = 2000  # contents of files, old ones too


def code_digest(script):
    """Digest of a script and of every local module that it imports, directly or not.

    Comments, docstrings and formatting do not count, so only a change that can alter results alters the digest.
    Local modules are those found beside the script. Imports are followed where they are written, inside functions
    too; a lazy re-export by name (PEP 562) is not, so scripts import from the defining module.

    Parameters
    ----------
    script : path of a Python file

    Returns
    -------
    str, 16 hexadecimal digits.
    """
    script = Path(script).resolve()
    root = script.parent
    facts = _Facts.of(root)
    reached = sorted(_reachable(script, root, facts))
    document = "\n".join(f"{path.relative_to(root)}\n{facts[path]['code']}" for path in reached)
    facts.keep()
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def _reachable(script, root, facts):
    seen, pending = set(), [script]
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending.extend(_local_imports(path, root, facts))
    return seen


def _local_imports(path, root, facts):
    found = []
    for module, level, names in facts[path]["imports"]:
        base = _absolute(module, level, path, root)
        found += _module_files(base, root)
        for name in names:
            found += _module_files(f"{base}.{name}", root)
    return found


class _Facts:
    """What each file's code is and what it imports, kept beside the bytecode: parsing 200 files takes seconds."""

    def __init__(self, root):
        self.path = root / "__pycache__" / f"provenance.{sys.implementation.cache_tag}.json"
        self.known, self.new, self.seen = {}, False, {}
        with suppress(OSError, ValueError):
            known = json.loads(self.path.read_text(encoding="utf-8"))
            self.known = known if len(known) < MOST_KEPT else {}

    @staticmethod
    @cache
    def of(root):
        return _Facts(root)

    def __getitem__(self, path):
        if path not in self.seen:
            source = path.read_bytes()
            content = hashlib.sha256(source).hexdigest()
            if content not in self.known:
                self.known[content], self.new = _facts(source, path), True
            self.seen[path] = self.known[content]
        return self.seen[path]

    def keep(self):
        if self.new:
            self.new = False
            # A folder that cannot be written costs the seconds, no more.
            with suppress(OSError):
                self.path.parent.mkdir(exist_ok=True)
                temporary = self.path.with_suffix(f".{os.getpid()}")
                temporary.write_text(json.dumps(self.known), encoding="utf-8")
                temporary.replace(self.path)


def _facts(source, path):
    tree, imports = ast.parse(source, filename=str(path)), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(alias.name, 0, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.module or "", node.level, [alias.name for alias in node.names]))
    return {"code": hashlib.sha256(_normalised(tree).encode()).hexdigest(), "imports": imports}


def _absolute(module, level, path, root):
    if not level:
        return module
    package = path.relative_to(root).parts[:-level]
    return ".".join([*package, *([module] if module else [])])


@cache
def _module_files(name, root):
    """The files that importing a dotted name runs: the module and the packages above it."""
    parts = name.split(".")
    files = []
    for depth in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:depth])
        files += [file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()]
    return files


def _normalised(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def files_digest(paths):
    """Digest of the names and contents of files, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def sha256_of(path):
    """sha256 of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
