"""Which utterances of a corpus a task uses, and as what: filter, exclusions, joined speakers, labels, expectations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.base import Corpus
from benchmark.errors import BenchError
from benchmark.protocol.targets import class_of
from benchmark.protocol.task import CorpusUse, Task
from benchmark.types import Utterance

LISTED_PROBLEMS = 20
SAME_COUNTS = "the same counts"


@dataclass(frozen=True)
class Members:
    """The utterances of one corpus that a task uses.

    Attributes:
        utterances: Sorted by id.
        labels: Class of each utterance id; empty for regression.
        auxiliary: Auxiliary class of each utterance id, or None; empty where the task has none.
        left_out: How many utterances of the corpus the protocol leaves out, by reason.
    """

    utterances: list[Utterance]
    labels: dict[str, str]
    auxiliary: dict[str, str | None]
    left_out: Counter[str]


def choose(task: Task, part: CorpusUse, scanned: Sequence[Utterance]) -> Members:
    """Apply what a protocol says of one of its corpora.

    Args:
        task: The protocol.
        part: What it says of this corpus.
        scanned: All utterances of the corpus.

    Raises:
        BenchError: A filter names a field that an utterance does not have, a label is in no label map, or a dimension
            is no number.
    """
    kept, left_out = _filtered(task, part, join_speakers(part, scanned))
    left_out += Counter(part.exclude[u.id] for u in kept if u.id in part.exclude)
    kept = [utterance for utterance in kept if utterance.id not in part.exclude]
    classes = task.targets.classes(task, part, kept)
    left_out += Counter(
        f"label {label}" if (label := u.labels.get(task.label)) is not None else "no label"
        for u in kept
        if u.id in classes and classes[u.id] is None
    )
    labels = {name: target for name, target in classes.items() if target is not None}
    kept = [utterance for utterance in kept if utterance.id in labels or utterance.id not in classes]
    auxiliary: dict[str, str | None] = {}
    if task.auxiliary is not None:
        rule = task.auxiliary
        auxiliary = {u.id: class_of(u, rule.label, rule.label_map, f"{task.name} (auxiliary)") for u in kept}
    return Members(kept, labels, auxiliary, left_out)


def join_speakers(part: CorpusUse, utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances with one name for the speakers that the protocol counts as one."""
    first = {name: names[0] for names in part.same_speaker for name in names}
    return [replace(u, speaker=first[u.speaker]) if u.speaker in first else u for u in utterances]


def _filtered(task: Task, part: CorpusUse, utterances: Sequence[Utterance]) -> tuple[list[Utterance], Counter[str]]:
    kept, left_out = list(utterances), Counter[str]()
    for name, accepted in part.filter.items():

        def value(utterance: Utterance, name: str = name) -> str | None:
            is_field = hasattr(utterance, name) and name not in ("labels", "extra")
            if not is_field and name not in utterance.extra:
                raise BenchError(
                    f"task {task.name} filters by {name!r}, which utterance {utterance.id!r} does not have"
                )
            found = getattr(utterance, name) if is_field else utterance.extra[name]
            return None if found is None else str(found)

        before = len(kept)
        kept = [utterance for utterance in kept if value(utterance) in accepted]
        named = " or ".join("unknown" if one is None else one for one in accepted)
        left_out[f"{name} is not {named}"] += before - len(kept)
    return kept, +left_out


def differences(
    part: CorpusUse, corpus: Corpus, members: Members, scanned: Sequence[Utterance], index_sha256: str
) -> list[str]:
    """What is not as the protocol expects it, in words; nothing where all is.

    Where the protocol expects no number, since none is published for its classes, the corpus's own counts are asked.

    Args:
        part: What is expected.
        corpus: The scanner, which may know how much there should be.
        members: What the task uses.
        scanned: All that is there.
        index_sha256: Digest of what the task uses.
    """
    expect, used = part.expect, members.utterances
    speakers = {utterance.speaker for utterance in used if utterance.speaker is not None}
    counts = Counter(members.labels.values())
    found = _not_there(part, scanned)
    if expect.utterances is None:
        there = Counter(corpus.part_of(utterance) for utterance in scanned)
        for name in sorted({corpus.part_of(utterance) for utterance in used} & set(corpus.counts)):
            if there[name] != (whole := corpus.counts[name].utterances):
                found.append(f"{there[name]} utterances of the corpus instead of {whole}")
    elif expect.utterances != len(used):
        found.append(f"{len(used)} utterances instead of {expect.utterances}")
    if expect.speakers not in (None, len(speakers)):
        found.append(f"{len(speakers)} speakers instead of {expect.speakers}")
    for label, number in expect.per_class.items():
        if counts[label] != number:
            found.append(f"{counts[label]} {label} instead of {number}")
    if not found and expect.index_sha256 not in (None, index_sha256):
        found.append(f"{SAME_COUNTS} but another index ({index_sha256[:12]} instead of {expect.index_sha256:.12})")
    return found


def _not_there(part: CorpusUse, scanned: Sequence[Utterance]) -> list[str]:
    """What the protocol names and the corpus does not have."""
    speakers, ids = {utterance.speaker for utterance in scanned}, {utterance.id for utterance in scanned}
    joined = [name for names in part.same_speaker for name in names if name not in speakers]
    excluded = [name for name in part.exclude if name not in ids]
    return [
        *(f"no speaker {name!r}, whom same_speaker names" for name in joined),
        *(f"no utterance {name!r}, which exclude names" for name in excluded),
    ]


def not_as_expected(task: Task, corpus: Corpus, found: Sequence[str], scanned: Sequence[Utterance]) -> BenchError:
    """The error for a corpus that is not what a task expects.

    Args:
        task: The task.
        corpus: The scanner, which may know what is missing.
        found: The differences.
        scanned: All that is there.
    """
    gaps = corpus.gaps(scanned)
    named = f": {'; '.join(gaps[:LISTED_PROBLEMS])}" if gaps else ""
    partial = "--allow-partial to try it on what is here, off the leaderboard"
    there = Counter(corpus.part_of(utterance) for utterance in scanned)
    is_whole = all(whole.utterances in (None, there[name]) for name, whole in corpus.counts.items())
    # Where all is here, or nobody can know, the protocol is as likely to be wrong, unless it asks for other labels.
    if is_whole and not gaps and not (corpus.counts and found[0].startswith(SAME_COUNTS)):
        hint = f"if the corpus is whole, correct expect in the YAML of the task; or {partial}"
    else:
        hint = f"{corpus.how_to_get}; or {partial}"
    return BenchError(
        f"the corpus {corpus.name!r} is not what the task {task.name!r} expects: {', '.join(found)}{named}", hint
    )
