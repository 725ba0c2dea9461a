"""Digests of the modules that a head is spread over, for its identity."""

from __future__ import annotations

import functools
import hashlib
import inspect
from types import ModuleType


@functools.cache
def sources_sha256(*modules: ModuleType) -> dict[str, str]:
    """Digest of the source of each module, so that changed code in any of them is a changed head."""
    return {module.__name__: hashlib.sha256(inspect.getsource(module).encode()).hexdigest() for module in modules}
