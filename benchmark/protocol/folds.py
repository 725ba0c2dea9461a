"""Folds: pure functions from utterances and a protocol to disjoint train, dev and test sets.

Random orders are drawn by hashing (seed, id), so that a split depends on no library's generator, is the same on every
machine, and moves as few utterances as it must when a corpus gains or loses some.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmark.errors import BenchError
from benchmark.io.files import digest
from benchmark.protocol import task as protocol
from benchmark.types import Fold, Utterance

Labels = Mapping[str, str]
_Parts = tuple[str, list[str], list[str], list[str]]  # name, test, train, listed dev


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order drawn by the seed."""
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}:{name}".encode()).digest(), name))


def group_of(utterance: Utterance, group: str) -> str:
    """The speaker or session of an utterance.

    Raises:
        BenchError: The corpus does not give it.
    """
    value = utterance.speaker if group == "speaker" else utterance.session
    if value is None:
        raise BenchError(f"utterance {utterance.id!r} has no {group}", f"the protocol groups by {group}")
    return value


def grouped(utterances: Iterable[Utterance], group: str) -> dict[str, list[str]]:
    """Utterance ids by speaker or session, groups sorted by name."""
    groups: dict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        groups[group_of(utterance, group)].append(utterance.id)
    return dict(sorted(groups.items()))


def make_folds(
    task: protocol.Task,
    utterances: Sequence[Utterance],
    labels: Labels,
    source: Sequence[Utterance] | None = None,
    *,
    partial: bool = False,
) -> list[Fold]:
    """Divide the utterances of a task.

    Between two corpora, train and dev are of the source, in every fold the same. The folds divide the target: test is
    tested, and what would be train is `adapt`; with an official split adapt is the target's own train alone.

    Args:
        task: The protocol.
        utterances: Those that the task uses, sorted by id; those of its target where it has one.
        labels: Class of each utterance id; empty for regression (where nothing can be stratified).
        source: Utterances of the source, sorted by id; None for a task of one corpus.
        partial: Some of the corpus is not here: listed names may be missing, there are no more folds than groups, and
            folds of which a set would be empty are left out.

    Raises:
        BenchError: The scheme does not fit the corpus: a listed speaker that does not exist, no official split,
            more folds than groups; or the folds break a promise (see `check_folds`).
    """
    parts = _tests(task.folds, utterances, labels, partial=partial)
    if partial:
        parts = [part for part in parts if part[1] and part[2]]
    if source is None:
        folds = _within(task, parts, {utterance.id: utterance for utterance in utterances}, labels)
    else:
        folds = _between(task, parts, source, labels)
    if partial:
        needed = ("train", "test") if isinstance(task.dev, protocol.DevNone) else ("train", "dev", "test")
        folds = [fold for fold in folds if all(getattr(fold, part) for part in needed)]
        if not folds:
            raise BenchError(f"task {task.name}: no fold can be made of the part of the corpus that is here")
    check_folds(task, folds)
    return folds


def _between(task: protocol.Task, parts: Sequence[_Parts], source: Sequence[Utterance], labels: Labels) -> list[Fold]:
    if isinstance(task.dev, protocol.DevOfficial):
        _, _, train, dev = _official(source)
    else:
        train = [utterance.id for utterance in source]
        dev = list(_dev(task.dev, source, labels, listed=[]))
    held_out = set(dev)
    fitted = tuple(sorted(name for name in train if name not in held_out))
    folds = []
    for name, test, rest, target_dev in parts:
        unused = set(target_dev) if isinstance(task.folds, protocol.Official) else set()
        adapt = sorted(i for i in rest if i not in unused)
        folds.append(Fold(name, fitted, tuple(sorted(dev)), tuple(sorted(test)), tuple(adapt)))
    return folds


