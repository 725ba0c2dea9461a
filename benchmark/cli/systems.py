"""Systems by the names that people give: UPSTREAM, or UPSTREAM+DOWNSTREAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.errors import UsageError
from benchmark.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from benchmark.io.settings import Settings
    from benchmark.records.cells import Cell
    from benchmark.registry.registry import Registry
    from benchmark.run.fitted import Shelf


def kept(
    cell: str, plugin: list[str] | None, weights: list[str] | None, results: Path | None
) -> tuple[Shelf, Registry, Settings]:
    """What was kept of a cell that was run, and what it is loaded with.

    Args:
        cell: TASK/UPSTREAM/DOWNSTREAM.
        plugin: As `benchmark.cli.options.load`, like the next two.
        weights: Where named checkpoints are.
        results: The folder of the records.
    """
    from benchmark.cli.options import load
    from benchmark.registry.cell_names import parse_cell
    from benchmark.run.fitted import Shelf

    names = parse_cell(cell)
    registry, settings = load(plugin, None, weights, results, [names.task])
    return Shelf(names, registry, settings), registry, settings


def fitting(name: str, cells: Sequence[Cell]) -> list[Cell]:
    """The cells that a name can mean: the one of exactly that name, else all of that upstream."""

    def plain(text: str) -> str:
        return text.replace(" ", "")

    exact = [cell for cell in cells if plain(cell.name) == plain(name)]
    return exact or [cell for cell in cells if cell.upstream.name == name]


def of_names(cells: Sequence[Cell], upstreams: Sequence[str] | None, downstreams: Sequence[str] | None) -> list[Cell]:
    """The cells of some upstreams and some downstreams; of any where none is named."""
    return [
        cell
        for cell in cells
        if cell.upstream.name in (upstreams or [cell.upstream.name])
        and cell.downstream.name in (downstreams or [cell.downstream.name])
    ]


def named(name: str, cells: Sequence[Cell], superseded: Sequence[Cell]) -> Cell:
    """The cell that a name means.

    Args:
        name: UPSTREAM, or UPSTREAM+DOWNSTREAM.
        cells: All of one task.
        superseded: Cells that are not shown, of any task.

    Raises:
        UsageError: It means none, or several.
    """
    found = fitting(name, cells)
    known = ", ".join(sorted(clean(cell.name).replace(" ", "") for cell in (found or cells)))
    if len(found) > 1:
        raise UsageError(f"{name!r} is {len(found)} systems on {cells[0].task.name}", f"say which: {known}")
    if not found:
        refuse_superseded(fitting(name, superseded), cells)
        raise UsageError(
            f"there is no system {name!r} on {cells[0].task.name}", f"there are {known}; --published adds others"
        )
    return found[0]


def refuse_superseded(found: Sequence[Cell], shown: Sequence[Cell]) -> None:
    """Say of a system that there is one, but that newer rows are shown in its place.

    Args:
        found: Superseded cells that are meant, of any task.
        shown: Cells of one task.

    Raises:
        UsageError: One of the cells is of that task; the newest is told.
    """
    from benchmark.records.superseding import superseded_by

    tasks = {cell.task.name for cell in shown}
    meant = [cell for cell in found if cell.task.name in tasks]
    if meant:
        newest = superseded_by(max(meant, key=lambda cell: (cell.complete, cell.created)), shown)
        what = f"{clean(newest.cell.name)} on {clean(newest.cell.task.name)}"
        raise UsageError(f"{what} is {newest.reason}", newest.advice(clean(newest.cell.command)))


def no_records(task: str, known: Collection[str]) -> UsageError:
    """That a task has no records; `known` are those that have some."""
    some = f"there are some of {', '.join(sorted(known))}" if known else "there are none at all"
    what = f"there are no records of the task {task!r}"
    return UsageError(what, f"{some}; bench run makes them, --published adds those published with serbench")


def asked(tasks: Sequence[str], by_task: Mapping[str, Sequence[Cell]]) -> list[str]:
    """The tasks that are asked for, each once.

    Raises:
        UsageError: There are no records of one.
    """
    for name in tasks:
        if name not in by_task:
            raise no_records(name, by_task)
    return list(dict.fromkeys(tasks))


def systems_of(by_task: Mapping[str, Sequence[Cell]]) -> str:
    """The names of all systems that are shown, as a hint: those that are complete on some task, and the others."""
    cells = [cell for of_task in by_task.values() for cell in of_task]
    complete = {clean(cell.name).replace(" ", "") for cell in cells if cell.complete}
    others = {clean(cell.name).replace(" ", "") for cell in cells} - complete
    said = [
        f"{what}: {', '.join(sorted(names))}"
        for what, names in (("complete", complete), ("incomplete", others))
        if names
    ]
    return "; ".join(said) or "there are no records"
