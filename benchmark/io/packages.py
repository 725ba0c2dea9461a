"""Installed packages: where they lie, which version they have, whether they can be imported; and silencing them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import pkgutil
import warnings
from collections.abc import Iterator, Sequence
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path

from benchmark.errors import MissingError
from benchmark.types import Condition

# What a package that is built for another version of what it needs, or misses a piece, can raise on import.
BROKEN_IMPORT = (ImportError, OSError, AttributeError, RuntimeError)


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


def import_failure(module: str) -> Exception | None:
    """Import a module and tell what that raises; None where it can be imported."""
    try:
        with quiet():
            importlib.import_module(module)
    except BROKEN_IMPORT as error:
        return error
    return None


def extra_condition(extra: str, upstreams: Sequence[str], licence: str = "") -> Condition:
    """Whether the package of an optional dependency group is installed, and how to get it where it is not.

    Args:
        extra: The group, which is called as its package.
        upstreams: Names of the upstreams that need it.
        licence: What its licence allows, where that is worth a word.
    """
    version = versions((extra,))[extra]
    if version != "absent":
        return Condition("ok", extra, version)
    *others, last = upstreams
    purpose = f"{', '.join(others)} and {last}" if others else last
    about = f" ({licence})" if licence else ""
    return Condition("-", extra, f"for {purpose}: pip install 'serbench[{extra}]'{about}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the lines, log messages and warnings of foreign code, for where what matters is checked."""
    disabled = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
