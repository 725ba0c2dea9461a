"""All that can be named on the command line: of this package, of installed ones, of plug-ins and of files.

A class is found by the literal `name = "..."` in its body: the source is parsed, not imported, so that listing needs no
torch and adding a file just works. Tasks, recipes and named checkpoints are YAML. Other packages join through the entry
points of `benchmark.registry.entry_points`; a single file through `--plugin`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from benchmark.base import Corpus, Downstream, Upstream
from benchmark.base.declared import DeclaredHead, HeadFacts
from benchmark.errors import BenchError, UsageError
from benchmark.protocol.task import Task, read_task
from benchmark.registry.building import build_corpus, build_downstream, build_upstream
from benchmark.registry.catalogue import Catalogue
from benchmark.registry.changes import parse_changes
from benchmark.registry.downstreams import Downstreams, declared_head, params_of
from benchmark.registry.entries import Entry
from benchmark.registry.entry_points import Offer, offers, reason_of
from benchmark.registry.plugins import import_plugin, plugin_classes, plugin_recipes
from benchmark.registry.source import scan_package
from benchmark.registry.tasks import Tasks
from benchmark.registry.upstreams import Upstreams
from benchmark.text import nearest


class Registry:
    """All that can be named on the command line.

    Args:
        plugins: Files (`FILE.py`) or modules whose `Upstream`, `Downstream` and `Corpus` subclasses join, with the
            recipes in the folder `recipes` beside them.
        changes: "downstream.KEY=VALUE": values in place of those of every recipe.

    Attributes:
        plugins: As given.
        changes: As given.
        broken: Entry points of installed packages that cannot be used.

    Raises:
        UsageError: Two places claim the same name, or a plugin cannot be imported.
    """

    def __init__(self, plugins: Iterable[str] = (), changes: Iterable[str] = ()) -> None:
        self.changes = tuple(changes)
        self._changes = parse_changes(self.changes)
        self._tasks = Tasks()
        self.broken: list[Offer] = []
        self._add_offers(list(offers()))
        self.plugins = tuple(plugins)
        self.declared_head = functools.cache(self._declared_head)
        modules = [(plugin, import_plugin(plugin)) for plugin in self.plugins]
        for plugin, module in modules:
            for kind, entry in plugin_classes(module, plugin):
                self._catalogue(kind).add(entry)
        # Last, so that a recipe may be of any plug-in's class; those of two plug-ins in one folder are the same files.
        for path in dict.fromkeys(path for _, module in modules for path in plugin_recipes(module)):
            self._downstreams.recipes.add(self._downstreams.recipe(path, str(path)))

    # -- what is there ------------------------------------------------------------------------------------------------

    def upstreams(self) -> list[Entry]:
        """Every upstream, prefixes such as "hf:" last."""
        return self._upstreams.all()

    def downstreams(self) -> list[Entry]:
        """Every recipe, and every class that no recipe uses (plugins)."""
        return self._downstreams.all()

    def corpora(self) -> list[Entry]:
        """Every corpus."""
        return sorted(self._corpora.values(), key=lambda entry: entry.name)

    def tasks(self) -> list[str]:
        """Every task."""
        return self._tasks.names()

    # -- what is known of it ------------------------------------------------------------------------------------------

    def upstream_entries(self, name: str) -> list[tuple[Entry, str | None]]:
        """The entries of all upstreams in a name such as "A@last+hf:PATH", with what follows their prefixes."""
        return self._upstreams.entries(name)

    def upstream_tasks(self, name: str) -> list[str]:
        """The tasks that upstreams in a name are trained on by a run, as the name has them: names, or files."""
        return list(self._upstreams.tasks(name))

    def downstream_entry(self, name: str) -> Entry:
        """The entry of a downstream: a recipe, a class without one, or a recipe of one's own by the path of its YAML.

        Raises:
            UsageError: There is none, or a file takes the name of another recipe for other parameters.
        """
        return self._downstreams.entry(name)

    def head_facts(self, name: str, *, changed: bool = True) -> HeadFacts:
        """What is known of a head before it is fitted; it is imported only where its parameters stand in its module.

        Args:
            name: A registered name, or the path of a YAML.
            changed: With `changes`; else as its recipe has it.

        Raises:
            BenchError: It is unknown, or cannot be made.
        """
        entry = self.downstream_entry(name)
        params = params_of(entry, self._changes if changed else None)
        return HeadFacts.of(build_downstream(entry, params, "cpu") if entry.params is None else params)

    def _declared_head(self, name: str) -> DeclaredHead:
        """What decides the identity of a head and how a run is planned; one of this package is not imported for it.

        Args:
            name: A registered name, or the path of a YAML.

        Raises:
            BenchError: It is unknown, or cannot be made.
        """
        entry = self.downstream_entry(name)
        params = params_of(entry, self._changes)
        declared = declared_head(self._downstreams, entry, params)
        return DeclaredHead.of(build_downstream(entry, params, "cpu")) if declared is None else declared

    # -- building -----------------------------------------------------------------------------------------------------

    def upstream(self, name: str, weights: Callable[[str], Path | None] = lambda name: None) -> Upstream:
        """Build an upstream.

        Args:
            name: A name that `upstreams` lists, or prefix and argument such as "hf:facebook/hubert-base-ls960"; made of
                several, or of some layers, as `benchmark.base.combined` says.
            weights: From the name of a checkpoint to a folder that it is loaded from, None for that of its row.
        """
        return build_upstream(self._upstreams, name, weights)

    def downstream(self, name: str, device: str = "cpu") -> Downstream:
        """Build a new head from its recipe, by a name or the path of a YAML."""
        entry = self.downstream_entry(name)
        return build_downstream(entry, params_of(entry, self._changes), device)

    def corpus(self, name: str) -> Corpus:
        """Build the scanner of a corpus."""
        if name not in self._corpora:
            raise UsageError(f"unknown corpus {name!r}", nearest(name, self._corpora))
        return build_corpus(self._corpora[name])

    def corpora_of(self, task: Task) -> tuple[Corpus, ...]:
        """The scanners of a task: one, or source and target."""
        return tuple(self.corpus(part.corpus) for part in task.uses)

    def task(self, name: str) -> Task:
        """The protocol of a task.

        Args:
            name: A registered name, or the path of a YAML file.

        Raises:
            UsageError: There is none, it does not follow the schema, or a file takes the name of a registered task
                for another protocol.
        """
        return self._tasks.read(name)

    # -- reading, when something of the kind is first asked for ------------------------------------------------------

    @functools.cached_property
    def _upstreams(self) -> Upstreams:
        return Upstreams(on_disk=True)

    @functools.cached_property
    def _downstreams(self) -> Downstreams:
        return Downstreams()

    @functools.cached_property
    def _corpora(self) -> Catalogue:
        return Catalogue("corpus", scan_package("corpus"))

    # -- filling ------------------------------------------------------------------------------------------------------

    def _catalogue(self, kind: str) -> Catalogue:
        return {
            "upstream": self._upstreams.catalogue,
            "downstream": self._downstreams.classes,
            "corpus": self._corpora,
        }[kind]

    def _add_offers(self, found: list[Offer]) -> None:
        """Take in what installed packages offer, classes before the recipes that name them."""
        for offer in found:
            if offer.entry is not None:
                self._catalogue(offer.kind).add(offer.entry)
            elif offer.broken is not None:
                self.broken.append(offer)
        for offer in found:
            for path in offer.files:
                try:
                    entry = self._downstreams.recipe(path, str(path)) if offer.kind == "downstream" else None
                    if entry is None:
                        read_task(path)
                except BenchError as error:
                    self.broken.append(replace(offer, broken=reason_of(error)))
                    continue
                if entry is None:
                    self._tasks.add(path)
                else:
                    self._downstreams.recipes.add(entry)
