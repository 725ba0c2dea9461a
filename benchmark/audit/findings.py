"""What of an audit a reader should know, in words: a leak that the protocol does not declare is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmark.audit.overlaps import judged
from benchmark.audit.report import Audit, Copy, CorpusAudit, Finding, FoldAudit, Giveaway, Severity
from benchmark.data.listening import Heard, remarks_of
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.task import Task
from benchmark.text import some

NAMED = 5
# What tells the class this much better than chance, in UAR, is said.
TELLING = 0.10


def judge(dataset: Dataset, result: Audit, heard: Mapping[str, Heard]) -> tuple[Finding, ...]:
    """The findings of a measured task, worst first; `heard` is what decoding told of each utterance."""
    task, folds = dataset.task, result.folds
    findings = [
        *_speaker_overlap(dataset, folds),
        *_copies(task, folds),
        *_unknown_speakers(dataset),
        *_identical(result),
        *judged(task, result, _undeclared(task)),
        *_giveaways(result),
        *_sentence_overlap(result),
        *_classes(task, folds),
        *_values(result),
        *_coverage(dataset),
        *_expectations(dataset),
        *_recordings(dataset, heard),
    ]
    if task.dev.is_test:
        findings.append(Finding("warning", "Heads are selected on the test set: scores are optimistic."))
    if dataset.left_out:
        reasons = ", ".join(f"{number} ({reason})" for reason, number in dataset.left_out.items())
        findings.append(Finding("note", f"The protocol leaves utterances out: {reasons}."))
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(findings, key=lambda finding: order[finding.severity]))


def _recordings(dataset: Dataset, heard: Mapping[str, Heard]) -> Iterator[Finding]:
    for sentence in remarks_of({utterance.id: utterance.file for utterance in dataset.recordings}, heard):
        yield Finding("warning", sentence)
    for text in dataset.not_as_published(heard):
        yield Finding("warning", f"{_capital(text)}: records are marked as modified, and no leaderboard shows them.")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _undeclared(task: Task) -> Severity:
    """How bad it is when test speakers or recordings are met before test."""
    return "error" if task.speaker_independent else "warning"


def _speaker_overlap(dataset: Dataset, folds: Sequence[FoldAudit]) -> Iterator[Finding]:
    task = dataset.task

    def where(fold: FoldAudit, shared: Sequence[str], of: int) -> str:
        return f"in fold {fold.name!r} {len(shared)} of {of} ({some(shared, NAMED)})"

    leaking = [fold for fold in folds if fold.shared_speakers]
    if leaking:
        worst = max(leaking, key=lambda fold: len(fold.shared_speakers))
        text = f"In {len(leaking)} of {len(folds)} folds test speakers are also in train or dev: "
        text += where(worst, worst.shared_speakers, worst.sets["test"].speakers)
        yield Finding(_undeclared(task), f"{text}.")
    adapted = [fold for fold in folds if fold.test_speakers_in_adapt]
    if adapted:
        worst = max(adapted, key=lambda fold: len(fold.test_speakers_in_adapt))
        text = f"In {len(adapted)} of {len(folds)} folds heads adapt, without labels, to test speakers: "
        text += where(worst, worst.test_speakers_in_adapt, worst.sets["test"].speakers)
        yield Finding(_undeclared(task), f"{text}.")
    are_known = all(utterance.speaker is not None for utterance in dataset.utterances)
    if not leaking and not adapted and not task.speaker_independent and are_known:
        yield Finding("note", "The protocol declares speaker overlap, but no fold has any.")
    selecting = [fold for fold in folds if fold.dev_speakers_in_train]
    if selecting:
        worst = max(selecting, key=lambda fold: len(fold.dev_speakers_in_train))
        text = f"In {len(selecting)} of {len(folds)} folds dev speakers are also in train: "
        text += where(worst, worst.dev_speakers_in_train, worst.sets["dev"].speakers)
        yield Finding("note", f"{text}: a head is selected for voices that it knows.")


def _copies(task: Task, folds: Sequence[FoldAudit]) -> Iterator[Finding]:
    def copies(*pairs: tuple[str, str]) -> list[Copy]:
        """One for each fold and utterance, however many sets have a copy of it."""
        found: dict[tuple[str, str], Copy] = {}
        for fold in folds:
            for copy in fold.copies:
                if (copy.part, copy.other_part) in pairs:
                    found.setdefault((fold.name, copy.id), copy)
        return list(found.values())

    def listed(found: Sequence[Copy]) -> str:
        return f"{_times(len(found))}: {some([f'{copy.id} = {copy.other_id}' for copy in found], NAMED)}"

    if found := copies(("test", "train"), ("test", "dev")):
        yield Finding(_undeclared(task), f"Identical audio is in test and in train or dev, {listed(found)}.")
    if found := copies(("test", "adapt")):
        yield Finding(_undeclared(task), f"Identical audio is in test and in adapt, {listed(found)}.")
    if found := copies(("dev", "train")):
        yield Finding("note", f"Identical audio is in dev and in train, {listed(found)}.")


def _unknown_speakers(dataset: Dataset) -> Iterator[Finding]:
    task, candidates = dataset.task, dataset.utterances
    if task.target is not None:  # speakers of two corpora are different ones: the target alone is divided
        candidates = tuple(u for u in candidates if u.id.startswith(f"{task.target.corpus}:"))
    unknown = [utterance.id for utterance in candidates if utterance.speaker is None]
    if not unknown:
        return
    # Who made an official or listed split may know the speakers, and be believed; one that is dealt here is blind.
    severity: Severity = "error" if task.speaker_independent and not task.folds.is_given else "warning"
    text = (
        f"{len(unknown)} of {len(candidates)} utterances have no speaker ({some(unknown, NAMED)}): "
        f"nothing shows whether one is in {'train' if task.target is None else 'adapt'} and test at once"
    )
    if task.speaker_independent:
        text += ", and the protocol says that none is"
    yield Finding(severity, f"{text}.")


def _identical(result: Audit) -> Iterator[Finding]:
    def named(groups: Sequence[tuple[str, ...]], kept: Sequence[tuple[str, ...]]) -> str:
        return some([f"{' = '.join(ids)} ({', '.join(of)})" for ids, of in zip(groups, kept, strict=True)], NAMED)

    several = [group for group in result.identical if len(group.speakers) > 1]
    if several:
        text = (
            f"Identical audio is under the names of different speakers, {_times(len(several))}: "
            f"{named([one.ids for one in several], [one.speakers for one in several])}: who speaks is not certain."
        )
        yield Finding("warning", text)
    disputed = [group for group in result.identical if len(group.labels) > 1]
    if disputed:
        text = (
            f"Identical audio has different labels, {_times(len(disputed))}: "
            f"{named([one.ids for one in disputed], [one.labels for one in disputed])}: one of them is always wrong."
        )
        yield Finding("warning", text)
    repeated = [group for group in result.identical if len(group.speakers) < 2 and len(group.labels) < 2]
    if repeated:
        text = f"Recordings of one speaker and label are there more than once, {_times(len(repeated))}: "
        yield Finding("note", f"{text}{some([' = '.join(group.ids) for group in repeated], NAMED)}.")


def _is_telling(giveaway: Giveaway | None) -> bool:
    return giveaway is not None and giveaway.uar - giveaway.chance_uar >= TELLING


def _tells(what: str, giveaway: Giveaway) -> str:
    text = f"the {what} alone tells the class with UAR {100 * giveaway.uar:.1f} %"
    chance = f"by chance {100 * giveaway.chance_uar:.1f} %"
    if giveaway.nmi is not None and giveaway.chance_nmi is not None:
        return f"{text} ({chance}; NMI {giveaway.nmi:.2f}, by chance {giveaway.chance_nmi:.2f})"
    return f"{text} ({chance})"


def _fitted(result: Audit) -> CorpusAudit:
    """The corpus that heads are fitted on."""
    return result.corpora[0]


def _giveaways(result: Audit) -> Iterator[Finding]:
    corpus = _fitted(result)
    speaker, duration = corpus.giveaways["speaker"], corpus.giveaways["duration"]
    if speaker is not None and _is_telling(speaker):
        text = _tells("speaker", speaker)
        if corpus.one_class_speakers:
            text = f"{len(corpus.one_class_speakers)} of {corpus.speakers} speakers have one class only; {text}"
        if any(fold.shared_speakers for fold in result.folds):
            yield Finding("warning", f"{_capital(text)}: with shared speakers a score shows who speaks, not how.")
        else:
            why = "a head may learn voices instead of emotions, and then fails on new ones"
            yield Finding("note", f"{_capital(text)}: {why}.")
    if duration is not None and _is_telling(duration):
        yield Finding("note", f"{_capital(_tells('duration', duration))}.")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _sentence_overlap(result: Audit) -> Iterator[Finding]:
    known = [(fold.name, fold.sentences) for fold in result.folds if fold.sentences is not None]
    shared = [(name, overlap) for name, overlap in known if overlap.shared_utterances]
    telling = _fitted(result).giveaways["sentence"]
    is_telling = telling is not None and _is_telling(telling)
    if shared:
        name, worst = max(shared, key=lambda pair: pair[1].share)
        text = (
            f"Lexical overlap: in {len(shared)} of {len(result.folds)} folds sentences of test are also in train or "
            f"dev, in fold {name!r} {worst.shared_sentences} of {worst.sentences}, which are "
            f"{100 * worst.share:.1f} % of its utterances"
        )
        if all(overlap.shared_sentences == overlap.sentences for _, overlap in known):
            text += "; no fold tests a new sentence"
        if telling is not None and is_telling:
            text += f"; {_tells('sentence', telling)}"
        yield Finding("warning" if is_telling else "note", f"{text}.")
    elif telling is not None and is_telling:
        yield Finding("note", f"{_capital(_tells('sentence', telling))}, but no sentence of test is in train or dev.")


def _classes(task: Task, folds: Sequence[FoldAudit]) -> Iterator[Finding]:
    for part in ("train", "dev", "test"):
        lacking = [fold.name for fold in folds if any(text.startswith(part) for text in fold.missing)]
        if lacking:
            # A class that a test set lacks does not matter where the folds are pooled before the metric.
            severity: Severity = "note" if part == "test" and task.pool == "utterances" else "warning"
            yield Finding(
                severity, f"{len(lacking)} of {len(folds)} folds lack a class in {part}: {some(lacking, NAMED)}."
            )


def _values(result: Audit) -> Iterator[Finding]:
    for corpus in result.corpora:
        for name, spread in corpus.values.items():
            if spread.scale is not None and spread.outside:
                low, high = spread.scale
                text = (
                    f"{len(spread.outside)} of {corpus.utterances} utterances of {corpus.name!r} have {name} outside "
                    f"of its scale, {low:g} to {high:g}: {some(spread.outside, NAMED)}."
                )
                yield Finding("warning", text)


def _coverage(dataset: Dataset) -> Iterator[Finding]:
    ids, folds = [utterance.id for utterance in dataset.utterances], dataset.folds
    tested = {name for fold in folds for name in fold.test}
    target = dataset.task.target
    testable = ids if target is None else [name for name in ids if name.startswith(f"{target.corpus}:")]
    if untested := [name for name in testable if name not in tested]:
        text = f"{len(untested)} of {len(testable)} utterances are in no fold's test set ({some(untested, NAMED)})."
        yield Finding("note", text)
    unused = {}
    for fold in folds:
        used = {*fold.train, *fold.dev, *fold.test, *fold.adapt}
        if left := [name for name in ids if name not in used]:
            unused[fold.name] = left
    if unused:
        worst = max(unused, key=lambda name: len(unused[name]))
        text = (
            f"In {len(unused)} of {len(folds)} folds utterances are in no set: in fold {worst!r} {len(unused[worst])} "
            f"of {len(ids)} ({some(unused[worst], NAMED)})."
        )
        yield Finding("note", text)


def _expectations(dataset: Dataset) -> Iterator[Finding]:
    for part, corpus in zip(dataset.task.uses, dataset.corpora, strict=True):
        of_part = [u for u in dataset.utterances if len(dataset.corpora) == 1 or u.id.startswith(f"{corpus.name}:")]
        if part.expect.utterances is None and not {corpus.part_of(u) for u in of_part} <= set(corpus.counts):
            text = f"No public number of utterances of {part.corpus!r} is known: nothing shows whether it is whole."
            yield Finding("warning", text)
        if part.expect.speakers is None:
            yield Finding("note", f"No public number of speakers of {part.corpus!r} is known: it was not checked.")
    if dataset.differences:
        yield Finding("note", f"This is a part of the corpus: {', '.join(dataset.differences)}.")
