"""What every task promises: its corpus is as expected, its folds keep the protocol, and no leak is undeclared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from benchmark.audit import audit
from benchmark.contracts.common import Check, require
from benchmark.dataset import Dataset, index_digest, load_dataset, open_corpus
from benchmark.folds import folds_digest, make_folds
from benchmark.listening import listen
from benchmark.protocol import Task
from benchmark.registry import Registry
from benchmark.settings import Settings


class _Loaded:
    """A task, read when a check first needs it and loaded when a check first needs its data."""

    def __init__(self, name: str, registry: Registry, settings: Settings) -> None:
        self.name, self.registry, self.settings = name, registry, settings

    @cached_property
    def task(self) -> Task:
        return self.registry.task(self.name)

    @cached_property
    def dataset(self) -> Dataset:
        return load_dataset(self.task, self.registry.corpus(self.task.corpus), self.settings)


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
    yield Check("the corpus is scanned twice alike, sorted, with unique ids", lambda: _scan(loaded))
    yield Check("the corpus is as expected", lambda: _expected(loaded))
    yield Check("the sets of every fold are disjoint and none is empty", lambda: _disjoint(loaded))
    yield Check("no utterance is tested twice", lambda: _tested_once(loaded))
    yield Check("the folds do not depend on the order of the utterances", lambda: _order(loaded))
    yield Check("every recording can be decoded, and no leak is undeclared", lambda: _audited(loaded))


def _protocol(loaded: _Loaded) -> None:
    loaded.registry.corpus(loaded.task.corpus)
    loaded.registry.downstream(loaded.task.downstream)


def _scan(loaded: _Loaded) -> None:
    corpus = loaded.registry.corpus(loaded.task.corpus)
    root = open_corpus(corpus, loaded.settings, loaded.task.name)
    first, second = corpus.scan(root), corpus.scan(root)
    ids = [utterance.id for utterance in first]
    twice = [name for name, number in Counter(ids).items() if number > 1]
    require(not twice, f"the scanner gives the id {twice[:1]} twice", "ids are unique within a corpus")
    require(ids == sorted(ids), "the scanner gives utterances out of order", "sort them by id")
    require(index_digest(first) == index_digest(second), "two scans differ", "a scan depends on the files alone")


def _expected(loaded: _Loaded) -> None:
    require(bool(loaded.dataset.utterances), "the task has no utterance", "see filter and label_map")


def _disjoint(loaded: _Loaded) -> None:
    is_dev_test = loaded.task.dev.scheme == "test"
    for fold in loaded.dataset.folds:
        parts = {"train": fold.train, "dev": () if is_dev_test else fold.dev, "test": fold.test, "adapt": fold.adapt}
        found = Counter(name for ids in parts.values() for name in ids)
        shared = [name for name, number in found.items() if number > 1]
        require(not shared, f"fold {fold.name!r} has {shared[:1]} in two sets", "train, dev and test are disjoint")
        require(bool(fold.train and fold.test), f"fold {fold.name!r} has an empty set", "train and test hold something")


def _tested_once(loaded: _Loaded) -> None:
    tested = Counter(name for fold in loaded.dataset.folds for name in fold.test)
    twice = [name for name, number in tested.items() if number > 1]
    # Where folds are pooled, an utterance that is tested twice would count twice.
    is_wrong = bool(twice) and loaded.task.pool == "utterances"
    require(not is_wrong, f"{twice[:1]} is in the test set of two folds that are pooled", "pool: folds, or other folds")


def _order(loaded: _Loaded) -> None:
    data = loaded.dataset
    again = make_folds(loaded.task, data.utterances[::-1], data.labels)
    require(
        folds_digest(again) == data.folds_sha256,
        "the folds change with the order of the utterances",
        "a defect: report it",
    )


def _audited(loaded: _Loaded) -> None:
    heard = listen(loaded.dataset, loaded.settings, {}, lambda count: None)
    audit(loaded.dataset, heard).stop_on_error(loaded.task.name)
