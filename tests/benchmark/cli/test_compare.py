"""Systems compared by what their probabilities are worth, and under two protocols."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from boards_factory import system, task
from records_factory import calibrated
from typer.testing import CliRunner

from benchmark.cli.app import app
from benchmark.errors import BenchError, UsageError
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.records.parts import of_probabilities
from benchmark.statistics import compare, compare_protocols


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
    assert "complete: bold+superb" in str(found)


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


@pytest.fixture
def protocols(tmp_path: Path) -> Path:
    """Two systems and a control with speakers held out and with random splits, and one that lacks these."""
    store = RecordStore(tmp_path)
    for name, correct, more in (("mfcc", 0.4, 0.5), ("egemaps", 0.6, 0.05), ("chance", 0.25, 0.0)):
        for one in system(name, correct, **task("urdu", "urdu")):
            store.write(one)
        for one in system(name, correct + more, **task("urdu-random", "urdu", speaker_independent=False)):
            store.write(one)
    for one in system("logmel", 0.5, **task("urdu", "urdu")):
        store.write(one)
    return tmp_path


BOTH = ("--protocols", "--task", "urdu-random", "--task", "urdu")


def test_what_a_protocol_adds_is_told_of_every_system(protocols: Path) -> None:
    done = run(*BOTH, "--results", protocols)
    assert done.exit_code == 0, done.output
    title, header, *rows = [line.split() for line in done.stdout.splitlines()[:5]]
    assert title == ["UAR", "under", "urdu-random", "and", "urdu"]
    assert header[:3] == ["system", "urdu-random", "urdu"]
    assert [row[0] for row in rows] == ["mfcc", "egemaps", "chance"]
    assert "(control)" in rows[2]
    assert rows[0][-3:] == ["urdu-random", "is", "higher"]
    assert "logmel" not in done.stdout
    assert "by Holm for the 2 systems that have rows under both" in done.stdout
    turned = run("--protocols", "--task", "urdu", "--task", "urdu-random", "--results", protocols).stdout
    assert "urdu-random is higher" in turned


def test_what_a_protocol_adds_to_one_system_is_corrected_for_all(protocols: Path) -> None:
    done = run("mfcc", *BOTH, "--results", protocols, "--json")
    told = json.loads(done.stdout)
    assert told["protocols"] == ["urdu-random", "urdu"]
    (found,) = told["systems"]
    by_task = {cell.task.name: cell for cell in group(RecordStore(protocols)).cells if cell.upstream.name == "mfcc"}
    known = compare_protocols(by_task["urdu-random"], by_task["urdu"], "uar")
    assert (found["delta"], found["p"]) == (known.delta, known.p)
    assert (found["pairs"], found["p_adjusted"]) == (2, pytest.approx(2 * known.p))
    assert found["scores"][0] - found["scores"][1] == pytest.approx(known.delta)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mfcc", "egemaps", *BOTH), "two protocols are compared"),
        (("--baseline", "mfcc", *BOTH), "two protocols are compared"),
        (("--protocols",), "two protocols are compared"),
        (("--protocols", "--task", "urdu", "--task", "urdu"), "two protocols are compared"),
        (("--protocols", "--task", "urdu", "--task", "rudu"), "no records of the task"),
        (("logmel", "--protocols", "--task", "urdu", "--task", "urdu-random"), "no complete results of urdu-random"),
        (("mfcc",), "two systems are compared"),
    ],
)
def test_what_is_no_comparison_of_protocols_is_refused(
    protocols: Path, arguments: tuple[str, ...], message: str
) -> None:
    found = run(*arguments, "--results", protocols).exception
    assert isinstance(found, UsageError)
    assert message in str(found)


def test_systems_of_other_tasks_have_nothing_under_both(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for name, corpus in (("mfcc", "urdu"), ("egemaps", "urdu-random")):
        for one in system(name, 0.5, **task(corpus, "urdu")):
            store.write(one)
    found = run(*BOTH, "--results", tmp_path).exception
    assert isinstance(found, UsageError)
    assert "no system has complete results of both urdu-random and urdu" in str(found)


def test_records_of_other_tasks_are_not_in_the_way_of_one(tmp_path: Path) -> None:
    """Whether they are read or not, what is said of a task is the same; of a task that is not there all are named."""
    store = RecordStore(tmp_path)
    for name in ("toy", "other"):
        for upstream, right in (("a", 0.9), ("b", 0.4)):
            for one in system(upstream, right, task__name=name):
                store.write(one)
    arguments = ("a", "b", "--results", tmp_path, "--json")
    both, alone = (json.loads(run(*arguments, *asked).stdout)["tasks"] for asked in ((), ("--task", "toy")))
    assert [one["task"] for one in both] == ["other", "toy"]
    assert alone == both[1:]
    (tmp_path / "other" / "damaged.json").write_text('{"task": "other"')
    assert json.loads(run(*arguments, "--task", "toy").stdout)["tasks"] == alone
    assert run(*arguments).exit_code != 0
    done = run(*arguments, "--task", "toyy")
    assert "no records of the task 'toyy' (there are some of toy;" in str(done.exception)
    assert "damaged.json" in done.stderr


def test_of_a_task_that_cannot_be_ranked_all_others_are_named(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for one in system("a", 0.9, task__name="other"):
        store.write(one)
    for one in system("a", 0.9, task__name="toy", protocol="modified"):
        store.write(one)
    done = run("a", "b", "--task", "toy", "--results", tmp_path)
    assert "no records of the task 'toy' (there are some of other;" in str(done.exception)
