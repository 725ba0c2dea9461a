"""What a definition says, as text that keeps its meaning alone."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable

from benchmark.base.code.modules import Home, Module, bound, is_for_types, is_submodule, is_text, module_of
from benchmark.base.code.sources import is_foreign

# What a class says of itself that decides no number: it stands in the identity, or is a fact about it.
FACTS = frozenset({"name", "version", "extra", "examine", "trained_on", "concurrent"})


class Writer:
    """Writes a syntax tree as text, the same in every version of Python, without what has no meaning."""

    def __init__(self, module: Module, reached: list[Home], mentioned: set[str], is_own: Callable[[str], bool]) -> None:
        self._module = module
        self._reached = reached
        self._mentioned = mentioned
        self._is_own = is_own
        self._in_function = 0

    def text(self, node: object) -> str:
        """Any node, or a value of one of its fields."""
        if isinstance(node, list):
            return "[" + ",".join(self.text(one) for one in node if not self._is_without_meaning(one)) + "]"
        if isinstance(node, ast.Name):
            return f"Name({self._named(node.id)})"
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Raise):
            return "Raise()"
        return self._any(node) if isinstance(node, ast.AST) else repr(node)

    def _any(self, node: ast.AST) -> str:
        skipped = {"ctx", "type_comment", "type_params", "kind"}
        if isinstance(node, ast.ClassDef):
            node = without_facts(node)
        if isinstance(node, ast.Call):
            node = _without_description(node)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function:
            skipped |= {"returns"}
        if isinstance(node, ast.arg) or (isinstance(node, ast.AnnAssign) and self._in_function):
            skipped |= {"annotation"}
        self._in_function += is_function
        fields = ((key, getattr(node, key, None)) for key in node._fields if key not in skipped)
        inner = ",".join(f"{key}={self.text(value)}" for key, value in fields if value not in (None, []))
        self._in_function -= is_function
        return f"{type(node).__name__}({inner})"

    def _attribute(self, node: ast.Attribute) -> str:
        """An attribute; of a module of our own it is the definition of that name, whatever the module is called."""
        module = self._as_module(node.value)
        if module is not None and self._is_own(module):
            self._reached.append((module, node.attr))
            return f"Name({node.attr})"
        self._mentioned.add(node.attr)
        return f"Attribute({self.text(node.value)},{node.attr})"

    def _as_module(self, node: ast.expr) -> str | None:
        """The module that an expression such as `losses` or `benchmark.metrics` stands for."""
        if isinstance(node, ast.Attribute):
            outer = self._as_module(node.value)
            if outer is not None and is_foreign(outer):  # to look for what is in a package imports it
                return None
            return None if outer is None or module_of(f"{outer}.{node.attr}") is None else f"{outer}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        for home, original in self._module.imports.get(node.id, ()):
            if original is None:
                return home
            if self._is_own(home) and is_submodule(home, original):
                return f"{home}.{original}"
        return None

    def _named(self, name: str) -> str:
        """The name by which a definition goes at home."""
        if name in self._module.definitions or self._module.stars:
            self._reached.append((self._module.name, name))
        told = name
        for home, original in self._module.imports.get(name, ()):
            if original is None:
                told = home
            elif self._is_own(home):
                self._reached.append((home, original))
                told = f"{original}{self._told_apart(home, original)}"
            else:
                told = f"{home}.{original}"
        return told

    def _told_apart(self, home: str, original: str) -> str:
        """What tells definitions of one name apart, whatever their modules are called: nothing, or their content."""
        others = {place for origins in self._module.imports.values() for place in origins if place[1] == original}
        found = module_of(home) if len(others) > 1 else None
        if found is None:
            return ""
        text = "".join(ast.dump(statement) for statement in found.definitions.get(original, ()))
        return f"#{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def _is_without_meaning(self, node: object) -> bool:
        if not isinstance(node, ast.stmt):
            return False
        if is_text(node) or is_for_types(node) or _is_message(node):
            return True
        return isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)


def _is_message(statement: ast.stmt) -> bool:
    """Whether it only says something: a call of a logger, or a warning."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    return isinstance(call.func.value, ast.Name) and call.func.value.id in ("log", "logging", "warnings")


def _without_description(node: ast.Call) -> ast.Call:
    """A pydantic field without its description."""
    if not (isinstance(node.func, ast.Name) and node.func.id == "Field"):
        return node
    return ast.Call(node.func, node.args, [one for one in node.keywords if one.arg != "description"])


def without_facts(node: ast.ClassDef) -> ast.ClassDef:
    """A named class without what it says of itself, as far as its own code does not read that."""
    named = any(
        isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
        for one in node.body
        if "name" in set(bound(one))
    )
    if not (named and node.bases):
        return node
    read = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)} - {"name"}

    def is_fact(statement: ast.stmt) -> bool:
        names = set(bound(statement)) if isinstance(statement, ast.Assign | ast.AnnAssign) else set()
        return bool(names) and names <= FACTS - read

    body = [statement for statement in node.body if not is_fact(statement)]
    return ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)
