"""What every task promises: its corpus is as expected, its folds keep the protocol, and no leak is undeclared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from benchmark.audit import audit
from benchmark.contracts.common import Check, require
from benchmark.errors import BenchError, UsageError
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.folds import check_folds, folds_digest, make_folds
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.run.suiting import check_head


class _Loaded:
    """A task, read when a check first needs it and loaded when a check first needs its data."""

    def __init__(self, name: str, registry: Registry, settings: Settings) -> None:
        self.name, self.registry, self.settings = name, registry, settings

    @cached_property
    def task(self) -> Task:
        return self.registry.task(self.name)

    @cached_property
    def dataset(self) -> Dataset:
        return load_dataset(self.task, self.registry.corpora_of(self.task), self.settings)


def check_task(name: str, registry: Registry, settings: Settings) -> Iterator[Check]:
    """The checks of a task.

    Args:
        name: A registered name, or a YAML file.
        registry: Where its corpus and its default downstream are looked up.
        settings: Where its data are.

    Raises:
        MissingError: (by a check) The corpus is not here.
    """
    loaded = _Loaded(name, registry, settings)
    yield Check("the protocol follows the schema", lambda: _protocol(loaded))
    yield Check("the corpus is as expected", lambda: _expected(loaded))
    yield Check(
        "the sets of every fold are disjoint, none is empty, and no utterance is tested twice",
        lambda: check_folds(loaded.task, loaded.dataset.folds),
    )
    yield Check("the folds do not depend on the order of the utterances", lambda: _order(loaded))
    yield Check("every recording can be decoded, and no leak is undeclared", lambda: _audited(loaded))


def _protocol(loaded: _Loaded) -> None:
    loaded.registry.corpora_of(loaded.task)
    name = loaded.task.downstream
    try:
        check_head(loaded.task, name, loaded.registry)
    except UsageError as error:  # of the task, not of whoever checks it
        raise BenchError(f"the default downstream does not suit the task: {error.message}", error.hint) from error


def _expected(loaded: _Loaded) -> None:
    require(bool(loaded.dataset.utterances), "the task has no utterance", "see filter and label_map")


def _order(loaded: _Loaded) -> None:
    data = loaded.dataset
    reverse = data.utterances[::-1]
    if data.task.target is None:
        again = make_folds(data.task, reverse, data.labels)
    else:
        source, target = ([u for u in reverse if u.id.startswith(f"{part.corpus}:")] for part in data.task.uses)
        again = make_folds(data.task, target, data.labels, source)
    require(
        folds_digest(again) == folds_digest(data.folds),
        "the folds change with the order of the utterances",
        "a defect: report it",
    )


def _audited(loaded: _Loaded) -> None:
    heard = listen(loaded.dataset, loaded.settings, {}, lambda count: None)
    audit(loaded.dataset, heard).stop_on_error(loaded.task.name)
