"""The one reader of sources: what classes say of themselves in plain values, read without importing them.

A class is found by the literal `name = "..."` in its body, so that listing needs no torch and adding a file just works.
Of its body only literals are read, and names that stand for literals at the top of the module; of `Params = Name` where
the module imports that name from. Nothing is evaluated, and nothing of a base class is known.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmark.base.declared import HeadFacts
from benchmark.io.packages import find_module, package_folder
from benchmark.registry.entries import Entry

NAMED = re.compile(r"^[ \t]+name\b[^\n]*=", re.MULTILINE)  # where a class may have its literal name

# The spokes, named only as strings.
PACKAGES = {"upstream": "upstreams", "downstream": "downstreams", "corpus": "tasks.corpora"}


def is_own(entry: Entry) -> bool:
    """Whether a class stands in the package of this project that is for it."""
    return any(entry.target.startswith(f"{package}.") for package in PACKAGES.values())


@functools.cache
def scan_package(kind: str) -> tuple[Entry, ...]:
    """The classes of a kind that have a literal name, in the package of that kind and its rooms."""
    package = PACKAGES[kind]
    folder = package_folder(package)
    entries = []
    for path in sorted(folder.rglob("*.py")):
        if (
            NAMED.search(path.read_text(encoding="utf-8")) is None
        ):  # most have no class with a name: they are not parsed
            continue
        place = path.relative_to(folder)
        module = ".".join([package, *place.with_suffix("").parts]).removesuffix(".__init__")
        found = _classes(path, module, f"{package.replace('.', '/')}/{place.as_posix()}")
        entries += [entry for entry in found if entry.name]
    return tuple(entries)


def read_class(target: str) -> Entry | None:
    """What the class at "module:Class" says of itself; None where its module has it from elsewhere.

    Raises:
        ModuleNotFoundError: There is no such module.
        SyntaxError: It is no Python.
        AttributeError: The module cannot have it: it never mentions it.
    """
    module, _, name = target.partition(":")
    spec = find_module(module)
    if spec is None:
        raise ModuleNotFoundError(f"no module named {module!r}")
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin)
    text = path.read_text(encoding="utf-8")
    found = next((entry for entry in _classes(path, module, module) if entry.target == f"{module}:{name}"), None)
    if found is None and not any(sign in text for sign in (name, "import *", "__getattr__")):
        raise AttributeError(f"{module} has no {name!r}")
    return found


def _classes(path: Path, module: str, where: str) -> Iterator[Entry]:
    """Every class of a module that has bases; one without a literal name is called ""."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _literals(tree.body, {})
    imported = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
    }
    facts = {field.name for field in fields(HeadFacts)}  # a class that states one has it not from its parameters
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.bases:
            stated = _literals(node.body, constants)
            yield Entry(
                _of(stated, "name", str) or "",
                f"{module}:{node.name}",
                (ast.get_docstring(node) or "").split("\n")[0],
                where,
                extra=_of(stated, "extra", str),
                examine=_of(stated, "examine", str),
                trained_on=_of(stated, "trained_on", tuple) or (),
                version=_of(stated, "version", int),
                sample_rate=_of(stated, "sample_rate", int),
                layers=_of(stated, "layers", int),
                dim=_of(stated, "dim", int),
                params=None if facts & stated.keys() else imported.get(_names(node.body).get("Params", "")),
            )


def _of(stated: Mapping[str, Any], key: str, kind: type) -> Any:
    value = stated.get(key)
    return value if type(value) is kind else None


def _literals(body: Sequence[ast.stmt], constants: Mapping[str, Any]) -> dict[str, Any]:
    """Names that are set to constants, to tuples of constants, or to one of the names in `constants`."""
    found = {}
    for name, value in _assignments(body):
        if isinstance(value, ast.Name) and value.id in constants:
            found[name] = constants[value.id]
        elif isinstance(value, ast.Constant) or (
            isinstance(value, ast.Tuple) and all(isinstance(one, ast.Constant) for one in value.elts)
        ):
            found[name] = ast.literal_eval(value)
    return found


def _names(body: Sequence[ast.stmt]) -> dict[str, str]:
    """Names that are set to another name."""
    return {name: value.id for name, value in _assignments(body) if isinstance(value, ast.Name)}


def _assignments(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for statement in body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign):
            target = statement.target
        else:
            continue
        if isinstance(target, ast.Name) and statement.value is not None:
            yield target.id, statement.value
