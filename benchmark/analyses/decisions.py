"""What a system decided on every test utterance, with each of its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.records.cells import Cell
from benchmark.records.predictions import cell_predictions
from benchmark.text import clean


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions of one system on one task.

    Attributes:
        system: Its name, as it is shown.
        task: The task's name.
        outputs: Names of the K classes, or of the k dimensions.
        tests: (fold, utterance id) of the n tests, sorted; an utterance may be tested in several folds.
        speakers: Of each test.
        truth: Class indices (n,), or values (n, k).
        decided: (seeds, n), or (seeds, n, k).
    """

    system: str
    task: str
    outputs: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]
    speakers: tuple[str, ...]
    truth: NDArray[Any]
    decided: NDArray[Any]


def decisions_of(folders: Sequence[Path], cell: Cell) -> Decisions:
    """The decisions of a cell.

    Args:
        folders: Of records; the first that has all its predictions is read.
        cell: A complete cell.

    Raises:
        MissingError: No folder has them; the message has the command that makes them.
        BenchError: The cell is incomplete, or a file does not hold what its record counted.
    """
    cell.refuse_incomplete()
    system, task = clean(cell.name), clean(cell.task.name)
    read = (cell_predictions(folder, cell) for folder in folders)
    found = next((one for one in read if one is not None), None)
    if found is None:
        raise MissingError(
            f"the predictions of {system} on {task} are not here: published records have none",
            f"{clean(cell.command)} --rerun all",
        )
    seeds: list[NDArray[Any]] = []
    first: list[tuple[tuple[str, str], str, Any]] = []
    for seed in cell.seeds:
        tests = [
            ((fold, name), speaker, truth, decided)
            for fold in cell.task.folds
            for one in [found[fold, seed]]
            for name, speaker, truth, decided in zip(one.ids, one.speakers, one.truth, one.decided, strict=True)
        ]
        tests.sort(key=lambda test: test[0])
        keys = [test[0] for test in tests]
        first = first or [test[:3] for test in tests]
        if len(set(keys)) < len(keys) or keys != [test[0] for test in first]:
            raise BenchError(
                f"the seeds of {system} on {task} were not tested on the same utterances", clean(cell.command)
            )
        seeds.append(np.array([test[3] for test in tests]))
    return Decisions(
        system=system,
        task=task,
        outputs=tuple(cell.task.outputs),
        tests=tuple(test[0] for test in first),
        speakers=tuple(test[1] for test in first),
        truth=np.array([test[2] for test in first]),
        decided=np.stack(seeds),
    )


def check_alike(a: Decisions, b: Decisions) -> None:
    """Refuse two systems that were not asked the same.

    Raises:
        BenchError: They were tested on other utterances, or on another truth.
    """
    if a.outputs != b.outputs or a.tests != b.tests or not np.array_equal(a.truth, b.truth):
        raise BenchError(
            f"{a.system} on {a.task} and {b.system} on {b.task} were not tested on the same utterances",
            "compare two systems on one task",
        )


def check_classes(one: Decisions) -> None:
    """Refuse a system that gives values.

    Raises:
        UsageError: It does.
    """
    if one.truth.ndim != 1:
        raise UsageError(f"{one.task} asks for values, not for one of several classes", "choose a task with classes")
