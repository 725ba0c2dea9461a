"""Dev schemes: what is taken out of train to select on, and with which folds that can go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StrictInt

from benchmark.io.yamls import Closed
from benchmark.protocol.fold_schemes import Division, FoldScheme, Fraction, Seed, official
from benchmark.protocol.sampling import Group, Labels, dealt_groups, grouped, random_fraction, random_groups
from benchmark.types import Utterance


class DevScheme(Closed, ABC):
    """How dev is taken from train.

    A further scheme is one class here and its name in `AnyDevScheme`.

    Attributes:
        scheme: Its name in a task's YAML.
        takes_some: Whether there is a dev set at all.
        is_inner: Whether heads are selected on inner folds of train instead.
        is_test: Whether dev is the test set itself.
        needs_lists: Whether every fold must list its dev.
        needs_another_fold: Whether there must be two folds.
        needs_own_split: Whether it is the corpus that says what dev is.
        suits_source: Whether it can divide the source of a task between two corpora, which the folds do not divide.
    """

    scheme: str
    takes_some: ClassVar[bool] = True
    is_inner: ClassVar[bool] = False
    is_test: ClassVar[bool] = False
    needs_lists: ClassVar[bool] = False
    needs_another_fold: ClassVar[bool] = False
    needs_own_split: ClassVar[bool] = False
    suits_source: ClassVar[bool] = True

    @abstractmethod
    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """The ids that are dev.

        Args:
            train: All that a fold does not test, sorted by id.
            labels: Class of each utterance id; empty for a task without classes.
            division: The fold as its scheme made it.
            next_fold: The fold after it, the first after the last.

        Raises:
            BenchError: The scheme groups by what an utterance does not have.
        """

    def inner(self, train: Sequence[Utterance], labels: Labels) -> list[list[str]]:
        """The inner folds of train, as `Fold.inner`; most schemes make none.

        Args:
            train: All that a fold fits, sorted by id.
            labels: Class of each utterance id; empty for a task without classes.

        Raises:
            BenchError: The scheme groups by what an utterance does not have, or there are too few groups.
        """
        return []

    @property
    def is_stratified(self) -> bool:
        """Whether it draws class by class, which a task without classes cannot."""
        return False

    @property
    def needed_sets(self) -> tuple[str, ...]:
        """The sets of a fold that must not be empty."""
        return ("train", "dev", "test") if self.takes_some else ("train", "test")

    def of_source(self, source: Sequence[Utterance]) -> Division:
        """What there is to take from in the source of a task between two corpora: all, or its own train and dev.

        Args:
            source: Sorted by id.

        Raises:
            BenchError: The corpus has no split of its own, and the scheme needs it.
        """
        return official(source) if self.needs_own_split else Division("source", [], [one.id for one in source])

    def check_suits(self, folds: FoldScheme, *, between: bool) -> None:
        """Refuse a fold scheme that it does not go with.

        Args:
            folds: The task's fold scheme.
            between: Whether the task is between two corpora.

        Raises:
            ValueError: They do not go together; the message says why.
        """
        if self.needs_lists and not folds.lists_dev:
            raise ValueError("dev can be listed only where the folds are listed")
        for name, lists in folds.lists_dev.items():
            if lists and not self.needs_lists:
                raise ValueError(f"fold {name!r} lists dev, but dev has the scheme {self.scheme!r}")
            if not lists and self.needs_lists:
                raise ValueError(f"fold {name!r} lists no dev, but dev has the scheme {self.scheme!r}")
        if self.needs_another_fold and folds.has_one_fold:
            raise ValueError(f"dev cannot be the next fold: the scheme {folds.scheme!r} has only one")
        if between and not self.suits_source:
            raise ValueError(f"dev has the scheme {self.scheme!r}, but here the folds divide the target alone")
        if not between and self.needs_own_split and not folds.has_own_dev:
            raise ValueError("dev can be official only where the folds are official")


class DevNone(DevScheme):
    """No dev set: for heads that select nothing."""

    scheme: Literal["none"]
    takes_some: ClassVar[bool] = False

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """No ids."""
        return []


class DevRandom(DevScheme):
    """A random fraction of the training utterances, or of their speakers or sessions where `group` says so."""

    scheme: Literal["random"]
    fraction: Fraction
    seed: Seed = 0
    stratified: StrictBool = False
    group: Group | None = None

    @property
    def is_stratified(self) -> bool:
        """As the protocol says."""
        return self.stratified

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """What the seed draws, see `DevScheme.choose`."""
        classes = labels if self.stratified else None
        if self.group is not None:
            return random_groups(grouped(train, self.group), self.fraction, self.seed, classes)
        return random_fraction([utterance.id for utterance in train], self.fraction, self.seed, classes)


class DevNextFold(DevScheme):
    """The test set of the next fold, the first after the last: ten folds give 80/10/10."""

    scheme: Literal["next-fold"]
    needs_another_fold: ClassVar[bool] = True
    suits_source: ClassVar[bool] = False

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """What the next fold tests."""
        return next_fold.test


class DevOneGroup(DevScheme):
    """One training speaker or session: the last in sorted order."""

    scheme: Literal["one-group"]
    group: Group

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """What the last group says, see `DevScheme.choose`."""
        return list(grouped(train, self.group).values())[-1]


class DevInner(DevScheme):
    """No dev set: inner folds of train, by whole speakers or sessions, as many as there are groups but at most k.

    Heads are selected on what inner folds hold out, pooled, and then fitted on all of train. Where the groups are few
    this sees each of them, where a dev set would be the voice of a single one.
    """

    scheme: Literal["inner"]
    k: Annotated[StrictInt, Field(ge=2)]
    group: Group
    seed: Seed = 0
    takes_some: ClassVar[bool] = False
    is_inner: ClassVar[bool] = True

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """No ids."""
        return []

    def inner(self, train: Sequence[Utterance], labels: Labels) -> list[list[str]]:
        """Whole groups, see `DevScheme.inner`."""
        return dealt_groups(grouped(train, self.group), self.k, self.seed, labels)


class DevOfficial(DevScheme):
    """The corpus's own dev set."""

    scheme: Literal["official"]
    needs_own_split: ClassVar[bool] = True

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """What the corpus says."""
        return division.dev


class DevListed(DevScheme):
    """As listed with the folds, every one of which lists some; lists under another scheme are refused."""

    scheme: Literal["listed"]
    needs_lists: ClassVar[bool] = True
    suits_source: ClassVar[bool] = False

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """What the fold lists."""
        return division.dev


class DevTest(DevScheme):
    """The test set itself, as some papers do: the scores are optimistic, and the leaderboard marks them."""

    scheme: Literal["test"]
    is_test: ClassVar[bool] = True
    suits_source: ClassVar[bool] = False

    def choose(
        self, train: Sequence[Utterance], labels: Labels, division: Division, next_fold: Division
    ) -> Sequence[str]:
        """What the fold tests."""
        return division.test


AnyDevScheme = Annotated[
    DevNone | DevRandom | DevNextFold | DevOneGroup | DevInner | DevOfficial | DevListed | DevTest,
    Field(discriminator="scheme"),
]
