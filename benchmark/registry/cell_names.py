"""Cells by their names, TASK/UPSTREAM/DOWNSTREAM, where a name may be a path and an upstream one that was trained.

    CELL       = TASK / UPSTREAM / DOWNSTREAM
    TASK       = a name without "/", or the path of a YAML
    DOWNSTREAM = likewise
    UPSTREAM   = a name without "/", PREFIX:PATH, or tuned:CELL, with what names add to them (@last, +egemaps)

A part that is a path ends in .yaml or .yml, and no folder in it does, nor has a ":". So one thing alone is left open,
where the path that follows a prefix ends and a recipe in a folder begins: hf:m/moon/own/r.yaml. There it is the recipe
that is a file here, the one in the fewest folders; a "/./" or, for a path from the root, a "//" says where it begins.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmark.base.tuned import PREFIX, Training
from benchmark.errors import UsageError
from benchmark.registry.entries import SUFFIXES

LONGEST = 100  # parts between slashes: names in records may be anything


def is_here(path: str) -> bool:
    """Whether a path is that of a file of this machine."""
    return Path(path).is_file()


def is_nowhere(path: str) -> bool:
    """For names that stand for no file of this machine, as in records."""
    del path
    return False


def parse_cell(text: str, is_file: Callable[[str], bool] = is_here) -> Training:
    """Take TASK/UPSTREAM/DOWNSTREAM apart.

    Args:
        text: As above.
        is_file: Whether a path is that of a file; asked only of recipes that may be in a folder.

    Raises:
        UsageError: It is something else.
    """
    parts = tuple(text.split("/"))
    found = list(_cells(parts)) if len(parts) <= LONGEST else []
    if not found:
        raise UsageError(f"{text!r} is not TASK/UPSTREAM/DOWNSTREAM", "as in demo/whisper-tiny/finetune")
    if len(found) > 1:  # the fewest folders come first
        found.sort(key=lambda cell: (_is_cut(cell.upstream), not is_file(cell.downstream)))
    return found[0]


def _cells(parts: Sequence[str]) -> Iterator[Training]:
    """All that it may mean, the downstream in the fewest folders first."""
    for end in range(1, len(parts) - 1):
        if not _is_part(parts[:end]):
            continue
        for start in range(len(parts) - 1, end, -1):
            if _is_part(parts[start:]) and _is_upstream(tuple(parts[end:start])):
                yield Training("/".join(parts[:end]), "/".join(parts[end:start]), "/".join(parts[start:]))


def _is_part(parts: Sequence[str]) -> bool:
    """Whether it names a task or a downstream."""
    *folders, last = parts
    if not folders:
        return bool(last) and ":" not in last
    return last.endswith(SUFFIXES) and not any(":" in one or one.endswith(SUFFIXES) for one in folders)


@functools.lru_cache(maxsize=1 << 12)
def _is_upstream(parts: tuple[str, ...]) -> bool:
    """Whether it names an upstream: what was trained is taken apart itself."""
    first, *others = parts
    if first.startswith(PREFIX):
        return any(True for _ in _cells((first.removeprefix(PREFIX), *others)))
    if ":" not in first:
        return bool(first) and not others and not first.endswith(SUFFIXES)
    return any(PREFIX in one for one in parts) or not any(one.endswith(SUFFIXES) for one in parts)


def _is_cut(upstream: str) -> bool:
    """Whether the path in an upstream has what says that another one begins."""
    return "/./" in upstream or "//" in upstream or upstream.endswith(("/", "/."))
