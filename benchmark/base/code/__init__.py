"""The digest of the code that a class or function reaches, by its meaning.

It is made of the definitions that are reached, wherever they stand: the functions, classes and constants whose names a
definition mentions, those that these mention, and so on through this project's modules (and a plug-in's). Comments,
docstrings, formatting, annotations of functions, the text of errors, the names of modules and what stands beside a
definition in its module are not in it; every statement and constant of a definition is. Of the abstract classes and of
the value types that all upstreams and heads share only the members count that the reached code mentions, so that these
can grow.

Nothing is run or imported for it: what is reached through a name that is made at run time is not seen.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from benchmark.base.code.modules import home_of
from benchmark.base.code.reach import Reach
from benchmark.base.code.sources import own_roots
from benchmark.io.files import digest

__all__ = ["code_at", "code_sha256", "home_of"]


@functools.cache
def code_sha256(*parts: type | Callable[..., Any]) -> str:
    """Digest of the code that classes or functions reach, by its meaning.

    Args:
        parts: Classes and functions that are defined in modules, at their top.

    Raises:
        UsageError: One has no source, as what is defined interactively.
    """
    return code_at(*(home_of(part) for part in parts))


def code_at(*places: tuple[str, str]) -> str:
    """As `code_sha256`, of definitions by module and name; nothing is imported."""
    reach = Reach(frozenset(root for module, _ in places for root in own_roots(module)))
    for module, name in places:
        reach.add(module, name)
    return digest(sorted(reach.digests()))
