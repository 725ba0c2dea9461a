"""What works on this machine."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmark.base import Corpus, versions
from benchmark.errors import MissingError
from benchmark.registry import Registry
from benchmark.settings import Settings, config_path

REQUIRED = ("numpy", "scipy", "scikit-learn", "soundfile", "soxr", "safetensors", "torch", "transformers", "pydantic")
MODULES = {"scikit-learn": "sklearn"}
GIGABYTE = 1e9


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes:
        status: "ok", "-" for something optional that is not here, "BROKEN" for what stops a run.
        what: The thing.
        found: Version, place, or what to do.
    """

    status: Literal["ok", "-", "BROKEN"]
    what: str
    found: str


def examine(registry: Registry, settings: Settings) -> list[Finding]:
    """Look at everything a run may need."""
    return [
        Finding("ok", "python", platform.python_version()),
        *(_package(name) for name in REQUIRED),
        _device(),
        _torchaudio(),
        _opensmile(),
        *(_folder(name, path) for name, path in (("cache", settings.cache), ("results", settings.results))),
        Finding("ok" if config_path().is_file() else "-", "config file", str(config_path())),
        *(_corpus(registry.corpus(entry.name), settings) for entry in registry.corpora()),
        *(_checkpoint(entry.name, settings) for entry in registry.upstreams() if entry.arguments),
    ]


def _package(name: str) -> Finding:
    try:
        importlib.import_module(MODULES.get(name, name))
    except (ImportError, OSError) as error:
        return Finding("BROKEN", name, f"cannot be imported: {error}")
    return Finding("ok", name, versions((name,))[name])


def _device() -> Finding:
    try:
        import torch
    except (ImportError, OSError):
        return Finding("-", "device", "not known without torch")
    if torch.cuda.is_available():
        return Finding("ok", "device", f"cuda: {torch.cuda.get_device_name()}")
    return Finding("ok", "device", f"cpu, {os.cpu_count()} cores")


def _torchaudio() -> Finding:
    """Nothing here needs torchaudio; one that is there and broken breaks the speech models of transformers."""
    if versions(("torchaudio",))["torchaudio"] == "absent":
        return Finding("ok", "torchaudio", "absent, and not needed")
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError) as error:
        return Finding("BROKEN", "torchaudio", f"does not suit this torch: {error}; pip uninstall torchaudio")
    return Finding("ok", "torchaudio", versions(("torchaudio",))["torchaudio"])


def _opensmile() -> Finding:
    version = versions(("opensmile",))["opensmile"]
    if version == "absent":
        return Finding("-", "opensmile", "for egemaps and compare: pip install 'serbench[opensmile]' (research use)")
    return Finding("ok", "opensmile", version)


def _folder(name: str, path: Path) -> Finding:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        return Finding("BROKEN", name, f"{path} cannot be written")
    return Finding("ok", name, f"{path} ({shutil.disk_usage(existing).free / GIGABYTE:.0f} GB free)")


def _corpus(corpus: Corpus, settings: Settings) -> Finding:
    if type(corpus).prepare is not Corpus.prepare:
        return Finding("ok", f"corpus {corpus.name}", "made when needed")
    try:
        found = settings.find_data(corpus.name)
    except MissingError as error:
        return Finding("BROKEN", f"corpus {corpus.name}", str(error))
    if found is None:
        return Finding("-", f"corpus {corpus.name}", f"not here: {corpus.how_to_get}")
    return Finding("ok", f"corpus {corpus.name}", str(found))


def _checkpoint(name: str, settings: Settings) -> Finding:
    try:
        found = settings.find_weights(name)
    except MissingError as error:
        return Finding("BROKEN", f"weights {name}", str(error))
    return Finding("ok" if found else "-", f"weights {name}", str(found) if found else "from the Hugging Face Hub")
