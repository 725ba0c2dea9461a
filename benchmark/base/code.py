"""The digest of the code that a class or function reaches, by its meaning.

It is made of the definitions that are reached, wherever they stand: the functions, classes and constants whose names a
definition mentions, those that these mention, and so on through this project's modules (and a plug-in's). Comments,
docstrings, formatting, annotations of functions, the text of errors, the names of modules and what stands beside a
definition in its module are not in it; every statement and constant of a definition is. Of the abstract classes and of
the value types that all upstreams and heads share only the members count that the reached code mentions, so that these
can grow.

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
# What all upstreams and heads share: of these classes only the members count that are mentioned.
SHARED = (
    "benchmark.base.corpus",
    "benchmark.base.upstream",
    "benchmark.base.downstream",
    "benchmark.errors",
    "benchmark.types",
)
# What a class says of itself that decides no number: it stands in the identity, or is a fact about it.
FACTS = frozenset({"name", "version", "extra", "examine", "trained_on", "concurrent"})
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
    return code_at(*(home_of(part) for part in parts))


def code_at(*places: tuple[str, str]) -> str:
    """As `code_sha256`, of definitions by module and name; nothing is imported."""
    reach = _Reach(frozenset(root for module, _ in places for root in _own_roots(module)))
    for module, name in places:
        reach.add(module, name)
    return digest(sorted(reach.digests()))


_Place = tuple[str, str]  # module and name


# -- what a module says ------------------------------------------------------------------------------------------------


@dataclass
class _Module:
    """One module, as its source says.

    Attributes:
        name: As it is imported.
        definitions: The statements that bind each name at its top.
        imports: For each imported name the modules it may come from, with the name there (None for a module itself):
            several where it is imported in branches.
        stars: Modules of which everything is imported.
        effects: Statements at its top that do more than bind a name.
        told: What was written of its nodes, by the node's `id` and the roots that are followed beside `PACKAGES`.
    """

    name: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    effects: list[ast.stmt] = field(default_factory=list)
    told: dict[tuple[int, frozenset[str]], _Told] = field(default_factory=dict)


@dataclass(frozen=True)
class _Told:
    """A node as text, the definitions that it names, and the attributes that it mentions."""

    text: str
    reached: list[_Place]
    mentioned: set[str]


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
        if isinstance(node, ast.ImportFrom):
            base = _absolute(name, node)
            module.stars += [base for alias in node.names if alias.name == "*"]
            for alias in node.names:
                module.imports.setdefault(alias.asname or alias.name, []).append((base, alias.name))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                module.imports.setdefault(bound, []).append((alias.name if alias.asname else bound, None))
    _read(tree.body, module)
    return module


def _absolute(name: str, node: ast.ImportFrom) -> str:
    """The module that is imported from."""
    if not node.level:
        return node.module or ""
    file = _file(name)
    is_package = file is not None and file.stem == "__init__"
    parents = name.split(".") if is_package else name.split(".")[:-1]
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _read(body: Iterable[ast.stmt], module: _Module) -> None:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement) or _is_for_types(statement):
            continue
        for name in _bound(statement):
            module.definitions.setdefault(name, []).append(statement)
        if not _only_binds(statement):
            module.effects.append(statement)


def _only_binds(statement: ast.stmt) -> bool:
    """Whether a statement at the top of a module does nothing but bind names, for who mentions them."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return not statement.decorator_list
    targets = {ast.Assign: "targets", ast.AnnAssign: "target"}.get(type(statement))
    if targets is None:
        return False
    bound = getattr(statement, targets)
    leaves = [node for one in (bound if isinstance(bound, list) else [bound]) for node in ast.walk(one)]
    return not any(isinstance(node, ast.Attribute | ast.Subscript) for node in leaves)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module binds, in branches and loops too."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            waiting += ast.iter_child_nodes(node)


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


def _own_roots(module: str) -> Iterator[str]:
    """The package whose code belongs to what a module defines; of a single file that is not installed its folder."""
    top = module.partition(".")[0]
    yield top
    file = _file(module)
    if top == module and file is not None and file.stem != "__init__" and not _installed(file):
        yield str(file.parent)


