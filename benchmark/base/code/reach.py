"""Which definitions some classes or functions reach."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.base.code.modules import INTERACTIVE, Home, Module, Told, bound, module_of
from benchmark.base.code.sources import PACKAGES, file_of, is_installed
from benchmark.base.code.writer import Writer

# What all upstreams and heads share: of these classes only the members count that are mentioned.
SHARED = (
    "benchmark.base.corpus",
    "benchmark.base.upstream",
    "benchmark.base.downstream",
    "benchmark.errors",
    "benchmark.types",
)
# The members that the hub calls to get numbers.
CALLED = frozenset({"__init__", "encode", "encode_batch", "lookup", "fit", "predict"})


class Reach:
    """The definitions that some classes or functions reach."""

    def __init__(self, roots: frozenset[str]) -> None:
        self._roots = roots
        self._found: dict[Home, list[Any]] = {}
        self._effects: dict[str, list[Any]] = {}
        self._mentioned = set(CALLED)
        self._shared: dict[Home, ast.ClassDef] = {}
        self._members: set[tuple[Home, str, int]] = set()

    def add(self, module: str, name: str) -> None:
        """Take a definition in, and what it reaches."""
        waiting: list[Home] = [(module, name)]
        while waiting:
            while waiting:
                waiting += self._take(waiting.pop())
            waiting = self._newly_mentioned()

    def digests(self) -> Iterator[str]:
        """A digest of each definition."""
        for texts in (*self._found.values(), *self._effects.values()):
            yield from (hashlib.sha256(text.encode()).hexdigest() for text in texts)

    def _take(self, place: Home) -> list[Home]:
        if place in self._found:
            return []
        self._found[place] = []
        module, name = place
        found = INTERACTIVE.get(module) or (module_of(module) if self._is_own(module) else None)
        if found is None:
            return []
        reached: list[Home] = []
        self._take_effects(found, reached)
        reached += self._imported(found, name)
        for statement in found.definitions.get(name, ()):
            if isinstance(statement, ast.ClassDef) and module in SHARED:
                self._shared[place] = statement
                for base in statement.bases:
                    self._text(base, found, reached)
            else:
                self._found[place].append(self._text(statement, found, reached))
        return reached

    def _imported(self, module: Module, name: str) -> list[Home]:
        """Where a name that a module imports may be defined."""
        named = [(home, original) for home, original in module.imports.get(name, ()) if original is not None]
        return [*named, *((star, name) for star in module.stars)]

    def _take_effects(self, module: Module, reached: list[Home]) -> None:
        """What happens when a module is imported, and for a plug-in when the modules are that it imports."""
        if module.name in self._effects:
            return
        self._effects[module.name] = []
        for statement in module.effects:
            is_definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if not is_definition or self._is_registered(statement, module):
                self._effects[module.name].append(self._text(statement, module, reached))
        if module.name.partition(".")[0] in PACKAGES:
            return
        for origins in module.imports.values():
            for home, original in origins:
                names = [home] if original is None else [home, f"{home}.{original}"]
                for name in filter(self._is_own, names):
                    if name.partition(".")[0] not in PACKAGES and (found := module_of(name)) is not None:
                        self._take_effects(found, reached)

    def _is_registered(self, statement: Any, module: Module) -> bool:
        """Whether a decorator of our own takes note of a definition, so that nobody has to mention it."""
        for decorator in statement.decorator_list:
            names = [node.id for node in ast.walk(decorator) if isinstance(node, ast.Name)]
            for name in names:
                origins = [home for home, _ in module.imports.get(name, ())]
                if name in module.definitions or any(map(self._is_own, origins)):
                    return True
        return False

    def _newly_mentioned(self) -> list[Home]:
        """What the members of shared classes reach that were mentioned since."""
        reached: list[Home] = []
        for place, node in list(self._shared.items()):
            module = module_of(place[0])
            for number, member in enumerate(node.body):
                for name in bound(member) if module is not None else ():
                    key = (place, name, number)
                    if module is None or key in self._members or name not in self._mentioned:
                        continue
                    self._members.add(key)
                    self._found[place].append(self._text(member, module, reached))
        return reached

    def _text(self, node: ast.AST, module: Module, reached: list[Home]) -> str:
        """A node as text that keeps its meaning alone; what it names is added to `reached`.

        Most parts reach the same code of this project, of which each node is written once in a process.
        """
        key = id(node), self._roots.difference(PACKAGES)
        told = module.told.get(key)
        if told is None:
            found: list[Home] = []
            mentioned: set[str] = set()
            told = Told(Writer(module, found, mentioned, self._is_own).text(node), found, mentioned)
            if module.name.partition(".")[0] in PACKAGES:  # a plug-in may be changed and imported anew
                module.told[key] = told
        reached += told.reached
        self._mentioned |= told.mentioned
        return told.text

    def _is_own(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in PACKAGES or top in self._roots:
            return True
        # A single file may import others from anywhere: what is neither Python's nor installed belongs to it.
        is_single = any(Path(root).is_absolute() for root in self._roots)
        if not is_single or top in sys.stdlib_module_names:
            return False
        file = file_of(module)
        return file is not None and file.suffix == ".py" and not is_installed(file)
