"""The contract of tasks: on the demo and on real speech, and tasks that break it.

The other registered tasks are held to it on generated corpora: see tests/tasks.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import benchmark.contracts.task
from benchmark.contracts import check_task
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import Dataset
from benchmark.registry.registry import Registry
from tasks.corpora.csv import CSV


def test_the_demo_keeps_its_contract() -> None:
    for check in check_task("demo", Registry(), load_settings()):
        check.run()


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["urdu", "urdu-random"])
def test_tasks_on_real_speech_keep_their_contract(name: str) -> None:
    if not (Path(os.environ.get("BENCH_DATA", "/nowhere")) / "urdu").is_dir():
        pytest.skip("URDU is not at hand: set BENCH_DATA")
    for check in check_task(name, Registry(), load_settings()):
        check.run()


def broken(task: Path, settings: Settings) -> dict[str, str]:
    """What is wrong, by check."""
    found = {}
    for check in check_task(str(task), Registry(), settings):
        try:
            check.run()
        except BenchError as error:
            found[check.name] = str(error)
    return found


def test_the_toy_keeps_it(toy_task: Path, settings: Settings) -> None:
    assert broken(toy_task, settings) == {}


def test_an_undeclared_leak_breaks_it(toy_task: Path, settings: Settings) -> None:
    text = toy_task.read_text().replace(
        "group: speaker\n  scheme: leave-one-group-out", "k: 4\n  scheme: random-k-fold"
    )
    toy_task.write_text(text.replace("scheme: next-fold", "fraction: 0.2\n  scheme: random"))
    (text,) = broken(toy_task, settings).values()
    assert "test speakers are also in train or dev" in text


def test_testing_an_utterance_twice_in_pooled_folds_breaks_it(toy_task: Path, settings: Settings) -> None:
    listed = "by: speaker\n  scheme: listed\n  folds: [{name: a, test: [anna]}, {name: b, test: [anna, bert]}]"
    text = toy_task.read_text().replace("group: speaker\n  scheme: leave-one-group-out", listed)
    toy_task.write_text(text.replace("scheme: next-fold", "group: speaker\n  scheme: one-group"))
    found = broken(toy_task, settings)
    assert "the protocol follows the schema" not in found
    assert "is in the test set of two folds that are pooled" in found["the corpus is as expected"]


def test_folds_that_a_loader_lets_through_break_it(
    toy_task: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract looks at the folds themselves, whoever made them."""
    real = benchmark.contracts.task.load_dataset

    def overlapping(*given: object) -> Dataset:
        dataset = real(*given)
        first, *others = dataset.folds
        return replace(dataset, folds=(replace(first, dev=(*first.dev, first.test[0])), *others))

    monkeypatch.setattr(benchmark.contracts.task, "load_dataset", overlapping)
    found = broken(toy_task, settings)
    text = found["the sets of every fold are disjoint, none is empty, and no utterance is tested twice"]
    assert "fold 'anna' has 'anna/high0.wav' in two sets" in text


def test_a_corpus_that_cannot_be_read_breaks_it(
    toy_task: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(corpus: CSV, root: Path) -> list:
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr(CSV, "scan", scan)
    text = broken(toy_task, settings)["the corpus is as expected"]
    assert "cannot read the corpus 'csv': Permission denied" in text


def test_a_task_without_its_corpus_is_missing_and_not_broken(toy_task: Path) -> None:
    checks = {check.name: check for check in check_task(str(toy_task), Registry(), load_settings())}
    checks["the protocol follows the schema"].run()
    with pytest.raises(MissingError, match="the corpus 'csv' is not here"):
        checks["the corpus is as expected"].run()
