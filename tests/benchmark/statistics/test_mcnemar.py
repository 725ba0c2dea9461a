"""McNemar's test of predictions that lie beside the records."""

from __future__ import annotations

from pathlib import Path

import pytest
import scipy.stats
from small_cells import REGRESSION, made_up, rated, two

from benchmark.errors import BenchError
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.statistics.mcnemar import mcnemar


def write(root: Path, cell: Cell, decisions: dict[str, dict[str, tuple[str, str]]]) -> None:
    """The records of a cell, and with seed 0 the truth and decision of each utterance of these folds."""
    for (fold, seed), record in cell.records.items():
        lines = ["id,truth,decision"]
        lines += [f"{name},{truth},{decision}" for name, (truth, decision) in decisions.get(fold, {}).items()]
        predictions = ("\n".join(lines) + "\n").encode() if seed == 0 and fold in decisions else None
        RecordStore(root).write(record, predictions)


def alike(right: int, wrong: int, first: int = 0) -> dict[str, tuple[str, str]]:
    """So many right decisions, then so many wrong ones."""
    return {f"u{first + i}": ("sad", "sad" if i < right else "angry") for i in range(right + wrong)}


@pytest.fixture
def cells() -> tuple[Cell, Cell]:
    return two(made_up(2, tag=1), made_up(2), seeds=[0, 1])


def test_only_utterances_count_on_which_the_two_differ(tmp_path: Path, cells: tuple[Cell, Cell]) -> None:
    """Fold one: a right on 9 of 10, b on 3; fold two: a on 4 of 10, b on 6, of which 4 are the same."""
    a, b = cells
    write(tmp_path, a, {"one": alike(9, 1), "two": alike(4, 6)})
    write(tmp_path, b, {"one": alike(3, 7), "two": alike(6, 4)})
    found = mcnemar(a, b, tmp_path)
    assert found is not None
    assert (found.a_only, found.b_only, found.utterances) == (6, 2, 20)
    assert found.p == pytest.approx(scipy.stats.binomtest(6, 8).pvalue)
    mirrored = mcnemar(b, a, tmp_path)
    assert mirrored is not None
    assert (mirrored.a_only, mirrored.p) == (2, found.p)


def test_systems_that_decide_alike_do_not_differ(tmp_path: Path, cells: tuple[Cell, Cell]) -> None:
    for cell in cells:
        write(tmp_path, cell, {"one": alike(3, 2), "two": alike(1, 1)})
    found = mcnemar(*cells, tmp_path)
    assert found is not None
    assert (found.p, found.utterances) == (1, 7)


def test_without_all_predictions_or_with_values_there_is_none(tmp_path: Path, cells: tuple[Cell, Cell]) -> None:
    write(tmp_path, cells[0], {"one": alike(3, 2), "two": alike(1, 1)})
    write(tmp_path, cells[1], {"one": alike(3, 2)})
    assert mcnemar(*cells, tmp_path) is None
    assert mcnemar(*two(rated(), rated(tag=1), **REGRESSION), tmp_path) is None


def test_predictions_of_other_utterances_are_refused(tmp_path: Path, cells: tuple[Cell, Cell]) -> None:
    write(tmp_path, cells[0], {"one": alike(3, 2), "two": alike(1, 1)})
    write(tmp_path, cells[1], {"one": alike(3, 2), "two": alike(1, 1, first=1)})
    with pytest.raises(BenchError, match="not of the same utterances"):
        mcnemar(*cells, tmp_path)


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, cells: tuple[Cell, Cell]) -> None:
    for cell in cells:
        write(tmp_path, cell, {"one": alike(3, 2), "two": alike(1, 1)})
    path = next(tmp_path.rglob("*.predictions.csv"))
    path.write_text("something,else\n1,2\n")
    with pytest.raises(BenchError, match="does not hold predictions"):
        mcnemar(*cells, tmp_path)
