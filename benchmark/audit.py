"""What a split gives away: overlap of speakers and audio, what is missing, and what the speaker alone tells."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from benchmark.dataset import Dataset
from benchmark.errors import BenchError
from benchmark.listening import Heard
from benchmark.metrics import uar
from benchmark.protocol import Listed, Official, Task
from benchmark.types import Fold

Severity = Literal["error", "warning", "note"]
NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One thing a reader should know.

    Attributes:
        severity: "error" stops the run (a leak that the protocol does not declare, or cannot exclude), "warning" is
            declared or distorts scores, "note" informs.
        text: One sentence.
    """

    severity: Severity
    text: str


@dataclass(frozen=True)
class FoldAudit:
    """Counts and overlaps of one fold.

    Attributes:
        name: The fold.
        sizes: Utterances in train, dev and test.
        speakers: Speakers in train, dev and test.
        per_class: Test utterances of each class; empty for regression.
        shared_speakers: Speakers of test who are also in train or dev.
        shared_audio: Test utterances whose samples also occur in train or dev, as (test id, other id).
        missing: Classes that train, dev or test lacks, as "dev: angry".
    """

    name: str
    sizes: tuple[int, int, int]
    speakers: tuple[int, int, int]
    per_class: Mapping[str, int]
    shared_speakers: tuple[str, ...]
    shared_audio: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """The audit of a task.

    Attributes:
        folds: One for each fold.
        speakers: Number of speakers.
        one_class_speakers: Speakers all of whose utterances have one class.
        speaker_uar: UAR of guessing each utterance from the other utterances of its speaker alone (majority vote,
            leave one utterance out; a speaker's only utterance is guessed as the first class); None for regression.
        speaker_information: Mutual information of speaker and class divided by the entropy of the class: 1 means that
            the speaker determines the class; None for regression.
        findings: What to know, worst first.
    """

    folds: tuple[FoldAudit, ...]
    speakers: int
    one_class_speakers: tuple[str, ...]
    speaker_uar: float | None
    speaker_information: float | None
    findings: tuple[Finding, ...]

    def stop_on_error(self, task: str) -> None:
        """Refuse to run on a leak that the protocol does not declare, or claims to exclude while nobody can know.

        Raises:
            BenchError: There is a finding of severity "error".
        """
        errors = [finding.text for finding in self.findings if finding.severity == "error"]
        if errors:
            raise BenchError(
                f"the split of {task!r} leaks or cannot be checked: {' '.join(errors)}",
                f"bench show {task} --audit shows all",
            )


def audit(dataset: Dataset, heard: Mapping[str, Heard] | None = None) -> Audit:
    """Audit the folds of a task.

    Args:
        dataset: The task with its utterances.
        heard: Digest of each utterance's audio; without it identical audio is not looked for.
    """
    folds = tuple(_audit_fold(fold, dataset, heard or {}) for fold in dataset.folds)
    speakers: dict[str, Counter[str]] = defaultdict(Counter)
    for utterance in dataset.utterances:
        if utterance.speaker is not None and dataset.labels:
            speakers[utterance.speaker][dataset.labels[utterance.id]] += 1
    single = tuple(sorted(name for name, counts in speakers.items() if len(counts) == 1))
    by_speaker = list(speakers.values())
    recall = speaker_vote_uar(by_speaker, dataset.task.labels) if by_speaker else None
    information = relative_information(by_speaker) if by_speaker else None
    known = {utterance.speaker for utterance in dataset.utterances} - {None}
    result = Audit(folds, len(known), single, recall, information, ())
    return replace(result, findings=_findings(dataset, result))


def speaker_vote_uar(by_speaker: Sequence[Mapping[str, int]], labels: Sequence[str]) -> float:
    """UAR of the majority vote of a speaker's other utterances.

    Args:
        by_speaker: For each speaker the number of utterances of each class.
        labels: The classes; the first wins a tie.
    """
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for own in by_speaker:
        for i, label in enumerate(labels):
            others = [own.get(name, 0) - (name == label) for name in labels]
            counts[i, int(np.argmax(others))] += own.get(label, 0)
    return float(uar(counts))


def relative_information(by_speaker: Sequence[Mapping[str, int]]) -> float:
    """I(speaker; class) / H(class), from counts; 1 where there is only one class."""
    total = sum(sum(own.values()) for own in by_speaker)
    classes: Counter[str] = Counter()
    for own in by_speaker:
        classes.update(own)

    def entropy(counts: Iterable[int]) -> float:
        numbers = [number for number in counts if number]
        whole = sum(numbers)
        return -sum(number / whole * math.log(number / whole) for number in numbers)

    given_speaker = sum(sum(own.values()) / total * entropy(own.values()) for own in by_speaker)
    whole = entropy(classes.values())
    return 1.0 if whole == 0 else 1.0 - given_speaker / whole


