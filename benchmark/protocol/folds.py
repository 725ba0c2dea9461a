"""Folds: pure functions from utterances and a protocol to disjoint train, dev and test sets.

How a set is divided is said by the task's schemes; here they are put together, and the promises of every task checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benchmark.errors import BenchError
from benchmark.io.files import digest
from benchmark.protocol.fold_schemes import Division
from benchmark.protocol.sampling import Labels, some_of_each_class
from benchmark.protocol.task import Task
from benchmark.types import Fold, Utterance


def make_folds(
    task: Task,
    utterances: Sequence[Utterance],
    labels: Labels,
    source: Sequence[Utterance] | None = None,
    *,
    partial: bool = False,
) -> list[Fold]:
    """Divide the utterances of a task.

    Between two corpora, train and dev are of the source, in every fold the same. The folds divide the target: test is
    tested, and what would be train is `adapt`; with an official split adapt is the target's own train alone. Of adapt a
    task with `few_shot` moves a few utterances of each class to train.

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
    divisions = task.folds.divide(utterances, labels, partial=partial)
    if partial:
        divisions = [one for one in divisions if one.test and one.train]
    if source is None:
        folds = _within(task, divisions, utterances, labels)
    else:
        folds = _between(task, divisions, source, labels)
    if partial:
        folds = [fold for fold in folds if all(_sets(fold)[part] for part in task.dev.needed_sets)]
        if not folds:
            raise BenchError(f"task {task.name}: no fold can be made of the part of the corpus that is here")
    check_folds(task, folds)
    return folds


def _between(task: Task, divisions: Sequence[Division], source: Sequence[Utterance], labels: Labels) -> list[Fold]:
    taught = task.dev.of_source(source)
    dev = task.dev.choose(source, labels, taught, taught)
    fitted = _without(taught.train, dev)
    inner = _inner(task, {utterance.id: utterance for utterance in source}, fitted, labels)
    folds = []
    for one in divisions:
        # The target's own dev set is for nobody: heads are selected on the source.
        free = _without(one.train, one.dev)
        few = _few(task, one.name, free, labels)
        test = tuple(sorted(one.test))
        folds.append(
            Fold(one.name, tuple(sorted((*fitted, *few))), tuple(sorted(dev)), test, _without(free, few), inner)
        )
    return folds


def _few(task: Task, fold: str, ids: Sequence[str], labels: Labels) -> list[str]:
    """The labelled utterances of the target that join train."""
    few = task.few_shot
    if few is None:
        return []
    try:
        return some_of_each_class(ids, few.per_class, few.seed, labels, task.labels)
    except BenchError as error:
        raise BenchError(f"task {task.name}: few_shot of fold {fold!r}: {error.message}") from error


def _within(task: Task, divisions: Sequence[Division], utterances: Sequence[Utterance], labels: Labels) -> list[Fold]:
    by_id = {utterance.id: utterance for utterance in utterances}
    folds = []
    for number, one in enumerate(divisions):
        # Before dev, which is taken from what train has.
        _require_some(task, one.name, train=one.train, test=one.test)
        next_fold = divisions[(number + 1) % len(divisions)]
        dev = task.dev.choose([by_id[i] for i in one.train], labels, one, next_fold)
        train = _without(one.train, dev)
        inner = _inner(task, by_id, train, labels)
        folds.append(Fold(one.name, train, tuple(sorted(dev)), tuple(sorted(one.test)), inner=inner))
    return folds


def _inner(
    task: Task, by_id: Mapping[str, Utterance], train: Sequence[str], labels: Labels
) -> tuple[tuple[str, ...], ...]:
    """What each inner fold holds out; none where heads are not selected by them.

    Raises:
        BenchError: A speaker would be in two of them, as one who is in two sessions.
    """
    inner = tuple(tuple(held_out) for held_out in task.dev.inner([by_id[name] for name in train], labels))
    fold_of: dict[str, int] = {}
    for number, held_out in enumerate(inner):
        for name in held_out:
            speaker = by_id[name].speaker
            if speaker is not None and fold_of.setdefault(speaker, number) != number:
                raise BenchError(
                    f"task {task.name}: the speaker {speaker!r} would be in two inner folds", "group them by speaker"
                )
    return inner


def _without(ids: Sequence[str], some: Sequence[str]) -> tuple[str, ...]:
    left_out = set(some)
    return tuple(sorted(name for name in ids if name not in left_out))


def check_folds(task: Task, folds: Sequence[Fold]) -> None:
    """Refuse folds that break a promise of every task.

    Sets are not empty (but dev where the protocol takes none, and adapt), hold no utterance twice and are disjoint
    (but dev where the protocol says that it is test); inner folds divide train; names differ; and where folds are
    pooled, no utterance is tested twice, since it would count twice.

    Raises:
        BenchError: A promise is broken; the fold and the first utterance are named.
    """
    if named_twice := _repeated(fold.name for fold in folds):
        raise BenchError(f"task {task.name}: two folds are named {named_twice[0]!r}")
    for fold in folds:
        sets = _sets(fold)
        _require_some(task, fold.name, **{part: sets[part] for part in task.dev.needed_sets})
        for part, ids in sets.items():
            if twice := _repeated(ids):
                raise BenchError(f"task {task.name}: fold {fold.name!r} has {twice[0]!r} twice in {part}")
        apart = [part for part in sets if part != "dev" or not task.dev.is_test]
        if shared := _repeated(i for part in apart for i in sets[part]):
            raise BenchError(
                f"task {task.name}: fold {fold.name!r} has {shared[0]!r} in two sets",
                "train, dev and test are disjoint",
            )
        held_out = [name for inner in fold.inner for name in inner]
        # The few labelled utterances of a target are in every fit, and held out by none.
        few = 0 if task.few_shot is None else task.few_shot.per_class * len(task.labels)
        divide = len(held_out) == len(set(held_out)) == len(fold.train) - few and set(held_out) <= set(fold.train)
        if task.dev.is_inner and (len(fold.inner) < 2 or not all(fold.inner) or not divide):
            raise BenchError(f"task {task.name}: the inner folds of fold {fold.name!r} do not divide its train set")
    tested_twice = _repeated(i for fold in folds for i in fold.test)
    if tested_twice and task.pool == "utterances":
        raise BenchError(
            f"task {task.name}: {tested_twice[0]!r} is in the test set of two folds that are pooled",
            "say pool: folds, or give other folds",
        )


def _sets(fold: Fold) -> dict[str, tuple[str, ...]]:
    return {"train": fold.train, "dev": fold.dev, "test": fold.test, "adapt": fold.adapt}


def _require_some(task: Task, fold: str, **sets: Sequence[str]) -> None:
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
    return digest(
        [
            [fold.name, fold.train, fold.dev, fold.test, fold.adapt, *([fold.inner] if fold.inner else [])]
            for fold in folds
        ]
    )
