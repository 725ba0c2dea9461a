"""Where modules lie and what their sources are, without importing what is not imported yet."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

# The packages of this project whose code is followed; the code of other packages is told by their versions.
PACKAGES = ("benchmark", "upstreams", "downstreams", "tasks")


def source_of(name: str) -> str | None:
    """The source of a module; None where it has none."""
    loaded = sys.modules.get(name)
    try:
        if loaded is not None:
            return inspect.getsource(loaded)
        spec = importlib.util.find_spec(name)
    except (OSError, TypeError, ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")


def file_of(name: str) -> Path | None:
    """The file of a module; None where it has none or cannot be found."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        origin = getattr(loaded, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
        origin = None if spec is None else spec.origin
    return None if origin is None else Path(origin)


def own_roots(module: str) -> Iterator[str]:
    """The package whose code belongs to what a module defines; of a single file that is not installed its folder."""
    top = module.partition(".")[0]
    yield top
    file = file_of(module)
    if top == module and file is not None and file.stem != "__init__" and not is_installed(file):
        yield str(file.parent)


def is_installed(file: Path) -> bool:
    """Whether a file belongs to an installed distribution."""
    return "site-packages" in file.parts or "dist-packages" in file.parts


def is_foreign(module: str) -> bool:
    """Whether a module is of Python itself or of an installed package; only the outermost is looked for."""
    top = module.partition(".")[0]
    if top in PACKAGES:
        return False
    file = None if top in sys.stdlib_module_names else file_of(top)
    return top in sys.stdlib_module_names or (file is not None and is_installed(file))
