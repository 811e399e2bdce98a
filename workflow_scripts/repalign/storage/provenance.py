"""What made a result: digests of the code behind a script."""

import ast
import hashlib
import json
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

MOST_KEPT = 4000  # entries of the cache, including those of old versions of files


def code_digest(script: str | Path) -> str:
    """Digest of a script and of every local module that it imports, directly or not.

    Only code that can alter results counts: comments, docstrings, formatting and the names and places of files do not.
    An import is hashed as what it brings in: the imported names and the code of the module that defines them. So a
    module can be moved or renamed, and its importers adapted, and the digest stays the same. Local modules are those
    found beside the script. Imports inside functions are followed too; a lazy re-export by name (PEP 562) is not.

    Parameters
    ----------
    script : path of a Python file

    Returns
    -------
    str, 16 hexadecimal digits.
    """
    script = Path(script).resolve()
    sources = _Sources.below(script.parent)
    reached = sources.reached(script)
    modules = sorted(source.code for path, source in reached.items() if path != script and not source.empty)
    imports = sorted(
        f"{source.code} {kind} {names} {reached[target].code}"
        for source in reached.values()
        for kind, names, target in source.imports
    )
    sources.save_cache()
    document = "\n".join([reached[script].code, *modules, *imports])
    return hashlib.sha256(document.encode()).hexdigest()[:16]


class _Source:
    """One file: the digest of its code, and what it imports locally as (kind, names, file)."""

    def __init__(self, code, empty, imports, packages):
        self.code, self.empty, self.imports, self.packages = code, empty, imports, packages


class _Sources:
    """The Python files below a folder. What parsing them gave is kept beside the bytecode: 200 files take seconds."""

    def __init__(self, root):
        self.root, self.read = root, {}
        self.path = root / "__pycache__" / f"provenance.{sys.implementation.cache_tag}.json"
        self.known: dict = {}
        self.changed = False
        with suppress(OSError, ValueError):
            known = json.loads(self.path.read_text(encoding="utf-8"))
            self.known = known if len(known) < MOST_KEPT else {}

    @staticmethod
    @cache
    def below(root):
        return _Sources(root)

    def reached(self, script):
        """Every file that running the script runs, as {path: _Source}."""
        found, pending = {}, [script]
        while pending:
            path = pending.pop()
            if path not in found:
                found[path] = source = self._source(path)
                pending += [target for *_, target in source.imports] + source.packages
        return found

    def _source(self, path):
        if path not in self.read:
            text = path.read_bytes()
            content = hashlib.sha256(text).hexdigest()
            imports = self._cached(content, lambda: _imports(_parsed(text, path)))
            resolved = [self._resolve(path, *entry) for entry in imports]
            # The same text is other code where other imports of it are local.
            kinds = "".join(kind[0] for kind, _ in resolved)
            code, empty, order = self._cached(f"{content} {kinds}", lambda: _code(_parsed(text, path), kinds))
            self.read[path] = _Source(code, empty, *self._targets(imports, resolved, order))
        return self.read[path]

    def _cached(self, key, make):
        if key not in self.known:
            self.known[key], self.changed = make(), True
        return self.known[key]

    def _resolve(self, path, module, level, name, _):
        """(kind, dotted name of the module) of one imported name: `external`, `module` or `name` of a module."""
        if level:
            package = path.relative_to(self.root).parts[:-level]
            module = ".".join([*package, *([module] if module else [])])
        if name and self._file(f"{module}.{name}" if module else name):
            return "module", f"{module}.{name}" if module else name
        if self._file(module):
            return ("name" if name else "module"), module
        return "external", ""

    def _targets(self, imports, resolved, order):
        found, packages = [], []
        for index, ((*_, name, bound), (kind, module)) in enumerate(zip(imports, resolved, strict=True)):
            if kind == "external":
                continue
            names = f"{name} as {bound or name}" if kind == "name" else order.get(str(index), "unused")
            found.append((kind, names, self._file(module)))
            above = module.split(".")
            files = [self._file(".".join(above[:depth])) for depth in range(1, len(above))]
            packages += [file for file in files if file]
        return found, packages

    @cache  # noqa: B019 - one object a folder lives as long as the process
    def _file(self, module):
        """The file of a dotted name below the root, or None."""
        base = self.root.joinpath(*module.split("."))
        candidates = (base / "__init__.py", base.with_suffix(".py")) if module else ()
        return next((file for file in candidates if file.is_file()), None)

    def save_cache(self):
        if self.changed:
            self.changed = False
            # A folder that cannot be written costs the seconds, no more.
            with suppress(OSError):
                self.path.parent.mkdir(exist_ok=True)
                temporary = self.path.with_suffix(f".{os.getpid()}")
                temporary.write_text(json.dumps(self.known), encoding="utf-8")
                temporary.replace(self.path)


def _parsed(text, path):
    return ast.parse(text, filename=str(path))


def _import_nodes(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def _imports(tree):
    """(module, level, name or None, bound name or None) of every imported name, in the order of `ast.walk`."""
    found = []
    for node in _import_nodes(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0, None, alias.asname) for alias in node.names]
        else:
            found += [(node.module or "", node.level, alias.name, alias.asname) for alias in node.names]
    return found


def _code(tree, kinds):
    """Digest of the code, whether it is empty, and the order in which imported modules are used.

    Local imports are taken out, and local modules are called by the order of their first use.
    """
    modules, number = {}, 0
    local = {}
    for node in _import_nodes(tree):
        kept = []
        for alias in node.names:
            kind, index = kinds[number], number
            number += 1
            if kind == "e":
                kept.append(alias)
            elif kind == "m":
                dotted = isinstance(node, ast.Import) and not alias.asname
                modules[alias.name if dotted else alias.asname or alias.name] = index
        local[id(node)] = kept
    normaliser = _Normaliser(local, modules)
    tree = normaliser.visit(tree)
    text = ast.unparse(ast.fix_missing_locations(tree))
    order = {str(index): f"module {place}" for index, place in normaliser.order.items()}
    return hashlib.sha256(text.encode()).hexdigest(), text.strip() in ("", "pass"), order


class _Normaliser(ast.NodeTransformer):
    """Takes docstrings and local imports out, and names local modules by the order of their first use."""

    def __init__(self, local, modules):
        self.local, self.modules, self.order = local, modules, {}

    def visit_Import(self, node):
        node.names = self.local[id(node)]
        return node if node.names else None

    visit_ImportFrom = visit_Import

    def visit_Name(self, node):
        return self._module(node.id) or node

    def visit_Attribute(self, node):
        return self._module(_dotted(node)) or self.generic_visit(node)

    def _module(self, name):
        if name not in self.modules:
            return None
        place = self.order.setdefault(self.modules[name], len(self.order))
        return ast.Name(f"module {place}", ast.Load())

    def generic_visit(self, node):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[isinstance(first.value.value, str) :]
        node = super().generic_visit(node)
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]
        return node


def _dotted(node):
    """The dotted name of an attribute of an attribute ... of a name; None for any other expression."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None
