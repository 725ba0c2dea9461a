"""Systems by the names that people give: UPSTREAM, or UPSTREAM+DOWNSTREAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.errors import UsageError
from benchmark.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark.records.cells import Cell


def fitting(name: str, cells: Sequence[Cell]) -> list[Cell]:
    """The cells that a name can mean: the one of exactly that name, else all of that upstream."""

    def plain(text: str) -> str:
        return text.replace(" ", "")

    exact = [cell for cell in cells if plain(cell.name) == plain(name)]
    return exact or [cell for cell in cells if cell.upstream.name == name]


def named(name: str, cells: Sequence[Cell]) -> Cell:
    """The cell that a name means.

    Args:
        name: UPSTREAM, or UPSTREAM+DOWNSTREAM.
        cells: All of one task.

    Raises:
        UsageError: It means none, or several.
    """
    found = fitting(name, cells)
    known = ", ".join(sorted(clean(cell.name).replace(" ", "") for cell in (found or cells)))
    if len(found) > 1:
        raise UsageError(f"{name!r} is {len(found)} systems on {cells[0].task.name}", f"say which: {known}")
    if not found:
        raise UsageError(
            f"there is no system {name!r} on {cells[0].task.name}", f"there are {known}; --published adds others"
        )
    return found[0]
