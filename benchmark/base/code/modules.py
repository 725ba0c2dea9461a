"""What a module says: what it binds at its top, what it imports, and what else happens there."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmark.base.code.sources import file_of, source_of
from benchmark.errors import UsageError

Home = tuple[str, str]  # module and name


@dataclass
class Module:
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
    told: dict[tuple[int, frozenset[str]], Told] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """A node as text, the definitions that it names, and the attributes that it mentions."""

    text: str
    reached: list[Home]
    mentioned: set[str]


# By name, with the module as it was imported: a file that is imported anew is read anew.
READ: dict[str, tuple[object, Module | None]] = {}


def module_of(name: str) -> Module | None:
    """What a module says; None where it has no source."""
    loaded = sys.modules.get(name)
    if name not in READ or READ[name][0] is not loaded:
        source = source_of(name)
        READ[name] = loaded, None if source is None else _parsed(name, source)
    return READ[name][1]


def _parsed(name: str, source: str) -> Module:
    tree, module = ast.parse(source), Module(name)
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
    file = file_of(name)
    is_package = file is not None and file.stem == "__init__"
    parents = name.split(".") if is_package else name.split(".")[:-1]
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _read(body: Iterable[ast.stmt], module: Module) -> None:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or is_text(statement) or is_for_types(statement):
            continue
        for name in bound(statement):
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


def bound(statement: ast.stmt) -> Iterator[str]:
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


def home_of(part: type | Callable[..., Any]) -> tuple[str, str]:
    """Module and name of a class or function, for `code_at`; one inside another is told by the outermost.

    Raises:
        UsageError: It has no source, as what is defined interactively.
    """
    module, name = str(part.__module__), part.__qualname__.partition(".")[0]
    found = module_of(module)
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
    module = Module(name)
    _read(ast.parse(source).body, module)
    INTERACTIVE[name] = module
    return name


INTERACTIVE: dict[str, Module] = {}


def is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, or another text that stands for itself."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and (isinstance(statement.value.value, str) or statement.value.value is ...)
    )


def is_for_types(statement: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING:`."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def is_submodule(package: str, name: str) -> bool:
    """Whether a name that is imported from a package is a module of it, and nothing that it defines."""
    found = module_of(package)
    return (found is None or name not in found.definitions) and source_of(f"{package}.{name}") is not None
