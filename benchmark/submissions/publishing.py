"""Publishing: the records of a complete cell in one file that can be shared, without a name of a speaker.

`leaderboard/results/TASK/UPSTREAM--DOWNSTREAM.json` holds the per-speaker statistics of every fold and seed, from which
every score, interval and test is computed again. Predictions, labels of utterances, paths and the salt that tells the
speakers stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.cells import Cell
from benchmark.errors import BenchError
from benchmark.files import TEMPORARY_PREFIX, safe_name, write_atomically
from benchmark.records import Record, pack, read_file
from benchmark.records.salting import salted

# An absolute path, of a home folder or of Windows.
PATH = re.compile(r"(?:^|[\s=:,'\"])(?:/[^/\s]+/|~[^/\s]*/|[A-Za-z]:\\|\\\\)")


def published_path(folder: Path, task: str, upstream: str, downstream: str) -> Path:
    """Where the results of a cell lie: `folder/TASK/UPSTREAM--DOWNSTREAM.json`."""
    return folder / safe_name(task) / f"{safe_name(upstream)}--{safe_name(downstream)}.json"


def publishable(cell: Cell) -> list[Record]:
    """The records of a complete cell as they may be shared, in the order of its units.

    Raises:
        BenchError: A unit is missing or failed; one was recorded by an older version that did not keep what is needed
            to hide its speakers; or a text in it looks like a path of this machine.
    """
    if not cell.complete:
        done = f"{len(cell.completed)} of {len(cell.units)} units"
        raise BenchError(f"{cell.name} on {cell.task.name} is incomplete: {done}", "run it again to complete it")
    records = [cell.records[unit] for unit in cell.units]
    old = [one for one in records if one.downstream.needs is None or one.task.downstream is None]
    if old:
        raise BenchError(
            f"{cell.name} on {cell.task.name} was recorded by an older version, which did not keep what hides the "
            f"speakers (fold {old[0].fold!r}, seed {old[0].seed})",
            "make it again: bench run --rerun all, with the same upstream, downstream and task",
        )
    records = [salted(one) for one in records]
    for one in records:
        paths = [text for text in texts(one.model_dump(mode="json")) if PATH.search(text)]
        if paths:
            raise BenchError(
                f"{cell.name} on {cell.task.name} has what looks like a path of this machine: {paths[0]!r:.200}",
                "place weights with --weights NAME=FOLDER, so that they go by a name",
            )
    return records


def publish(cell: Cell, folder: Path) -> Path:
    """Write the file of a complete cell; it is read back and verified before it replaces an older one.

    Returns:
        Where it lies.

    Raises:
        BenchError: As `publishable`; another system's results lie under the same file name; or what was written is not
            what is read.
    """
    records = publishable(cell)
    path = published_path(folder, cell.task.name, cell.upstream.name, cell.downstream.name)
    if path.is_file():
        _check_same_system(path, cell)
    temporary = path.with_name(TEMPORARY_PREFIX + path.name)
    try:
        write_atomically(temporary, pack(records))
        if read_file(temporary) != records:
            raise BenchError(f"{path} cannot be written: what was read back is something else", "report it")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def texts(value: Any) -> Iterator[str]:
    """Every text in a plain value, the keys of its objects too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one


def _check_same_system(path: Path, cell: Cell) -> None:
    """Two names may differ only in letters that a file name cannot have."""
    there = read_file(path)[0]
    names = (there.task.name, there.upstream.name, there.downstream.name)
    if names != (cell.task.name, cell.upstream.name, cell.downstream.name):
        raise BenchError(
            f"{path} holds the results of another system: {names[1]} + {names[2]}, not {cell.name}",
            "rename one of them, or publish into another folder by --out",
        )
