"""What the class of a registered head says of itself, read from its source: no torch and no scikit-learn is needed.

A head that is said to ignore the seed needs one seed only, which could be the best of many; one that is said to read
the waveform runs in another race; one that is said not to use the test utterances loses its flag. So a record is not
believed in these.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.registry.declared import registered
from benchmark.registry.entries import Entry

FACTS = ("stochastic", "needs", "transductive")
DEEPEST = 10  # classes above each other


@dataclass(frozen=True)
class Head:
    """What is known of a registered head.

    Attributes:
        facts: Those of `FACTS` that its source tells.
        params: The values of its recipe, and of the others those that the class gives, where its source tells.
        recipe: The names of those that the recipe gives.
    """

    facts: Mapping[str, Any]
    params: Mapping[str, Any]
    recipe: frozenset[str]


class _UnknownError(Exception):
    """The source does not tell."""


@functools.cache
def declared_head(name: str) -> Head | None:
    """What is known of a head by its name; None where it is not registered."""
    entry = {entry.name: entry for entry in registered().downstreams()}.get(name)
    if entry is None:
        return None
    classes = _classes_of(entry)
    params = {**_defaults(classes), **entry.arguments}
    facts = {}
    for key in FACTS:
        try:
            facts[key] = _fact(classes, key, params)
        except _UnknownError:
            continue
    return Head(facts, params, frozenset(entry.arguments))


def agrees(stated: Any, own: Any) -> bool:
    """Whether a recorded value of a parameter is that of a recipe, which leaves out what is empty in a nested one."""
    if isinstance(own, Mapping) and isinstance(stated, Mapping):
        return own.keys() <= stated.keys() and all(
            agrees(value, own[key]) if key in own else value in (None, [], {}) for key, value in stated.items()
        )
    return type(stated) is not bool and bool(stated == own) if type(own) is not bool else stated is own


_Class = tuple[str, ast.ClassDef]  # module and class


def _classes_of(entry: Entry) -> list[_Class]:
    module, _, name = entry.target.partition(":")
    return list(_chain(module, name))


def _chain(module: str, name: str) -> Iterator[_Class]:
    """A class and those it is made from, first bases only, as far as their sources are found."""
    for _ in range(DEEPEST):
        tree = _tree(module)
        found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
        if not found:
            imported = [
                (node.module, alias.name)
                for node in tree.body
                if isinstance(node, ast.ImportFrom) and node.module and not node.level
                for alias in node.names
                if (alias.asname or alias.name) == name
            ]
            if not imported:
                return
            module, name = imported[0]
            continue
        yield module, found[0]
        if not (found[0].bases and isinstance(found[0].bases[0], ast.Name)):
            return
        name = found[0].bases[0].id


@functools.cache
def _tree(module: str) -> ast.Module:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ast.Module([], [])
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _fact(classes: list[_Class], key: str, params: Mapping[str, Any]) -> Any:
    """The value of an attribute or a property: of the first class that has it.

    Raises:
        _UnknownError: It depends on more than the parameters, or is nowhere.
    """
    for _, node in classes:
        # What __init__ sets hides what the class says.
        bodies = [one.body for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
        for body in (*bodies, node.body):
            for statement in body:
                if _target(statement) == key and isinstance(statement, ast.Assign | ast.AnnAssign):
                    return _value(statement.value, params)
                if isinstance(statement, ast.FunctionDef) and statement.name == key:
                    *_, last = statement.body
                    told = [one for one in statement.body if not isinstance(one, ast.Expr)]
                    if len(told) == 1 and isinstance(last, ast.Return):
                        return _value(last.value, params)
                    raise _UnknownError
    raise _UnknownError


def _target(statement: ast.stmt) -> str | None:
    """The name, or the attribute of self, that a statement sets."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return None
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        return target.attr
    return None


def _value(node: ast.expr | None, params: Mapping[str, Any]) -> Any:
    """The value of a constant, of `self.params.x`, or of two such that are compared.

    Raises:
        _UnknownError: It is anything else.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self.params" and node.attr in params:
        return params[node.attr]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        one, other = _value(node.left, params), _value(node.comparators[0], params)
        if isinstance(node.ops[0], ast.Eq | ast.Is):
            return one == other
        if isinstance(node.ops[0], ast.NotEq | ast.IsNot):
            return one != other
    raise _UnknownError


def _defaults(classes: list[_Class]) -> dict[str, Any]:
    """The parameters that have a plain default, of the `Params` of a class."""
    for module, node in classes:
        for statement in node.body:
            if _target(statement) == "Params" and isinstance(statement, ast.Assign | ast.AnnAssign):
                if not isinstance(statement.value, ast.Name):
                    return {}
                found: dict[str, Any] = {}
                for _, params in reversed(list(_chain(module, statement.value.id))):
                    found |= _plain_defaults(params)
                return found
    return {}


def _plain_defaults(node: ast.ClassDef) -> dict[str, Any]:
    """`name: type = value` and `name: type = Field(value, ...)`, where the value is a constant."""
    found = {}
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            value = statement.value
            if isinstance(value, ast.Call) and value.args:
                value = value.args[0]
            if isinstance(value, ast.Constant) and value.value is not ...:
                found[statement.target.id] = value.value
    return found