def _within(task: protocol.Task, parts: Sequence[_Parts], by_id: Mapping[str, Utterance], labels: Labels) -> list[Fold]:
    folds = []
    for number, (name, test, train, listed_dev) in enumerate(parts):
        # Before dev, which is taken from what train has.
        _require_some(task, name, train=train, test=test)
        if isinstance(task.dev, protocol.DevTest):
            folds.append(Fold(name, tuple(sorted(train)), tuple(sorted(test)), tuple(sorted(test))))
            continue
        following = parts[(number + 1) % len(parts)][1]
        dev = _dev(
            task.dev,
            [by_id[i] for i in train],
            labels,
            listed=following if isinstance(task.dev, protocol.DevNextFold) else listed_dev,
        )
        held_out = set(dev)
        fitted = tuple(sorted(i for i in train if i not in held_out))
        folds.append(Fold(name, fitted, tuple(sorted(dev)), tuple(sorted(test))))
    return folds


def check_folds(task: protocol.Task, folds: Sequence[Fold]) -> None:
    """Refuse folds that break a promise of every task.

    Sets are not empty (but dev where the protocol takes none, and adapt), hold no utterance twice and are disjoint
    (but dev where the protocol says that it is test); names differ; and where folds are pooled, no utterance is tested
    twice, since it would count twice.

    Raises:
        BenchError: A promise is broken; the fold and the first utterance are named.
    """
    if named_twice := _repeated(fold.name for fold in folds):
        raise BenchError(f"task {task.name}: two folds are named {named_twice[0]!r}")
    for fold in folds:
        sets = {"train": fold.train, "dev": fold.dev, "test": fold.test, "adapt": fold.adapt}
        needed = ("train", "test") if isinstance(task.dev, protocol.DevNone) else ("train", "dev", "test")
        _require_some(task, fold.name, **{part: sets[part] for part in needed})
        for part, ids in sets.items():
            if twice := _repeated(ids):
                raise BenchError(f"task {task.name}: fold {fold.name!r} has {twice[0]!r} twice in {part}")
        apart = [part for part in sets if part != "dev" or not isinstance(task.dev, protocol.DevTest)]
        if shared := _repeated(i for part in apart for i in sets[part]):
            raise BenchError(
                f"task {task.name}: fold {fold.name!r} has {shared[0]!r} in two sets",
                "train, dev and test are disjoint",
            )
    tested_twice = _repeated(i for fold in folds for i in fold.test)
    if tested_twice and task.pool == "utterances":
        raise BenchError(
            f"task {task.name}: {tested_twice[0]!r} is in the test set of two folds that are pooled",
            "say pool: folds, or give other folds",
        )


def _require_some(task: protocol.Task, fold: str, **sets: Sequence[str]) -> None:
    for part, ids in sets.items():
        if not ids:
            raise BenchError(
                f"task {task.name}: fold {fold!r} has an empty {part} set",
                f"filter and label_map may leave nothing: bench show {task.name} says what it needs",
            )


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, number in Counter(names).items() if number > 1]


def folds_digest(folds: Sequence[Fold]) -> str:
    """Digest of the division itself, so that two machines can see that they made the same one."""
    return digest([[fold.name, fold.train, fold.dev, fold.test, fold.adapt] for fold in folds])


def _tests(
    scheme: protocol.FoldScheme, utterances: Sequence[Utterance], labels: Labels, *, partial: bool
) -> list[_Parts]:
    ids = [utterance.id for utterance in utterances]
    if isinstance(scheme, protocol.LeaveOneGroupOut):
        tests = list(grouped(utterances, scheme.group).items())
    elif isinstance(scheme, protocol.GroupKFold):
        groups = grouped(utterances, scheme.group)
        if len(groups) < scheme.k and not partial:
            raise BenchError(f"{len(groups)} {scheme.group}s cannot be dealt into k = {scheme.k} folds")
        order, k = shuffled(groups, scheme.seed), min(scheme.k, len(groups))
        dealt = [sorted(order[i::k]) for i in range(k)]
        tests = [(str(i), [u for name in names for u in groups[name]]) for i, names in enumerate(dealt)]
    elif isinstance(scheme, protocol.RandomKFold):
        order = _stratified_order(ids, labels, scheme.seed) if scheme.stratified else shuffled(ids, scheme.seed)
        tests = [(str(i), order[i :: scheme.k]) for i in range(scheme.k)]
    elif isinstance(scheme, protocol.RandomSplit):
        tests = [("0", _random_fraction(ids, scheme.test_fraction, scheme.seed, labels if scheme.stratified else None))]
    elif isinstance(scheme, protocol.Official):
        return [_official(utterances)]
    else:
        return _listed(scheme, utterances, partial=partial)
    held_out = [(name, test, set(test)) for name, test in tests]
    return [(name, test, [i for i in ids if i not in chosen], []) for name, test, chosen in held_out]


