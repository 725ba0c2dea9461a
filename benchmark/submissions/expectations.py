"""What a protocol lets one know of its results without the corpus, and how records differ from it.

Known: the task's own facts; how many folds there are and, unless the corpus names them, their names; the utterances,
speakers and classes that `expect` gives; and for many schemes how often each utterance is tested: once in all where
groups are left out and in k folds, so that the totals over folds are those of `expect`; how many are in each fold of
utterances that are dealt at random, or listed by id; how many speakers are in a fold where these are listed or dealt.

Not known: which utterances are in a fold; how many the corpus's own split tests, or a listed session has; anything that
`expect` leaves open; how many examples a task with context has; whether the decisions behind the counts were ever made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmark.protocol.task import Task
from benchmark.records.schema import Record
from benchmark.types import UNKNOWN_SPEAKER


def unexpected(task: Task, records: Sequence[Record]) -> Iterator[str]:
    """How the records of a complete cell differ from what its protocol lets one know, in words.

    Args:
        task: The registered protocol.
        records: Verified, completed, and all of one task as they say: one for each fold and seed.
    """
    yield from _other_facts(task, records[0])
    first_seed = records[0].seed
    one_seed = [record for record in records if record.seed == first_seed]
    yield from _of_folds(task, one_seed)
    yield from _of_totals(task, one_seed)
    for record in records:
        yield from _of_sets(task, record)


def _other_facts(task: Task, record: Record) -> Iterator[str]:
    part = record.task
    if part.sha256 != task.sha256:
        yield f"its protocol has the digest {part.sha256[:12]}, that of the task {task.name!r} is {task.sha256[:12]}"
        return
    facts = {
        "version": (part.version, task.version),
        "title": (part.title, task.title),
        "downstream": (part.downstream, task.downstream),
        "kind": (part.kind, task.kind),
        "outputs": (part.outputs, list(task.outputs)),
        "metrics": (part.metrics, task.metrics),
        "pool": (part.pool, task.pool),
        "seeds": (part.seeds, task.seeds),
        "speaker_independent": (part.speaker_independent, task.speaker_independent),
        "dev": (part.dev, task.dev.scheme),
        "bridge": (part.bridge, task.bridge),
        "corpus.name": (part.corpus.name, " -> ".join(one.corpus for one in task.uses)),
    }
    for key, (stated, own) in facts.items():
        if stated != own:
            yield f"task.{key} is {stated!r:.120}, that of the task {task.name!r} is {own!r:.120}"
    if record.primary != task.primary:
        yield f"primary is {record.primary!r:.80}, that of the task {task.name!r} is {task.primary!r}"
    names = task.folds.fold_names()
    if names is not None and part.folds != list(names):
        yield f"task.folds are {part.folds!r:.120}, those of the task {task.name!r} are {list(names)!r:.120}"
    expected = task.uses[0].expect.index_sha256
    # Between two corpora names are prefixed, and context is heard too: the digest is of more than was expected.
    if task.target is None and task.context is None and expected not in (None, part.corpus.index_sha256):
        yield f"the index of the corpus has the digest {part.corpus.index_sha256[:12]} instead of {expected:.12}"
    numbers = [one.expect.utterances for one in task.uses]
    known = sum(number for number in numbers if number is not None)
    if None not in numbers and (
        part.corpus.utterances != known if task.context is None else part.corpus.utterances > known
    ):
        yield f"{part.corpus.utterances} utterances instead of {known}"


def _of_folds(task: Task, records: Sequence[Record]) -> Iterator[str]:
    """What each fold tests; `records` are of one seed."""
    scheme, tested = task.folds, task.uses[-1].expect
    if scheme.is_named_after_speakers:
        for record in records:
            if not record.clusters.folds or list(record.by_speaker) != [record.fold]:
                yield f"fold {record.fold!r} is not named after the one speaker that it tests"
    # Of the utterances of a task with context some open no turn, and nobody has published how many.
    sizes = scheme.test_utterances(tested.utterances) if task.context is None else {}
    classes, speakers = scheme.test_classes(tested.per_class), scheme.test_speakers(tested.speakers)
    for record in records:
        counts, name = record.counts, record.fold
        for label, number in classes.get(name, {}).items():
            if counts.per_class[label] != number:
                yield f"fold {name!r} tests {counts.per_class[label]} {label} instead of {number}"
        if name in sizes and counts.test != sizes[name]:
            yield f"fold {name!r} tests {counts.test} utterances instead of {sizes[name]}"
    for record in records:
        counts, name = record.counts, record.fold
        if name in speakers and counts.test_speakers != speakers[name]:
            yield f"fold {name!r} tests {counts.test_speakers} speakers instead of {speakers[name]}"


def _of_totals(task: Task, records: Sequence[Record]) -> Iterator[str]:
    """What all folds test together; `records` are of one seed."""
    scheme, tested = task.folds, task.uses[-1].expect
    once = scheme.tests_all_once
    exact = once and task.context is None
    at_most_once = once or task.pool == "utterances"
    found = sum(record.counts.test for record in records)
    classes = sum((Counter(record.counts.per_class) for record in records), Counter[str]())
    for what, number, wanted in (
        ("utterances", found, tested.utterances),
        *((label, classes[label], number) for label, number in tested.per_class.items()),
    ):
        if wanted is not None and at_most_once and (number != wanted if exact else number > wanted):
            yield f"all folds together test {number} {what} instead of {'' if exact else 'at most '}{wanted}"
    tests = Counter(name for record in records for name in record.by_speaker if name != UNKNOWN_SPEAKER)
    if records[0].clusters.unit == "utterance":
        if tested.speakers:
            yield f"it knows no speakers, and the task {task.name!r} has {tested.speakers}"
        return
    if tested.speakers is not None and (len(tests) != tested.speakers if exact else len(tests) > tested.speakers):
        yield f"all folds together test {len(tests)} speakers instead of {tested.speakers}"
    if once and scheme.kept_together == "speaker" and (twice := [n for n, times in tests.items() if times > 1]):
        yield f"the speaker {twice[0]!r} is tested in {tests[twice[0]]} folds"


def _of_sets(task: Task, record: Record) -> Iterator[str]:
    """Train, dev and adapt of one unit."""
    counts, scheme = record.counts, task.folds
    where = f"fold {record.fold!r}, seed {record.seed}"
    if (counts.dev == 0) == task.dev.takes_some:
        yield f"{where} has {counts.dev} dev utterances, with the dev rule {task.dev.scheme!r}"
    if task.dev.is_test and counts.dev != counts.test:
        yield f"{where} has {counts.dev} dev utterances, and dev is test, which has {counts.test}"
    if task.context is not None:
        return
    fitted = counts.train + (0 if task.dev.is_test else counts.dev)
    if task.target is None:
        sums = [("train, dev and test", fitted + counts.test, task.uses[0].expect.utterances, scheme.uses_all)]
        if counts.adapt:
            yield f"{where} has {counts.adapt} utterances to adapt to, and the task has no target"
    else:
        source, target = (part.expect.utterances for part in task.uses)
        few = 0 if task.few_shot is None else task.few_shot.per_class * len(task.labels)
        sums = [
            ("train and dev", fitted - few, source, not task.dev.needs_own_split),
            ("adapt and test", counts.adapt + counts.test + few, target, not scheme.has_own_dev),
        ]
    for what, number, wanted, exact in sums:
        if wanted is not None and (number != wanted if exact else number > wanted):
            yield f"{where} has {number} utterances in {what} instead of {'' if exact else 'at most '}{wanted}"
