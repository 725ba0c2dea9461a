"""Finds upstreams, downstreams, tasks and corpora by name, without importing what is not used.

A class is found by the literal `name = "..."` in its body: the source is parsed, not imported, so that listing needs no
torch and adding a file just works. Tasks, recipes and named checkpoints are YAML. Other packages join through the entry
points `serbench.upstreams`, `serbench.downstreams` and `serbench.tasks`; a single file through `--plugin`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar, get_args

from benchmark.base import Corpus, Downstream, Upstream
from benchmark.base.combined import LAYERS, LayersOf, Name, fuse, joined
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.packages import package_folder
from benchmark.io.yamls import read_yaml, validate
from benchmark.protocol.task import Task, read_task
from benchmark.registry.entries import Checkpoint, Entry, Recipe
from benchmark.registry.source import PACKAGES, import_plugin, scan_package
from benchmark.text import nearest
from benchmark.types import Needs

# The spokes, named only as strings.
TASKS_PACKAGE = "tasks"
CHECKPOINTS = ("upstreams", "checkpoints.yaml")
RECIPES = ("downstreams", "recipes")
BASES: dict[str, type] = {"upstream": Upstream, "downstream": Downstream, "corpus": Corpus}

T = TypeVar("T")


class Registry:
    """All that can be named on the command line.

    Args:
        plugins: Files (`FILE.py`) or modules whose `Upstream`, `Downstream` and `Corpus` subclasses join.

    Raises:
        UsageError: Two places claim the same name, or a plugin cannot be imported.
    """

    def __init__(self, plugins: Iterable[str] = ()) -> None:
        self._entries: dict[str, dict[str, Entry]] = {kind: {} for kind in PACKAGES}
        self._recipes: dict[str, Entry] = {}
        self._tasks: dict[str, Path] = {}
        for kind in PACKAGES:
            for entry in scan_package(kind):
                self._add(self._entries[kind], kind, entry)
        self._add_checkpoints()
        self._add_recipes()
        for path in sorted(package_folder(TASKS_PACKAGE).glob("*.yaml")):
            self._tasks[path.stem] = path
        self._add_entry_points()
        self.plugins = tuple(plugins)
        for plugin in self.plugins:
            self._add_plugin(plugin)

    # -- what is there ------------------------------------------------------------------------------------------------

    def upstreams(self) -> list[Entry]:
        """Every upstream, prefixes such as "hf:" last."""
        return sorted(self._entries["upstream"].values(), key=lambda entry: (entry.name.endswith(":"), entry.name))

    def downstreams(self) -> list[Entry]:
        """Every recipe, and every class that no recipe uses (plugins)."""
        used = {entry.target for entry in self._recipes.values()}
        bare = [entry for entry in self._entries["downstream"].values() if entry.target not in used]
        return sorted([*self._recipes.values(), *bare], key=lambda entry: entry.name)

    def corpora(self) -> list[Entry]:
        """Every corpus."""
        return sorted(self._entries["corpus"].values(), key=lambda entry: entry.name)

    def tasks(self) -> list[str]:
        """Every task."""
        return sorted(self._tasks)

    # -- building -----------------------------------------------------------------------------------------------------

    def upstream_entries(self, name: str) -> list[tuple[Entry, str | None]]:
        """The entries of all upstreams in a name such as "A@last+hf:PATH", with what follows their prefixes."""
        return [self.upstream_entry(part.base) for part in self._parts(name)]

    def _parts(self, name: str) -> list[Name]:
        def is_known(piece: str) -> bool:
            base = Name.parse(piece).base
            return base in known or base.partition(":")[0] + ":" in known

        known = self._entries["upstream"]
        prefix, colon, argument = name.partition(":")
        if name in known or (colon and prefix + colon in known and Path(argument).expanduser().exists()):
            return [Name(name)]  # of a plugin, or with a path, whatever it holds
        return [Name.parse(piece) for piece in joined(name.split("+"), is_known)]

    def upstream_entry(self, name: str) -> tuple[Entry, str | None]:
        """The entry of a single upstream, and what follows the prefix in a name such as "hf:PATH"."""
        known = self._entries["upstream"]
        if name in known and not name.endswith(":"):
            return known[name], None
        prefix, colon, rest = name.partition(":")
        if name in known:
            raise UsageError(f"{name!r} is a prefix", f"something follows it, as in {name}PATH-OR-ID")
        if colon and rest and prefix + colon in known:
            return known[prefix + colon], rest
        base, at, word = name.rpartition("@")
        if at and (base in known or base.partition(":")[0] + ":" in known):
            raise UsageError(f"{name!r}: {word!r} is neither a precision nor a selection of layers", LAYERS)
        raise UsageError(f"unknown upstream {name!r}", nearest(name, known))

    def upstream(self, name: str, weights: Callable[[str], Path | None] = lambda name: None) -> Upstream:
        """Build an upstream.

        Args:
            name: A name that `upstreams` lists, or prefix and argument such as "hf:facebook/hubert-base-ls960"; made of
                several, or of some layers, as `benchmark.base.combined` says.
            weights: From the name of a checkpoint to a folder that it is loaded from, None for that of its row.
        """
        return fuse([self._part(part, weights) for part in self._parts(name)])

    def _part(self, name: Name, weights: Callable[[str], Path | None]) -> Upstream:
        upstream = self._single(name.base, weights(name.base))
        if name.precision is not None:
            if name.precision not in upstream.precisions:
                can = ", ".join(upstream.precisions) or "it has none but float32"
                raise UsageError(f"{name.base!r} does not compute in {name.precision}", can)
            upstream.precision = name.precision
            upstream.name = f"{upstream.name}@{name.precision}"
        return upstream if name.layers is None else LayersOf(upstream, name.layers)

    def _single(self, name: str, weights: Path | None) -> Upstream:
        entry, argument = self.upstream_entry(name)
        cls: type[Upstream] = self._load("upstream", entry)
        if argument is not None:
            return _marked(_build(cls, argument), self._trained_on(argument))
        if entry.arguments:
            arguments = dict(entry.arguments)
            if weights is not None:
                arguments.update(model=str(weights), revision=None)
            elif arguments["model"] is None:
                raise MissingError(
                    f"the weights of {name!r} are on no Hub",
                    f"--weights {name}=FOLDER, or BENCH_WEIGHTS=FOLDER with {name}/ in it; bench show {name} says more",
                )
            return _marked(_build(cls, name=entry.name, **arguments), entry.trained_on)
        return _build(cls)

    def _trained_on(self, model: str) -> tuple[str, ...]:
        """Corpora that a named checkpoint was trained on, for who gives its Hub id instead of its name."""
        # The Hub's ids do not tell letters apart by case, and s3prl's names have the model after a second colon.
        model = model.rpartition(":")[2].casefold()
        entries = self._entries["upstream"].values()
        rows = (entry for entry in entries if str(entry.arguments.get("model")).casefold() == model)
        return next((entry.trained_on for entry in rows), ())

    def downstream_entry(self, name: str) -> Entry:
        """The entry of a downstream: a recipe, or a class without one."""
        known = {**self._entries["downstream"], **self._recipes}
        if name not in known:
            raise UsageError(
                f"unknown downstream {name!r}", nearest(name, {entry.name for entry in self.downstreams()})
            )
        return known[name]

    def downstream(self, name: str, device: str = "cpu") -> Downstream:
        """Build a new head from its recipe."""
        entry = self.downstream_entry(name)
        cls: type[Downstream] = self._load("downstream", entry)
        params = validate(cls.Params, dict(entry.arguments), f"params of {entry.where}")
        head: Downstream = _build(cls, params, device)
        if head.needs not in get_args(Needs):
            raise UsageError(f"the downstream {name!r} needs {head.needs!r}", f"one of {', '.join(get_args(Needs))}")
        if head.sequences and head.needs != "mean":
            raise UsageError(f"the downstream {name!r} takes sequences of {head.needs}", "they are of means")
        return head

    def corpus(self, name: str) -> Corpus:
        """Build the scanner of a corpus."""
        known = self._entries["corpus"]
        if name not in known:
            raise UsageError(f"unknown corpus {name!r}", nearest(name, known))
        cls: type[Corpus] = self._load("corpus", known[name])
        return _build(cls)

    def corpora_of(self, task: Task) -> tuple[Corpus, ...]:
        """The scanners of a task: one, or source and target."""
        return tuple(self.corpus(part.corpus) for part in task.parts)

    def task(self, name: str) -> Task:
        """The protocol of a task.

        Args:
            name: A registered name, or the path of a YAML file.

        Raises:
            UsageError: There is none, it does not follow the schema, or a file takes the name of a registered task
                for another protocol.
        """
        task = read_task(self._task_file(name))
        if task.name in self._tasks and name != task.name:
            registered = read_task(self._tasks[task.name])
            if registered.sha256 != task.sha256:
                raise UsageError(f"{name} is called {task.name!r}, which is a registered task", "give it another name")
        return task

    def _task_file(self, name: str) -> Path:
        if name.endswith((".yaml", ".yml")):
            path = Path(name)
            if not path.is_file():
                raise UsageError(f"there is no task file {name!r}", "give the path of a protocol YAML")
            return path
        if name not in self._tasks:
            raise UsageError(f"unknown task {name!r}", nearest(name, self._tasks))
        return self._tasks[name]

    # -- filling ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _add(table: dict[str, Entry], kind: str, entry: Entry) -> None:
        other = table.get(entry.name)
        if other is not None and (other.target, other.where) != (entry.target, entry.where):
            raise UsageError(
                f"two places define the {kind} {entry.name!r}: {other.where} and {entry.where}", "rename one of them"
            )
        table[entry.name] = entry

    def _add_checkpoints(self) -> None:
        package, file = CHECKPOINTS
        path = package_folder(package) / file
        where = f"{package}/{file}"
        for name, content in read_yaml(path).items():
            row = validate(Checkpoint, content, f"{name} in {where}")
            known = self._entries["upstream"]
            if row.upstream not in known:
                raise UsageError(f"unknown upstream {row.upstream!r}: {name} in {where}", nearest(row.upstream, known))
            prefix = known[row.upstream]
            entry = Entry(
                name,
                prefix.target,
                row.summary,
                where,
                {"model": row.hub, "revision": row.revision},
                extra=prefix.extra,
                licence=row.licence,
                source=row.citation,
                training_data=row.training_data,
                trained_on=row.trained_on,
            )
            self._add(self._entries["upstream"], "upstream", entry)

    def _add_recipes(self) -> None:
        package, folder = RECIPES
        for path in sorted((package_folder(package) / folder).glob("*.yaml")):
            where = f"{package}/{folder}/{path.name}"
            recipe = validate(Recipe, read_yaml(path), where)
            classes = self._entries["downstream"]
            if recipe.downstream not in classes:
                raise UsageError(
                    f"unknown downstream {recipe.downstream!r} in {where}", nearest(recipe.downstream, classes)
                )
            target = classes[recipe.downstream].target
            entry = Entry(recipe.name, target, recipe.summary, where, recipe.params, source=recipe.source)
            self._add(self._recipes, "downstream", entry)

    def _add_entry_points(self) -> None:
        for kind in ("upstream", "downstream"):
            for point in metadata.entry_points(group=f"serbench.{kind}s"):
                where = f"entry point {point.name!r} of {point.dist.name if point.dist else point.value}"
                self._add(self._entries[kind], kind, Entry(point.name, point.value, f"from {where}", where))
        for point in metadata.entry_points(group="serbench.tasks"):
            for path in sorted(package_folder(point.value).glob("*.yaml")):
                if path.stem in self._tasks:
                    raise UsageError(
                        f"two places define the task {path.stem!r}: {self._tasks[path.stem]} and {path}",
                        "rename one of them",
                    )
                self._tasks[path.stem] = path

    def _add_plugin(self, plugin: str) -> None:
        module = import_plugin(plugin)
        found = 0
        classes: list[Any] = [value for value in vars(module).values() if inspect.isclass(value)]
        own = [cls for cls in classes if cls.__module__ == module.__name__]
        for kind, base in BASES.items():
            for cls in own:
                if issubclass(cls, base) and not inspect.isabstract(cls):
                    if not isinstance(getattr(cls, "name", None), str):
                        if any(cls in other.__mro__[1:] for other in own):
                            continue  # what named classes share
                        raise UsageError(f"{cls.__name__} in the plugin {plugin} has no name", 'set name = "..." in it')
                    summary = inspect.cleandoc(cls.__doc__ or "").split("\n")[0]
                    target = f"{module.__name__}:{cls.__name__}"
                    known = getattr(cls, "trained_on", ())
                    entry = Entry(cls.name, target, summary, f"plugin {plugin}", trained_on=known)
                    self._add(self._entries[kind], kind, entry)
                    found += 1
        if not found:
            raise UsageError(
                f"the plugin {plugin} defines no Upstream, Downstream or Corpus", "subclass one in the file itself"
            )

    @staticmethod
    def _load(kind: str, entry: Entry) -> type[Any]:
        module, _, attribute = entry.target.partition(":")
        try:
            cls = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise MissingError(f"{kind} {entry.name!r} cannot be loaded from {entry.target}: {error}") from error
        base = BASES[kind]
        if not (inspect.isclass(cls) and issubclass(cls, base)):
            raise UsageError(f"{entry.target} is not a subclass of benchmark.{base.__name__}", f"see {entry.where}")
        return cls


def _build(cls: type[T], *arguments: Any, **named: Any) -> T:
    """Make an instance of what may be other people's class.

    Raises:
        UsageError: It cannot be made; the message holds the cause. A BenchError of its own goes through.
    """
    try:
        return cls(*arguments, **named)
    except BenchError:
        raise
    except Exception as error:  # other people's code: whatever it raises is told in one line
        raise UsageError(f"{cls.__name__} cannot be made: {type(error).__name__}: {error}") from error


def _marked(upstream: Upstream, trained_on: Iterable[str]) -> Upstream:
    """Tell an upstream what its weights were trained on: a fact about them that decides no feature and no identity."""
    upstream.trained_on = tuple(dict.fromkeys([*upstream.trained_on, *trained_on]))
    return upstream
