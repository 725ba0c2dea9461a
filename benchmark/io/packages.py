"""Installed packages: where they lie and which version they have, without importing them."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib import metadata
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


def package_folder(package: str) -> Path:
    """The folder of a package, found without importing what is in it.

    Raises:
        MissingError: It is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingError(f"the package {package!r} is not installed", "pip install serbench")
    return Path(next(iter(spec.submodule_search_locations)))
