"""Systems compared by what their probabilities are worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from boards_factory import system
from records_factory import calibrated
from typer.testing import CliRunner

from benchmark.cli.app import app
from benchmark.errors import BenchError, UsageError
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.records.parts import of_probabilities
from benchmark.statistics import compare


def cells(folder: Path) -> dict[str, Cell]:
    return {cell.upstream.name: cell for cell in group(RecordStore(folder)).cells}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A head that is too sure, one that is less so, and one that says nothing of it."""
    store = RecordStore(tmp_path)
    for name, sure in (("bold", 0.97), ("meek", 0.5)):
        for one in system(name, 0.5):
            store.write(calibrated(one, sure))
    for one in system("mute", 0.5):
        store.write(one)
    return tmp_path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


@pytest.mark.parametrize("metric", ["nll", "brier_after"])
def test_two_systems_are_compared_by_their_sums(results: Path, metric: str) -> None:
    done = run("bold", "meek", "--metric", metric, "--results", results, "--json")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)["tasks"]
    after = metric.endswith("_after")
    bold, meek = (of_probabilities(cells(results)[name], after=after) for name in ("bold", "meek"))
    assert bold is not None
    assert meek is not None
    known = compare(bold, meek, metric.removesuffix("_after"))
    assert (told["metric"], told["delta"], told["p"]) == (known.metric, known.delta, known.p)
    assert told["delta"] > 0
    assert told["collapsed_seeds"] == [[], []]
    text = run("bold", "meek", "--metric", metric, "--results", results).stdout
    assert ("B is better" in text) == told["significant"]
    assert ("cannot be told apart" in text) != told["significant"]


def test_all_are_compared_with_one(results: Path) -> None:
    done = run("--baseline", "meek", "--metric", "nll", "--results", results)
    assert done.exit_code == 0, done.output
    assert "bold + superb" in done.stdout
    assert "mute" not in done.stdout


def test_a_system_without_sums_is_none_of_those_there_are(results: Path) -> None:
    found = run("bold", "mute", "--metric", "nll", "--results", results).exception
    assert isinstance(found, UsageError)
    assert "no task has complete results of both" in str(found)


def test_where_no_row_has_sums_it_is_said(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for name in ("mute", "dumb"):
        for one in system(name, 0.5):
            store.write(one)
    found = run("mute", "dumb", "--metric", "ece", "--results", tmp_path).exception
    assert isinstance(found, BenchError)
    assert "no row has what ece is computed from" in str(found)


def test_an_unknown_metric_is_refused(results: Path) -> None:
    assert isinstance(run("bold", "meek", "--metric", "eca", "--results", results).exception, UsageError)
