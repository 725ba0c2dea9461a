"""Installed packages: where they lie and which version they have, without importing them."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Sequence
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path

from benchmark.errors import MissingError


def versions(distributions: Sequence[str]) -> dict[str, str]:
    """Installed versions of the named distributions; "absent" where one is not installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def find_module(name: str) -> ModuleSpec | None:
    """Where a module lies, without importing it or a package that it is in; None where it is not installed.

    `importlib.util.find_spec` imports the packages above a module, which may be anybody's and heavy.
    """
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = _find_in(f"{spec.name}.{part}", list(spec.submodule_search_locations))
    return spec


def _find_in(name: str, folders: Sequence[str]) -> ModuleSpec | None:
    """A module in the folders of its package: a file or a package, else folders that are one without saying so."""
    bare = ModuleSpec(name, None, is_package=True)
    for folder in folders:
        finder = pkgutil.get_importer(folder)
        spec = None if finder is None else finder.find_spec(name)
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            bare.submodule_search_locations = [
                *(bare.submodule_search_locations or ()),
                *(spec.submodule_search_locations or ()),
            ]
    return bare if bare.submodule_search_locations else None


def package_folder(package: str) -> Path:
    """The folder of a package, found without importing what is in it.

    Raises:
        MissingError: It is not installed.
    """
    spec = find_module(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingError(f"the package {package!r} is not installed", "pip install serbench")
    return Path(next(iter(spec.submodule_search_locations)))
