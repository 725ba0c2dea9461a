"""Draws without a random generator, and utterances by group: what fold and dev schemes divide with.

Random orders are drawn by hashing (seed, id), so that a split depends on no library's generator, is the same on every
machine, and moves as few utterances as it must when a corpus gains or loses some.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from benchmark.errors import BenchError
from benchmark.types import Utterance

Group = Literal["speaker", "session"]
# Class of each utterance id; empty where there are no classes.
Labels = Mapping[str, str]


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order drawn by the seed."""
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}:{name}".encode()).digest(), name))


def group_of(utterance: Utterance, group: Group) -> str:
    """The speaker or session of an utterance.

    Raises:
        BenchError: The corpus does not give it.
    """
    value = utterance.speaker if group == "speaker" else utterance.session
    if value is None:
        raise BenchError(f"utterance {utterance.id!r} has no {group}", f"the protocol groups by {group}")
    return value


def grouped(utterances: Iterable[Utterance], group: Group) -> dict[str, list[str]]:
    """Utterance ids by speaker or session, groups sorted by name."""
    groups: dict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        groups[group_of(utterance, group)].append(utterance.id)
    return dict(sorted(groups.items()))


def stratified_order(ids: Iterable[str], labels: Labels, seed: int) -> list[str]:
    """Class after class, each shuffled: dealing this order out in turn gives every fold its share of each class."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for name in shuffled(ids, seed):
        by_class[labels[name]].append(name)
    return [name for label in sorted(by_class) for name in by_class[label]]


def rounded_share(fraction: float, number: int) -> int:
    """A fraction of a number of utterances, rounded to whole ones, at least one."""
    return max(1, round(fraction * number))


def random_fraction(ids: Sequence[str], fraction: float, seed: int, labels: Labels | None) -> list[str]:
    """A random fraction, rounded to whole utterances (over each class where labels are given), at least one."""
    if labels is None:
        return shuffled(ids, seed)[: rounded_share(fraction, len(ids))]
    by_class: dict[str, list[str]] = defaultdict(list)
    for name in shuffled(ids, seed):
        by_class[labels[name]].append(name)
    return [name for members in by_class.values() for name in members[: rounded_share(fraction, len(members))]]


def some_of_each_class(ids: Iterable[str], number: int, seed: int, labels: Labels, classes: Iterable[str]) -> list[str]:
    """So many ids of each class, in an order drawn by the seed: a larger number holds those of a smaller one.

    Raises:
        BenchError: A class has fewer.
    """
    by_class: dict[str, list[str]] = {label: [] for label in classes}
    for name in shuffled(ids, seed):
        by_class[labels[name]].append(name)
    for label, members in by_class.items():
        if len(members) < number:
            raise BenchError(f"{number} utterances of {label!r} are wanted, and there are {len(members)}")
    return [name for members in by_class.values() for name in members[:number]]


def random_groups(groups: Mapping[str, list[str]], fraction: float, seed: int, labels: Labels | None) -> list[str]:
    """Whole groups, in an order drawn by the seed, until each class (or the whole) has its fraction.

    A group is taken while some class that it has is short, and never the last group that has a class: train keeps
    every class.
    """

    def classes(names: Iterable[str]) -> list[str]:
        return [labels[name] if labels else "all" for name in names]

    total = Counter(label for names in groups.values() for label in classes(names))
    owners = Counter(label for names in groups.values() for label in set(classes(names)))
    chosen: list[str] = []
    have: dict[str, int] = defaultdict(int)
    for group in shuffled(groups, seed):
        inside = Counter(classes(groups[group]))
        is_short = any(have[label] < fraction * total[label] for label in inside)
        # Taking twice the wanted share of a class would starve train.
        fits = all(
            have[label] + number <= 2 * fraction * total[label] or have[label] == 0 for label, number in inside.items()
        )
        if is_short and fits and all(owners[label] > 1 for label in inside):
            chosen += groups[group]
            for label, number in inside.items():
                have[label] += number
                owners[label] -= 1
    return chosen


def dealt_groups(groups: Mapping[str, list[str]], k: int, seed: int, labels: Labels) -> list[list[str]]:
    """Whole groups dealt into k parts of about equal size, each with its share of every class.

    The largest group first, and of equal ones in an order drawn by the seed, each goes to the part where it leaves the
    squares of the numbers of each class, in shares of the class, smallest.

    Args:
        groups: Ids by group.
        k: How many parts; as many as there are groups where they are fewer.
        seed: Decides between groups of equal size.
        labels: Class of each id; empty where there are no classes.

    Returns:
        The ids of each part, sorted, none empty.

    Raises:
        BenchError: There is one group alone.
    """
    if len(groups) < 2:
        raise BenchError(f"inner folds need two groups, and train has {len(groups)}", "another dev rule")
    inside = {group: Counter(labels[name] if labels else "all" for name in names) for group, names in groups.items()}
    total = sum(inside.values(), Counter[str]())
    parts: list[list[str]] = [[] for _ in range(min(k, len(groups)))]
    have: list[Counter[str]] = [Counter() for _ in parts]

    def cost(part: int, group: str) -> tuple[bool, float, int]:
        # A part that has none comes first, so that none stays empty.
        grown = sum(
            ((have[part][label] + number) ** 2 - have[part][label] ** 2) / total[label] ** 2
            for label, number in inside[group].items()
        )
        return bool(parts[part]) and left <= sum(not one for one in parts), grown, part

    order = sorted(shuffled(groups, seed), key=lambda group: -len(groups[group]))
    for position, group in enumerate(order):
        left = len(order) - position
        chosen = min(range(len(parts)), key=lambda part: cost(part, group))
        parts[chosen] += groups[group]
        have[chosen] += inside[group]
    return [sorted(part) for part in parts]
