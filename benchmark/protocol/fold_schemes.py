"""Fold schemes: how the test sets of a task are made, what its folds are called, and what they must count.

Each scheme is a class that a task's YAML names, and answers for itself. What it says of counts is known of the protocol
alone, without the corpus: a submitted result is held against it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from benchmark.errors import BenchError
from benchmark.io.yamls import Closed, first_repeated
from benchmark.protocol.sampling import (
    Group,
    Labels,
    group_of,
    grouped,
    random_fraction,
    rounded_share,
    shuffled,
    some_of_each_class,
    stratified_order,
)
from benchmark.text import count
from benchmark.types import Utterance

Fraction = Annotated[float, Field(gt=0, lt=1)]
OFFICIAL = "official"  # name of the one fold of a corpus's own split
# A record names every fold of its task, and no more than so many.
MOST_FOLDS = 10_000
NumberOfFolds = Annotated[StrictInt, Field(ge=2, le=MOST_FOLDS)]
# What numpy and scikit-learn take as a seed.
Seed = Annotated[StrictInt, Field(ge=0, le=2**32 - 1)]


@dataclass(frozen=True)
class Division:
    """One fold before the dev rule: ids of utterances.

    Attributes:
        name: Of the fold.
        test: What is tested.
        train: All else that the fold uses, `dev` included: it stays train until a dev rule takes it out.
        dev: What the scheme itself names as dev; most name none.
    """

    name: str
    test: Sequence[str]
    train: Sequence[str]
    dev: Sequence[str] = ()


class FoldScheme(Closed, ABC):
    """How train and test are made.

    A further scheme is one class here and its name in `AnyFoldScheme`.

    Attributes:
        scheme: Its name in a task's YAML.
        tests_all_once: Whether every utterance is in the test set of exactly one fold.
        has_one_fold: Whether there is never a second fold.
        is_given: Whether somebody who may know the speakers made the split, instead of a draw here.
        has_own_dev: Whether the corpus says what dev is.
    """

    scheme: str
    tests_all_once: ClassVar[bool] = False
    has_one_fold: ClassVar[bool] = False
    is_given: ClassVar[bool] = False
    has_own_dev: ClassVar[bool] = False

    @abstractmethod
    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """Divide the utterances of a task.

        Args:
            utterances: Sorted by id.
            labels: Class of each utterance id; empty for a task without classes.
            partial: Some of the corpus is not here: listed names may be missing, and folds may be empty or fewer.

        Raises:
            BenchError: The scheme does not fit the corpus: it lists what is not there, groups by what is not known,
                or makes more folds than there are groups.
        """

    @abstractmethod
    def fold_names(self) -> tuple[str, ...] | None:
        """The names of the folds, in order; None where the corpus gives them."""

    @property
    def kept_together(self) -> Group | None:
        """What stays together in one set: speakers or sessions; None where utterances are divided one by one."""
        return None

    @property
    def is_stratified(self) -> bool:
        """Whether it draws class by class, which a task without classes cannot."""
        return False

    @property
    def is_named_after_speakers(self) -> bool:
        """Whether each fold tests one speaker and has that name, which the protocol does not list."""
        return False

    @property
    def is_only_for_bridges(self) -> bool:
        """Whether only a task that runs another benchmark's protocol may divide so."""
        return False

    @property
    def uses_all(self) -> bool:
        """Whether every utterance of the task is in some set of every fold."""
        return True

    @property
    def lists_dev(self) -> Mapping[str, bool]:
        """Of each listed fold, by name, whether it lists dev; empty where folds are not listed."""
        return {}

    def test_utterances(self, utterances: int | None) -> dict[str, int]:
        """How many utterances each fold tests, as far as the protocol tells.

        Args:
            utterances: Of the task; None where nobody has published it.
        """
        return {}

    def test_classes(self, per_class: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """How many utterances of each class each fold tests, as far as the protocol tells.

        Args:
            per_class: Utterances of each class of the task; empty where nobody has published it.
        """
        return {}

    def test_speakers(self, speakers: int | None) -> dict[str, int]:
        """How many speakers each fold tests, as far as the protocol tells.

        Args:
            speakers: Of the task; None where nobody has published it.
        """
        return {}


class LeaveOneGroupOut(FoldScheme):
    """One fold for each speaker or session: it is the test set, the others train and dev."""

    scheme: Literal["leave-one-group-out"]
    group: Group
    tests_all_once: ClassVar[bool] = True

    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """One fold for each group that is there, see `FoldScheme.divide`."""
        return _held_out(utterances, grouped(utterances, self.group).items())

    def fold_names(self) -> None:
        """None: the folds are named after the groups of the corpus."""
        return

    @property
    def kept_together(self) -> Group:
        """The group that is left out."""
        return self.group

    @property
    def is_named_after_speakers(self) -> bool:
        """Whether the groups are speakers."""
        return self.group == "speaker"


class GroupKFold(FoldScheme):
    """The groups dealt into k folds of nearly equal numbers of groups, in an order drawn by the seed."""

    scheme: Literal["group-k-fold"]
    group: Group
    k: NumberOfFolds
    seed: Seed = 0
    tests_all_once: ClassVar[bool] = True

    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """K folds, or as many as there are groups of a partial corpus, see `FoldScheme.divide`."""
        groups = grouped(utterances, self.group)
        if len(groups) < self.k and not partial:
            raise BenchError(f"{len(groups)} {self.group}s cannot be dealt into k = {self.k} folds")
        order, k = shuffled(groups, self.seed), min(self.k, len(groups))
        dealt = [sorted(order[i::k]) for i in range(k)]
        return _held_out(
            utterances, ((str(i), [u for name in names for u in groups[name]]) for i, names in enumerate(dealt))
        )

    def fold_names(self) -> tuple[str, ...]:
        """0 to k - 1."""
        return _numbers(self.k)

    @property
    def kept_together(self) -> Group:
        """The group that is dealt."""
        return self.group

    def test_speakers(self, speakers: int | None) -> dict[str, int]:
        """Speakers are dealt in turn, see `FoldScheme.test_speakers`."""
        return _dealt(speakers, self.k) if self.group == "speaker" else {}


class RandomKFold(FoldScheme):
    """The utterances dealt into k folds, in an order drawn by the seed; stratified deals class by class.

    With `shots` a fold is fitted on so many utterances of each class, out of all that it does not test; the rest is not
    used.
    """

    scheme: Literal["random-k-fold"]
    k: NumberOfFolds
    seed: Seed = 0
    stratified: StrictBool = False
    shots: Annotated[StrictInt, Field(ge=1)] | None = None
    tests_all_once: ClassVar[bool] = True

    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """K folds, of which some are empty where a partial corpus has fewer utterances, see `FoldScheme.divide`."""
        ids = [utterance.id for utterance in utterances]
        if len(ids) < self.k and not partial:
            raise BenchError(f"{count(len(ids), 'utterance')} cannot be dealt into k = {self.k} folds")
        order = stratified_order(ids, labels, self.seed) if self.stratified else shuffled(ids, self.seed)
        folds = _held_out(utterances, ((str(i), order[i :: self.k]) for i in range(self.k)))
        if self.shots is None:
            return folds
        classes = sorted(set(labels.values()))
        return [
            replace(one, train=some_of_each_class(one.train, self.shots, self.seed, labels, classes)) for one in folds
        ]

    def fold_names(self) -> tuple[str, ...]:
        """0 to k - 1."""
        return _numbers(self.k)

    @property
    def is_stratified(self) -> bool:
        """As the protocol says; shots are of each class."""
        return self.stratified or self.shots is not None

    @property
    def is_only_for_bridges(self) -> bool:
        """With shots, since the speakers of the few are tested too."""
        return self.shots is not None

    @property
    def uses_all(self) -> bool:
        """Without shots."""
        return self.shots is None

    def test_utterances(self, utterances: int | None) -> dict[str, int]:
        """Utterances are dealt in turn, see `FoldScheme.test_utterances`."""
        return _dealt(utterances, self.k)


class RandomSplit(FoldScheme):
    """One fold: a random fraction of the utterances is the test set."""

    scheme: Literal["random-split"]
    test_fraction: Fraction
    seed: Seed = 0
    stratified: StrictBool = False
    has_one_fold: ClassVar[bool] = True

    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """One fold, see `FoldScheme.divide`."""
        ids = [utterance.id for utterance in utterances]
        test = random_fraction(ids, self.test_fraction, self.seed, labels if self.stratified else None)
        return _held_out(utterances, [("0", test)])

    def fold_names(self) -> tuple[str, ...]:
        """0 alone."""
        return _numbers(1)

    @property
    def is_stratified(self) -> bool:
        """As the protocol says."""
        return self.stratified

    def test_utterances(self, utterances: int | None) -> dict[str, int]:
        """The fraction of the whole, where it is not taken of each class, see `FoldScheme.test_utterances`."""
        return {} if self.stratified or utterances is None else {"0": rounded_share(self.test_fraction, utterances)}

    def test_classes(self, per_class: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """The fraction of each class, where it is taken so, see `FoldScheme.test_classes`."""
        if not self.stratified:
            return {}
        return {"0": {label: rounded_share(self.test_fraction, number) for label, number in per_class.items()}}


class Official(FoldScheme):
    """One fold: the corpus's own train and test (and dev, with `dev: {scheme: official}`)."""

    scheme: Literal["official"]
    has_one_fold: ClassVar[bool] = True
    is_given: ClassVar[bool] = True
    has_own_dev: ClassVar[bool] = True

    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """One fold, see `FoldScheme.divide`."""
        return [official(utterances)]

    def fold_names(self) -> tuple[str, ...]:
        """The one name."""
        return (OFFICIAL,)


class ListedFold(Closed):
    """One listed fold, which lists nothing twice. What is in neither dev nor test is train, unless train is listed."""

    name: str
    test: list[str] = Field(min_length=1)
    dev: list[str] = []
    train: list[str] | None = None

    @model_validator(mode="after")
    def _lists_nothing_twice(self) -> ListedFold:
        twice = first_repeated([*self.test, *self.dev, *(self.train or [])])
        if twice is not None:
            raise ValueError(f"fold {self.name!r} lists {twice!r} twice")
        return self


class Listed(FoldScheme):
    """Folds, each of its own name, that are listed by speaker, by session or by utterance id."""

    scheme: Literal["listed"]
    by: Literal["speaker", "session", "id"]
    folds: list[ListedFold] = Field(min_length=1, max_length=MOST_FOLDS)
    is_given: ClassVar[bool] = True

    @model_validator(mode="after")
    def _names_differ(self) -> Listed:
        twice = first_repeated(fold.name for fold in self.folds)
        if twice is not None:
            raise ValueError(f"two listed folds are named {twice!r}")
        return self

    def divide(self, utterances: Sequence[Utterance], labels: Labels, *, partial: bool) -> list[Division]:
        """The folds as listed, see `FoldScheme.divide`."""
        by = self.by
        key: Callable[[Utterance], str] = (lambda u: u.id) if by == "id" else (lambda u: group_of(u, by))
        members: dict[str, list[str]] = defaultdict(list)
        for utterance in utterances:
            members[key(utterance)].append(utterance.id)

        def ids(names: Iterable[str], fold: str) -> list[str]:
            for name in names:
                if name not in members and not partial:
                    raise BenchError(f"fold {fold!r} lists the {by} {name!r}, which the corpus does not have")
            return [i for name in names for i in members.get(name, ())]

        divisions = []
        for fold in self.folds:
            test, dev = ids(fold.test, fold.name), ids(fold.dev, fold.name)
            tested = set(test)
            others = [u.id for u in utterances if u.id not in tested]
            train = others if fold.train is None else ids(fold.train, fold.name)
            divisions.append(Division(fold.name, test, sorted({*train, *dev}), dev))
        return divisions

    def fold_names(self) -> tuple[str, ...]:
        """As listed."""
        return tuple(fold.name for fold in self.folds)

    @property
    def kept_together(self) -> Group | None:
        """What is listed, unless it is single utterances."""
        return None if self.by == "id" else self.by

    @property
    def uses_all(self) -> bool:
        """Whether no fold lists its own train."""
        return all(fold.train is None for fold in self.folds)

    @property
    def lists_dev(self) -> dict[str, bool]:
        """Of each fold, by name, whether it lists dev."""
        return {fold.name: bool(fold.dev) for fold in self.folds}

    def test_utterances(self, utterances: int | None) -> dict[str, int]:
        """As many as are listed one by one, see `FoldScheme.test_utterances`."""
        return {fold.name: len(fold.test) for fold in self.folds} if self.by == "id" else {}

    def test_speakers(self, speakers: int | None) -> dict[str, int]:
        """As many as are listed, see `FoldScheme.test_speakers`."""
        return {fold.name: len(fold.test) for fold in self.folds} if self.by == "speaker" else {}


AnyFoldScheme = Annotated[
    LeaveOneGroupOut | GroupKFold | RandomKFold | RandomSplit | Official | Listed, Field(discriminator="scheme")
]


def official(utterances: Sequence[Utterance]) -> Division:
    """The corpus's own split.

    Raises:
        BenchError: An utterance is in none of train, dev and test.
    """
    parts: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    for utterance in utterances:
        if utterance.split not in parts:
            raise BenchError(f"utterance {utterance.id!r} has the split {utterance.split!r}", "train, dev or test")
        parts[utterance.split].append(utterance.id)
    return Division(OFFICIAL, parts["test"], parts["train"] + parts["dev"], parts["dev"])


def _held_out(utterances: Sequence[Utterance], tests: Iterable[tuple[str, Sequence[str]]]) -> list[Division]:
    """Folds whose train is all that they do not test."""
    divisions = []
    for name, test in tests:
        chosen = set(test)
        divisions.append(Division(name, test, [u.id for u in utterances if u.id not in chosen]))
    return divisions


def _numbers(k: int) -> tuple[str, ...]:
    return tuple(map(str, range(k)))


def _dealt(number: int | None, k: int) -> dict[str, int]:
    """How many each of k folds gets of what is dealt in turn; nothing is known of an unknown number."""
    return {} if number is None else {str(i): len(range(i, number, k)) for i in range(k)}
