"""Decisions as a run left them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.analyses import decisions_of
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request


@pytest.fixture
def ran(toy_task: Path, plugin: Path, settings: Settings, progress: object) -> Cell:
    request = Request(["spectrum"], [str(toy_task)], ["superb"])
    run(request, Registry([str(plugin)]), settings, progress)  # type: ignore[arg-type]
    return group(RecordStore(settings.results)).cells[0]


def test_decisions_are_those_that_the_records_count(ran: Cell, settings: Settings, tmp_path: Path) -> None:
    found = decisions_of([tmp_path / "nothing", settings.results], ran)
    assert found.decided.shape == (2, 40)
    assert (found.system, found.outputs) == ("spectrum + superb", ("high", "low"))
    assert found.tests == tuple(sorted(found.tests))
    counts = np.zeros((2, 2, 2))
    for seed in range(2):
        np.add.at(counts[seed], (found.truth, found.decided[seed]), 1)
    np.testing.assert_array_equal(counts, ran.statistics().sum(axis=(1, 2)))
    assert set(found.speakers) == {"anna", "bert", "cleo", "dora"}
    for fold in {fold for fold, _ in found.tests}:  # which leaves one speaker out, and whose name the cell hides
        assert len({who for (one, _), who in zip(found.tests, found.speakers, strict=True) if one == fold}) == 1


def test_without_predictions_the_command_is_named(ran: Cell, settings: Settings) -> None:
    for path in settings.results.rglob("*.predictions.csv"):
        path.unlink()
    with pytest.raises(MissingError, match="bench run --upstream spectrum --downstream superb --task toy --rerun all"):
        decisions_of([settings.results], ran)


def test_an_incomplete_cell_is_refused(ran: Cell, settings: Settings) -> None:
    records = dict(list(ran.records.items())[1:])
    with pytest.raises(BenchError, match=r"incomplete: 7 of 8 units \(bench run --upstream spectrum"):
        decisions_of([settings.results], Cell(ran.task, ran.upstream, ran.downstream, records))


def test_predictions_that_were_changed_are_refused(ran: Cell, settings: Settings) -> None:
    path = next(settings.results.rglob("*.predictions.csv"))
    text = path.read_text()
    path.write_text(text.replace(",high,high,", ",high,low,", 1).replace(",low,low,", ",low,high,", 1))
    if path.read_text() == text:
        pytest.fail("nothing was changed")
    with pytest.raises(BenchError, match="does not hold what its record counted"):
        decisions_of([settings.results], ran)
    path.write_text(text.replace("truth", "truths"))
    with pytest.raises(BenchError, match="line 2: no true and decided class"):
        decisions_of([settings.results], ran)
