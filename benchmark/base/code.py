"""The digest of the code that a class or function reaches, by its meaning.

It is made of the definitions that are reached, wherever they stand: the functions, classes and constants whose names a
definition mentions, those that these mention, and so on through this project's modules (and a plug-in's). Comments,
docstrings, formatting, annotations of functions, the text of errors, the names of modules and what stands beside a
definition in its module are not in it; every statement and constant of a definition is. Of the abstract classes and of
the value types that all parts share only the members count that the reached code mentions, so that these can grow.

Nothing is run or imported for it: what is reached through a name that is made at run time is not seen.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError
from benchmark.io.files import digest

# The packages of this project whose code is followed; the code of other packages is told by their versions.
PACKAGES = ("benchmark", "upstreams", "downstreams", "tasks")
# What all parts share: of these classes only the members count that are mentioned.
SHARED = ("benchmark.base.corpus", "benchmark.base.upstream", "benchmark.base.downstream", "benchmark.types")
# What a class says of itself that decides no number: it stands in the identity, or is a fact about it.
FACTS = frozenset({"name", "version", "extra", "examine", "trained_on"})
# The members that the hub calls to get numbers.
CALLED = frozenset({"__init__", "encode", "encode_batch", "lookup", "fit", "predict"})


@functools.cache
def code_sha256(*parts: type | Callable[..., Any]) -> str:
    """Digest of the code that classes or functions reach, by its meaning.

    Args:
        parts: Classes and functions that are defined in modules, at their top.

    Raises:
        UsageError: One has no source, as what is defined interactively.
    """
    return code_at(*(_home(part) for part in parts))


def code_at(*places: tuple[str, str]) -> str:
    """As `code_sha256`, of definitions by module and name; nothing is imported."""
    reach = _Reach(frozenset(_own_root(module) for module, _ in places))
    for module, name in places:
        reach.add(module, name)
    return digest(sorted(reach.digests()))


# -- what a module says ------------------------------------------------------------------------------------------------


@dataclass
class _Module:
    """One module, as its source says.

    Attributes:
        name: As it is imported.
        definitions: The statements that bind each name at its top.
        imports: For each imported name the module, and the name in it (None for a module itself).
        effects: Statements at its top that bind nothing.
    """

    name: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)


# By name, with the module as it was imported: a file that is imported anew is read anew.
_READ: dict[str, tuple[object, _Module | None]] = {}


def _module(name: str) -> _Module | None:
    """What a module says; None where it has no source."""
    loaded = sys.modules.get(name)
    if name not in _READ or _READ[name][0] is not loaded:
        source = _source(name)
        _READ[name] = loaded, None if source is None else _parsed(name, source)
    return _READ[name][1]


def _parsed(name: str, source: str) -> _Module:
    tree, module = ast.parse(source), _Module(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            base = node.module if not node.level else _relative(name, node)
            module.imports |= {alias.asname or alias.name: (base, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                module.imports[bound] = (alias.name if alias.asname else bound, None)
    _read(tree.body, module)
    return module


def _relative(name: str, node: ast.ImportFrom) -> str:
    parents = name.split(".")[: -node.level]
    return ".".join([*parents, node.module or ""]).strip(".")


def _read(body: Iterable[ast.stmt], module: _Module) -> None:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement) or _is_for_types(statement):
            continue
        bound = list(_bound(statement))
        for name in bound:
            module.definitions.setdefault(name, []).append(statement)
        if not bound:
            module.effects.append(statement)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module binds, in branches and loops too."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _source(name: str) -> str | None:
    loaded = sys.modules.get(name)
    try:
        if loaded is not None:
            return inspect.getsource(loaded)
        spec = importlib.util.find_spec(name)
    except (OSError, TypeError, ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")


def _file(name: str) -> Path | None:
    loaded = sys.modules.get(name)
    if loaded is not None:
        origin = getattr(loaded, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
        origin = None if spec is None else spec.origin
    return None if origin is None else Path(origin)


def _own_root(module: str) -> str:
    """The package, or for a single file the folder, whose code belongs to what a module defines."""
    top = module.partition(".")[0]
    if top != module or (file := _file(module)) is None:
        return top
    return str(file.parent)


def _home(part: type | Callable[..., Any]) -> tuple[str, str]:
    """Module and name of a class or function; one inside another is told by the outermost."""
    module, name = str(part.__module__), part.__qualname__.partition(".")[0]
    found = _module(module)
    if found is None or name not in found.definitions:
        return _interactive(part), name
    return module, name


def _interactive(part: type | Callable[..., Any]) -> str:
    """A module that holds only a part that was defined where no file says so."""
    try:
        source = textwrap.dedent(inspect.getsource(part))
    except (OSError, TypeError) as error:
        raise UsageError(
            f"{part.__qualname__} has no source, so that its code cannot be told", "define it in a file"
        ) from error
    name = f"{part.__module__}.<{part.__qualname__}>"
    module = _Module(name)
    _read(ast.parse(source).body, module)
    _INTERACTIVE[name] = module
    return name


_INTERACTIVE: dict[str, _Module] = {}


# -- what is reached ---------------------------------------------------------------------------------------------------

_Place = tuple[str, str]  # module and name


class _Reach:
    """The definitions that some parts reach."""

    def __init__(self, roots: frozenset[str]) -> None:
        self._roots = roots
        self._found: dict[_Place, list[Any]] = {}
        self._effects: dict[str, list[Any]] = {}
        self._mentioned = set(CALLED)
        self._shared: dict[_Place, ast.ClassDef] = {}
        self._members: set[tuple[_Place, str, int]] = set()

    def add(self, module: str, name: str) -> None:
        """Take a definition in, and what it reaches."""
        waiting: list[_Place] = [(module, name)]
        while waiting:
            while waiting:
                waiting += self._take(waiting.pop())
            waiting = self._newly_mentioned()

    def digests(self) -> Iterator[str]:
        """A digest of each definition."""
        for texts in (*self._found.values(), *self._effects.values()):
            yield from (hashlib.sha256(text.encode()).hexdigest() for text in texts)

    def _take(self, place: _Place) -> list[_Place]:
        if place in self._found:
            return []
        self._found[place] = []
        module, name = place
        found = _INTERACTIVE.get(module) or (_module(module) if self._is_own(module) else None)
        if found is None:
            return []
        reached: list[_Place] = []
        if module not in self._effects:
            self._effects[module] = []
            for statement in found.effects:
                self._effects[module].append(self._text(statement, found, reached))
        if name not in found.definitions:
            return reached + self._imported(found, name)
        for statement in found.definitions[name]:
            if isinstance(statement, ast.ClassDef) and module in SHARED:
                self._shared[place] = statement
                for base in statement.bases:
                    self._text(base, found, reached)
            else:
                self._found[place].append(self._text(statement, found, reached))
        return reached

    def _imported(self, module: _Module, name: str) -> list[_Place]:
        """Where a name that a module only imports is defined, as in a package that offers it again."""
        if name not in module.imports:
            return []
        home, original = module.imports[name]
        return [] if original is None else [(home, original)]

    def _newly_mentioned(self) -> list[_Place]:
        """What the members of shared classes reach that were mentioned since."""
        reached: list[_Place] = []
        for place, node in list(self._shared.items()):
            module = _module(place[0])
            for number, member in enumerate(node.body):
                for name in _bound(member) if module is not None else ():
                    key = (place, name, number)
                    if module is None or key in self._members or name not in self._mentioned:
                        continue
                    self._members.add(key)
                    self._found[place].append(self._text(member, module, reached))
        return reached

    def _text(self, node: ast.AST, module: _Module, reached: list[_Place]) -> str:
        """A node as text that keeps its meaning alone; what it names is added to `reached`."""
        return _Writer(module, reached, self._mentioned, self._is_own).text(node)

    def _is_own(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in PACKAGES or top in self._roots:
            return True
        folders = [root for root in self._roots if root.startswith("/") or ":" in root]
        if not folders or top in sys.stdlib_module_names:
            return False
        file = _file(module)
        return file is not None and any(Path(folder) in file.parents for folder in folders) and not _installed(file)


def _installed(file: Path) -> bool:
    return "site-packages" in file.parts or "dist-packages" in file.parts


def _is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, or another text that stands for itself."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and (isinstance(statement.value.value, str) or statement.value.value is ...)
    )


def _is_for_types(statement: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING:`."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


class _Writer:
    """Writes a syntax tree as text, the same in every version of Python, without what has no meaning."""

    def __init__(
        self, module: _Module, reached: list[_Place], mentioned: set[str], is_own: Callable[[str], bool]
    ) -> None:
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
            node = _without_facts(node)
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
            return None if outer is None or _module(f"{outer}.{node.attr}") is None else f"{outer}.{node.attr}"
        if not isinstance(node, ast.Name) or node.id not in self._module.imports:
            return None
        home, original = self._module.imports[node.id]
        if original is None:
            return home
        return f"{home}.{original}" if self._is_own(home) and _is_submodule(home, original) else None

    def _named(self, name: str) -> str:
        """The name by which a definition goes at home."""
        if name in self._module.definitions:
            self._reached.append((self._module.name, name))
        elif name in self._module.imports:
            home, original = self._module.imports[name]
            if original is not None and self._is_own(home):
                self._reached.append((home, original))
            return original or home
        return name

    def _is_without_meaning(self, node: object) -> bool:
        if not isinstance(node, ast.stmt):
            return False
        return _is_text(node) or _is_for_types(node) or isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)


def _without_facts(node: ast.ClassDef) -> ast.ClassDef:
    def is_fact(statement: ast.stmt) -> bool:
        bound = set(_bound(statement)) if isinstance(statement, ast.Assign | ast.AnnAssign) else set()
        return bool(bound) and bound <= FACTS

    body = [statement for statement in node.body if not is_fact(statement)]
    return ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)


def _is_submodule(package: str, name: str) -> bool:
    found = _module(package)
    return (found is None or name not in found.definitions) and _source(f"{package}.{name}") is not None
