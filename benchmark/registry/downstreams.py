"""Downstreams by name: classes, and recipes, which are YAML: of this package, beside a plug-in, or any file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.base import HeadParams
from benchmark.base.declared import DeclaredHead, HeadFacts
from benchmark.errors import UsageError
from benchmark.io.packages import package_folder
from benchmark.io.yamls import read_yaml, validate
from benchmark.registry.building import load, load_class
from benchmark.registry.catalogue import Catalogue
from benchmark.registry.changes import changed
from benchmark.registry.entries import SUFFIXES, Entry, Recipe, is_protocol
from benchmark.registry.source import is_own, scan_package
from benchmark.text import nearest

RECIPES = ("downstreams", "recipes")  # a spoke, named only as a string


class Downstreams:
    """The classes and recipes of this package, to which others are added.

    Attributes:
        classes: By name.
        recipes: By name.
    """

    def __init__(self) -> None:
        self.classes = Catalogue("downstream", scan_package("downstream"))
        self.recipes = Catalogue("downstream")
        self._files: dict[str, Entry] = {}
        for path, recipe in _own_recipes().items():
            self.recipes.add(self._of(recipe, "/".join((*RECIPES, path.name))))

    def all(self) -> list[Entry]:
        """Every recipe, and every class that no recipe uses (plugins)."""
        used = {entry.target for entry in self.recipes.values()}
        bare = [entry for entry in self.classes.values() if entry.target not in used]
        return sorted([*self.recipes.values(), *bare], key=lambda entry: entry.name)

    def recipe(self, path: Path, where: str) -> Entry:
        """Read a recipe.

        Args:
            path: Its file.
            where: What to call it.

        Raises:
            UsageError: It is none, or its class is unknown.
        """
        return self._of(_read(path, where), where)

    def entry(self, name: str) -> Entry:
        """The entry of a downstream: a recipe, a class without one, or a recipe of one's own.

        Args:
            name: A registered name, or the path of a YAML file, which is read once: a run fits what it planned.

        Raises:
            UsageError: There is none, or a file takes the name of another recipe for other parameters.
        """
        if name.endswith(SUFFIXES):
            if name not in self._files:
                self._files[name] = self._own_file(name)
            return self._files[name]
        known = {**self.classes, **self.recipes}
        if name not in known:
            raise UsageError(f"unknown downstream {name!r}", nearest(name, {entry.name for entry in self.all()}))
        return known[name]

    def _own_file(self, name: str) -> Entry:
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no recipe file {name!r}", "give the path of a recipe YAML")
        if is_protocol(read_yaml(path, name)):
            raise UsageError(f"{name} is a protocol, and no recipe", f"--task {name}")
        entry = self.recipe(path, name)
        registered = {**self.classes, **self.recipes}.get(entry.name)
        if registered is not None and not _same(registered, entry):
            raise UsageError(
                f"{name} is called {entry.name!r}, which is a registered downstream", "give it another name"
            )
        for other in self._files.values():
            if other.name == entry.name and not _same(other, entry):
                raise UsageError(f"{other.where} and {name} are both called {entry.name!r}", "rename one of them")
        return entry

    def _of(self, recipe: Recipe, where: str) -> Entry:
        if recipe.downstream not in self.classes:
            raise UsageError(
                f"unknown downstream {recipe.downstream!r} in {where}", nearest(recipe.downstream, self.classes)
            )
        cls = self.classes[recipe.downstream]
        return Entry(
            recipe.name,
            cls.target,
            recipe.summary,
            where,
            recipe.params,
            extra=cls.extra,
            source=recipe.source,
            version=cls.version,
            params=cls.params,
        )


def params_of(entry: Entry, changes: Mapping[tuple[str, ...], Any] | None = None) -> HeadParams:
    """The parameters of a head by its entry; the head is imported only where they stand in its own module.

    Args:
        entry: Of the head.
        changes: Values by the keys that lead to them, in place of those of the recipe.

    Raises:
        MissingError: They cannot be imported.
        UsageError: The recipe does not suit them.
    """
    schema: type[HeadParams]
    if entry.params is None:
        schema = load_class("downstream", entry).Params
    else:
        schema = load("the parameters of the downstream", entry.name, entry.params)
    where = f"params of {entry.where}"
    return validate(schema, changed(entry.arguments, changes or {}, where), where)


def declared_head(downstreams: Downstreams, entry: Entry, params: HeadParams) -> DeclaredHead | None:
    """What a head of this package declares, read from its source.

    None where not all of it is read there, of the head or of one that it is made of: other people may say it elsewhere.

    Args:
        downstreams: Where its components are looked up.
        entry: Its recipe or class.
        params: What the recipe gives, checked.
    """
    module, _, name = entry.target.partition(":")
    if entry.version is None or entry.params is None or not is_own(entry):
        return None
    family = next(own.name for own in scan_package("downstream") if own.target == entry.target)
    made_of = [declared_head(downstreams, downstreams.classes[member], values) for member, values in params.components]
    components = tuple(one for one in made_of if one is not None)
    if len(components) < len(made_of):
        return None
    return DeclaredHead(
        family=family,
        version=str(entry.version),
        home=(module, name),
        params=params.model_dump(mode="json"),
        facts=HeadFacts.of(params),
        components=components,
    )


def is_recipe(path: Path, where: str = "") -> bool:
    """Whether a YAML is a recipe and no protocol, which has folds.

    Args:
        path: The file.
        where: What to call it in an error.

    Raises:
        UsageError: It cannot be read, or is no YAML.
    """
    content = read_yaml(path, where)
    return "downstream" in content and not is_protocol(content)


def _read(path: Path, where: str) -> Recipe:
    return validate(Recipe, read_yaml(path, where), where)


@functools.cache
def _own_recipes() -> Mapping[Path, Recipe]:
    package, folder = RECIPES
    paths = sorted((package_folder(package) / folder).glob("*.yaml"))
    return {path: _read(path, "/".join((*RECIPES, path.name))) for path in paths}


def _same(one: Entry, other: Entry) -> bool:
    return (one.target, one.arguments) == (other.target, other.arguments)
