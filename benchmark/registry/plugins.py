"""Plug-ins: classes of a file or a module that is named on the command line, and the recipes beside it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.errors import BenchError, UsageError
from benchmark.io.files import digest
from benchmark.registry.building import BASES
from benchmark.registry.entries import Entry

RECIPES = "recipes"  # the folder beside a plug-in


def import_plugin(plugin: str) -> ModuleType:
    """Import a plugin given as `FILE.py` or as a module name.

    Raises:
        UsageError: It does not exist or fails to import; the message holds the cause.
    """
    try:
        if not plugin.endswith(".py"):
            return importlib.import_module(plugin)
        path = Path(plugin)
        if not path.is_file():
            raise UsageError(f"there is no plugin file {plugin!r}")
        name = f"plugin_{path.stem}_{digest(str(path.resolve()))[:8]}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"the plugin {plugin!r} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except BenchError:
        raise
    except Exception as error:  # other people's code: whatever it raises is told in one line
        raise UsageError(f"the plugin {plugin!r} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def plugin_classes(module: ModuleType, plugin: str) -> Iterator[tuple[str, Entry]]:
    """The classes that a plugin defines, each with its kind: "upstream", "downstream" or "corpus".

    Args:
        module: It, imported.
        plugin: What to call it.

    Raises:
        UsageError: It defines none, or one without a name.
    """
    classes: list[Any] = [value for value in vars(module).values() if inspect.isclass(value)]
    own = [cls for cls in classes if cls.__module__ == module.__name__]
    found = 0
    for kind, base in BASES.items():
        for cls in own:
            if not issubclass(cls, base):
                continue
            if inspect.isabstract(cls):
                if any(cls in other.__mro__[1:] for other in own):
                    continue  # what others finish
                lacking = " and ".join(sorted(cls.__abstractmethods__))
                raise UsageError(f"{cls.__name__} in the plugin {plugin} lacks {lacking}", "is a name misspelt?")
            if not isinstance(getattr(cls, "name", None), str):
                if any(cls in other.__mro__[1:] for other in own):
                    continue  # what named classes share
                raise UsageError(f"{cls.__name__} in the plugin {plugin} has no name", 'set name = "..." in it')
            summary = inspect.cleandoc(cls.__doc__ or "").split("\n")[0]
            target = f"{module.__name__}:{cls.__name__}"
            known = getattr(cls, "trained_on", ())
            version = getattr(cls, "version", None)
            yield kind, Entry(cls.name, target, summary, f"plugin {plugin}", trained_on=known, version=version)
            found += 1
    if not found:
        raise UsageError(
            f"the plugin {plugin} defines no Upstream, Downstream or Corpus", "subclass one in the file itself"
        )


def plugin_recipes(module: ModuleType) -> list[Path]:
    """The recipes of a plugin: every YAML in the folder `recipes` beside its file, or in its package."""
    return [] if module.__file__ is None else sorted((Path(module.__file__).parent / RECIPES).glob("*.yaml"))
