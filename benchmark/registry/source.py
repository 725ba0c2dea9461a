"""Reading what a class says of itself from its source, and importing plug-ins."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.errors import BenchError, UsageError
from benchmark.io.files import digest
from benchmark.io.packages import package_folder
from benchmark.registry.entries import Entry

# The spokes, named only as strings.
PACKAGES = {"upstream": "upstreams", "downstream": "downstreams", "corpus": "tasks.corpora"}


def _literals(node: ast.ClassDef) -> dict[str, Any]:
    found = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        value = statement.value
        plain = isinstance(value, ast.Constant) or (
            isinstance(value, ast.Tuple) and all(isinstance(one, ast.Constant) for one in value.elts)
        )
        if plain and value is not None and len(targets) == 1 and isinstance(targets[0], ast.Name):
            found[targets[0].id] = ast.literal_eval(value)
    return found


def scan_package(kind: str) -> list[Entry]:
    """The classes of a kind that have a literal name, in the package of that kind and its rooms."""
    entries = []
    package = PACKAGES[kind]
    folder = package_folder(package)
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder)
        module = ".".join([package, *place.with_suffix("").parts]).removesuffix(".__init__")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef):
                continue
            literals = _literals(node)
            if isinstance(literals.get("name"), str) and node.bases:
                summary = (ast.get_docstring(node) or "").split("\n")[0]
                target = f"{module}:{node.name}"
                where = f"{package.replace('.', '/')}/{place.as_posix()}"
                known = literals.get("trained_on", ())
                extra, examine = literals.get("extra"), literals.get("examine")
                entry = Entry(literals["name"], target, summary, where, extra=extra, examine=examine, trained_on=known)
                entries.append(entry)
    return entries


def import_plugin(plugin: str) -> ModuleType:
    """Import a plugin given as `FILE.py` or as a module name.

    Raises:
        UsageError: It does not exist or fails to import; the message holds the cause.
    """
    try:
        if not plugin.endswith(".py"):
            return importlib.import_module(plugin)
        path = Path(plugin)
        if not path.is_file():
            raise UsageError(f"there is no plugin file {plugin!r}")
        name = f"plugin_{path.stem}_{digest(str(path.resolve()))[:8]}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"the plugin {plugin!r} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except BenchError:
        raise
    except Exception as error:  # other people's code: whatever it raises is told in one line
        raise UsageError(f"the plugin {plugin!r} cannot be imported: {type(error).__name__}: {error}") from error
    return module