def _stratified_order(ids: Iterable[str], labels: Labels, seed: int) -> list[str]:
    """Class after class, each shuffled: dealing this order out in turn gives every fold its share of each class."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for name in shuffled(ids, seed):
        by_class[labels[name]].append(name)
    return [name for label in sorted(by_class) for name in by_class[label]]


def _random_fraction(ids: Sequence[str], fraction: float, seed: int, labels: Labels | None) -> list[str]:
    """A random fraction, rounded to whole utterances (over each class where labels are given), at least one."""
    if labels is None:
        return shuffled(ids, seed)[: max(1, round(fraction * len(ids)))]
    by_class: dict[str, list[str]] = defaultdict(list)
    for name in shuffled(ids, seed):
        by_class[labels[name]].append(name)
    return [name for members in by_class.values() for name in members[: max(1, round(fraction * len(members)))]]


def _random_groups(groups: Mapping[str, list[str]], fraction: float, seed: int, labels: Labels | None) -> list[str]:
    """Whole groups, in an order drawn by the seed, until each class (or the whole) has its fraction.

    A group is taken while some class that it has is short, and never the last group that has a class: train keeps
    every class.
    """

    def classes(names: Iterable[str]) -> list[str]:
        return [labels[name] if labels else "all" for name in names]

    total = _count(label for names in groups.values() for label in classes(names))
    owners = _count(label for names in groups.values() for label in set(classes(names)))
    chosen: list[str] = []
    have: dict[str, int] = defaultdict(int)
    for group in shuffled(groups, seed):
        inside = _count(classes(groups[group]))
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


def _count(labels: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for label in labels:
        counts[label] += 1
    return counts


def _official(utterances: Sequence[Utterance]) -> _Parts:
    parts: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    for utterance in utterances:
        if utterance.split not in parts:
            raise BenchError(f"utterance {utterance.id!r} has the split {utterance.split!r}", "train, dev or test")
        parts[utterance.split].append(utterance.id)
    # Train holds dev until a dev rule takes it out.
    return "official", parts["test"], parts["train"] + parts["dev"], parts["dev"]


def _listed(scheme: protocol.Listed, utterances: Sequence[Utterance], *, partial: bool) -> list[_Parts]:
    key: Callable[[Utterance], str] = (lambda u: u.id) if scheme.by == "id" else (lambda u: group_of(u, scheme.by))
    members: dict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        members[key(utterance)].append(utterance.id)

    def ids(names: Iterable[str], fold: str) -> list[str]:
        for name in names:
            if name not in members and not partial:
                raise BenchError(f"fold {fold!r} lists the {scheme.by} {name!r}, which the corpus does not have")
        return [i for name in names for i in members.get(name, ())]

    parts = []
    for fold in scheme.folds:
        test, dev = ids(fold.test, fold.name), ids(fold.dev, fold.name)
        tested = set(test)
        train = [u.id for u in utterances if u.id not in tested] if fold.train is None else ids(fold.train, fold.name)
        # Train holds dev until the dev rule takes it out.
        parts.append((fold.name, test, sorted({*train, *dev}), dev))
    return parts


def _dev(
    scheme: protocol.DevScheme, train: Sequence[Utterance], labels: Labels, *, listed: Sequence[str]
) -> Sequence[str]:
    """Take dev out of train, where the scheme does not name it (`listed`)."""
    if isinstance(scheme, protocol.DevOneGroup):
        return list(grouped(train, scheme.group).values())[-1]
    if isinstance(scheme, protocol.DevRandom):
        chosen_labels = labels if scheme.stratified else None
        if scheme.group is not None:
            return _random_groups(grouped(train, scheme.group), scheme.fraction, scheme.seed, chosen_labels)
        ids = [utterance.id for utterance in train]
        return _random_fraction(ids, scheme.fraction, scheme.seed, chosen_labels)
    return [] if isinstance(scheme, protocol.DevNone) else listed
