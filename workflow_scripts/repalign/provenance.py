"""What made a result: a digest of the code behind a script."""

import ast
import hashlib
from functools import cache
from pathlib import Path


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
    root = Path(script).resolve().parent
    sources = {path: _normalised(path) for path in _reachable(Path(script).resolve(), root)}
    document = "\n".join(f"{path.relative_to(root)}\n{sources[path]}" for path in sorted(sources))
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def _reachable(script, root):
    seen, pending = set(), [script]
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending.extend(_local_imports(path, root))
    return seen


@cache
def _local_imports(path, root):
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found += _module_files(alias.name, root)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, path, root)
            found += _module_files(base, root)
            for alias in node.names:
                found += _module_files(f"{base}.{alias.name}", root)
    return found


def _absolute(node, path, root):
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _module_files(name, root):
    """The files that importing a dotted name runs: the module and the packages above it."""
    parts = name.split(".")
    files = []
    for depth in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:depth])
        files += [file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()]
    return files


@cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _normalised(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
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