def _audit_fold(fold: Fold, dataset: Dataset, heard: Mapping[str, Heard]) -> FoldAudit:
    def speakers(ids: Iterable[str]) -> set[str]:
        return {name for i in ids if (name := dataset.by_id[i].speaker) is not None}

    # With dev = test the dev set is the test set by declaration; only train can leak.
    fitted = fold.train if fold.dev == fold.test else fold.train + fold.dev
    in_fitted = {heard[i].sha256: i for i in fitted if i in heard}
    shared_audio = [(i, in_fitted[heard[i].sha256]) for i in fold.test if i in heard and heard[i].sha256 in in_fitted]
    missing = []
    for part in ("train", "dev", "test"):
        ids = getattr(fold, part)
        if ids and dataset.labels:
            present = {dataset.labels[i] for i in ids}
            missing += [f"{part}: {label}" for label in dataset.task.labels if label not in present]
    counts = Counter(dataset.labels[i] for i in fold.test) if dataset.labels else Counter[str]()
    return FoldAudit(
        name=fold.name,
        sizes=(len(fold.train), len(fold.dev), len(fold.test)),
        speakers=(len(speakers(fold.train)), len(speakers(fold.dev)), len(speakers(fold.test))),
        per_class={label: counts[label] for label in dataset.task.labels},
        shared_speakers=tuple(sorted(speakers(fold.test) & speakers(fitted))),
        shared_audio=tuple(shared_audio),
        missing=tuple(missing),
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _unknown_speakers(dataset: Dataset) -> list[Finding]:
    unknown = [utterance.id for utterance in dataset.utterances if utterance.speaker is None]
    if not unknown:
        return []
    task = dataset.task
    # Who made an official or listed split may know the speakers, and be believed; one that is dealt here is blind.
    is_given = isinstance(task.folds, Official | Listed)
    severity: Severity = "error" if task.speaker_independent and not is_given else "warning"
    text = (
        f"{len(unknown)} of {len(dataset.utterances)} utterances have no speaker ({_some(unknown)}): "
        "nothing shows whether one is in train and test at once"
    )
    if task.speaker_independent:
        text += ", and the protocol says that none is"
    return [Finding(severity, f"{text}.")]


def _coverage_findings(dataset: Dataset) -> list[Finding]:
    findings = []
    ids, folds = [utterance.id for utterance in dataset.utterances], dataset.folds
    tested = {name for fold in folds for name in fold.test}
    untested = [name for name in ids if name not in tested]
    if untested:
        text = f"{len(untested)} of {len(ids)} utterances are in no fold's test set ({_some(untested)})."
        findings.append(Finding("note", text))
    unused = {}
    for fold in folds:
        used = {*fold.train, *fold.dev, *fold.test, *fold.adapt}
        if left := [name for name in ids if name not in used]:
            unused[fold.name] = left
    if unused:
        worst = max(unused, key=lambda name: len(unused[name]))
        text = (
            f"In {len(unused)} of {len(folds)} folds utterances are in no set: in fold {worst!r} {len(unused[worst])} "
            f"of {len(ids)} ({_some(unused[worst])})."
        )
        findings.append(Finding("note", text))
    return findings


def _overlap_findings(task: Task, folds: Sequence[FoldAudit], *, are_known: bool) -> list[Finding]:
    undeclared: Severity = "error" if task.speaker_independent else "warning"
    findings = []
    leaking = [fold for fold in folds if fold.shared_speakers]
    if leaking:
        worst = max(leaking, key=lambda fold: len(fold.shared_speakers))
        text = (
            f"In {len(leaking)} of {len(folds)} folds test speakers are also in train or dev: in fold {worst.name!r} "
            f"{len(worst.shared_speakers)} of {worst.speakers[2]} ({_some(worst.shared_speakers)})."
        )
        findings.append(Finding(undeclared, text))
    elif not task.speaker_independent and are_known:
        findings.append(Finding("note", "The protocol declares speaker overlap, but no fold has any."))
    copies = [f"{a} = {b}" for fold in folds for a, b in fold.shared_audio]
    if copies:
        text = f"Identical audio is in test and in train or dev, {len(copies)} times: {_some(copies)}."
        findings.append(Finding(undeclared, text))
    return findings


def _speaker_finding(result: Audit) -> list[Finding]:
    if not result.one_class_speakers or result.speaker_uar is None or result.speaker_information is None:
        return []
    text = (
        f"{len(result.one_class_speakers)} of {result.speakers} speakers have one class only; the speaker alone tells "
        f"the class with UAR {100 * result.speaker_uar:.1f} % ({100 * result.speaker_information:.0f} % of the "
        "information)"
    )
    if any(fold.shared_speakers for fold in result.folds):
        return [Finding("warning", f"{text}: with shared speakers a score shows who speaks, not how.")]
    return [Finding("note", f"{text}: a head may learn voices instead of emotions, and then fails on new ones.")]


def _class_findings(task: Task, folds: Sequence[FoldAudit]) -> list[Finding]:
    findings = []
    for part in ("train", "dev", "test"):
        lacking = [fold.name for fold in folds if any(text.startswith(part) for text in fold.missing)]
        if lacking:
            # A class that a test set lacks does not matter where the folds are pooled before the metric.
            severity: Severity = "note" if part == "test" and task.pool == "utterances" else "warning"
            text = f"{len(lacking)} of {len(folds)} folds lack a class in {part}: {_some(lacking)}."
            findings.append(Finding(severity, text))
    return findings


def _findings(dataset: Dataset, result: Audit) -> tuple[Finding, ...]:
    unknown = _unknown_speakers(dataset)
    findings = [
        *_overlap_findings(dataset.task, result.folds, are_known=not unknown),
        *unknown,
        *_speaker_finding(result),
        *_class_findings(dataset.task, result.folds),
        *_coverage_findings(dataset),
    ]
    if dataset.task.dev.scheme == "test":
        findings.append(Finding("warning", "Heads are selected on the test set: scores are optimistic."))
    if dataset.left_out:
        reasons = ", ".join(f"{number} ({reason})" for reason, number in dataset.left_out.items())
        findings.append(Finding("note", f"The protocol leaves utterances out: {reasons}."))
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(findings, key=lambda finding: order[finding.severity]))
