"""What works on this machine."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmark.base import Corpus
from benchmark.errors import MissingError
from benchmark.io.packages import extra_condition, versions
from benchmark.io.settings import Settings, config_path
from benchmark.registry.entries import Entry
from benchmark.registry.registry import Registry
from benchmark.types import Condition

REQUIRED = ("numpy", "scipy", "scikit-learn", "soundfile", "soxr", "safetensors", "torch", "transformers", "pydantic")
MODULES = {"scikit-learn": "sklearn"}
GIGABYTE = 1e9


def examine(registry: Registry, settings: Settings) -> list[Condition]:
    """Look at everything a run may need."""
    return [
        Condition("ok", "python", platform.python_version()),
        *(_package(name) for name in REQUIRED),
        _device(),
        *_families(registry.upstreams()),
        *(_folder(name, path) for name, path in (("cache", settings.cache), ("results", settings.results))),
        Condition("ok" if config_path().is_file() else "-", "config file", str(config_path())),
        *(_corpus(registry.corpus(entry.name), settings) for entry in registry.corpora()),
        *_checkpoints([entry.name for entry in registry.upstreams() if entry.arguments], settings),
    ]


def _package(name: str) -> Condition:
    try:
        importlib.import_module(MODULES.get(name, name))
    except (ImportError, OSError) as error:
        return Condition("BROKEN", name, f"cannot be imported: {error}")
    return Condition("ok", name, versions((name,))[name])


def _device() -> Condition:
    try:
        import torch
    except (ImportError, OSError):
        return Condition("-", "device", "not known without torch")
    if torch.cuda.is_available():
        return Condition("ok", "device", f"cuda: {torch.cuda.get_device_name()}")
    return Condition("ok", "device", f"cpu, {os.cpu_count()} cores")


def _families(upstreams: Iterable[Entry]) -> Iterator[Condition]:
    """What families of upstreams say of the packages that they need, and of the extras of those that say nothing."""
    named = [entry for entry in upstreams if not entry.arguments]
    for target in dict.fromkeys(entry.examine for entry in named if entry.examine is not None):
        yield from _examiner(target)()
    extras: dict[str, list[str]] = {}
    for entry in named:
        if entry.extra is not None and entry.examine is None:
            extras.setdefault(entry.extra, []).append(entry.name)
    for extra, names in extras.items():
        yield extra_condition(extra, names)


def _examiner(target: str) -> Callable[[], Iterable[Condition]]:
    """The function that a class names as "module:function".

    Raises:
        MissingError: There is none.
    """
    module, _, name = target.partition(":")
    try:
        found: Callable[[], Iterable[Condition]] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise MissingError(
            f"the examination {target!r} cannot be loaded: {error}", 'examine = "module:function" in the upstream'
        ) from error
    return found


def _folder(name: str, path: Path) -> Condition:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        return Condition("BROKEN", name, f"{path} cannot be written")
    return Condition("ok", name, f"{path} ({shutil.disk_usage(existing).free / GIGABYTE:.0f} GB free)")


def _corpus(corpus: Corpus, settings: Settings) -> Condition:
    if type(corpus).prepare is not Corpus.prepare:
        return Condition("ok", f"corpus {corpus.name}", "made when needed")
    try:
        found = settings.find_data(corpus.name)
    except MissingError as error:
        return Condition("BROKEN", f"corpus {corpus.name}", str(error))
    if found is None:
        return Condition("-", f"corpus {corpus.name}", f"not here: {corpus.how_to_get}")
    return Condition("ok", f"corpus {corpus.name}", str(found))


def _checkpoints(names: Sequence[str], settings: Settings) -> Iterator[Condition]:
    """Named checkpoints whose folder was given, and the number of the others."""
    elsewhere = 0
    for name in names:
        try:
            found = settings.find_weights(name)
        except MissingError as error:
            yield Condition("BROKEN", f"weights {name}", str(error))
            continue
        elsewhere += found is None
        if found is not None:
            yield Condition("ok", f"weights {name}", str(found))
    yield Condition("-", "other weights", f"{elsewhere} named checkpoints: from the Hugging Face Hub")