def home_of(part: type | Callable[..., Any]) -> tuple[str, str]:
    """Module and name of a class or function, for `code_at`; one inside another is told by the outermost.

    Raises:
        UsageError: It has no source, as what is defined interactively.
    """
    module, name = str(part.__module__), part.__qualname__.partition(".")[0]
    found = _module(module)
    if found is None or name not in found.definitions:
        return _interactive(part), name
    return module, name


def _interactive(part: type | Callable[..., Any]) -> str:
    """A module that holds only what was defined where no file says so."""
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


class _Reach:
    """The definitions that some classes or functions reach."""

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

    def _imported(self, module: _Module, name: str) -> list[_Place]:
        """Where a name that a module imports may be defined."""
        named = [(home, original) for home, original in module.imports.get(name, ()) if original is not None]
        return [*named, *((star, name) for star in module.stars)]

    def _take_effects(self, module: _Module, reached: list[_Place]) -> None:
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
                    if name.partition(".")[0] not in PACKAGES and (found := _module(name)) is not None:
                        self._take_effects(found, reached)

    def _is_registered(self, statement: Any, module: _Module) -> bool:
        """Whether a decorator of our own takes note of a definition, so that nobody has to mention it."""
        for decorator in statement.decorator_list:
            names = [node.id for node in ast.walk(decorator) if isinstance(node, ast.Name)]
            for name in names:
                origins = [home for home, _ in module.imports.get(name, ())]
                if name in module.definitions or any(map(self._is_own, origins)):
                    return True
        return False

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
        """A node as text that keeps its meaning alone; what it names is added to `reached`.

        Most parts reach the same code of this project, of which each node is written once in a process.
        """
        key = id(node), self._roots.difference(PACKAGES)
        told = module.told.get(key)
        if told is None:
            found: list[_Place] = []
            mentioned: set[str] = set()
            told = _Told(_Writer(module, found, mentioned, self._is_own).text(node), found, mentioned)
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
        file = _file(module)
        return file is not None and file.suffix == ".py" and not _installed(file)


def _installed(file: Path) -> bool:
    return "site-packages" in file.parts or "dist-packages" in file.parts


def _is_foreign(module: str) -> bool:
    """Whether a module is of Python itself or of an installed package; only the outermost is looked for."""
    top = module.partition(".")[0]
    if top in PACKAGES:
        return False
    file = None if top in sys.stdlib_module_names else _file(top)
    return top in sys.stdlib_module_names or (file is not None and _installed(file))


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
            if outer is not None and _is_foreign(outer):  # to look for what is in a package imports it
                return None
            return None if outer is None or _module(f"{outer}.{node.attr}") is None else f"{outer}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        for home, original in self._module.imports.get(node.id, ()):
            if original is None:
                return home
            if self._is_own(home) and _is_submodule(home, original):
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
        found = _module(home) if len(others) > 1 else None
        if found is None:
            return ""
        text = "".join(ast.dump(statement) for statement in found.definitions.get(original, ()))
        return f"#{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def _is_without_meaning(self, node: object) -> bool:
        if not isinstance(node, ast.stmt):
            return False
        if _is_text(node) or _is_for_types(node) or _is_message(node):
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


def _without_facts(node: ast.ClassDef) -> ast.ClassDef:
    """A named class without what it says of itself, as far as its own code does not read that."""
    named = any(
        isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
        for one in node.body
        if "name" in set(_bound(one))
    )
    if not (named and node.bases):
        return node
    read = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)} - {"name"}

    def is_fact(statement: ast.stmt) -> bool:
        bound = set(_bound(statement)) if isinstance(statement, ast.Assign | ast.AnnAssign) else set()
        return bool(bound) and bound <= FACTS - read

    body = [statement for statement in node.body if not is_fact(statement)]
    return ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)


def _is_submodule(package: str, name: str) -> bool:
    found = _module(package)
    return (found is None or name not in found.definitions) and _source(f"{package}.{name}") is not None
