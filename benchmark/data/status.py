"""Which corpora this machine holds, and whether they are whole: against their counts, and by listening to all of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmark.base import Corpus
from benchmark.data.listening import Heard, hear, remarks_of
from benchmark.data.published import not_as_published
from benchmark.data.scanning import scan_corpus
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings
from benchmark.text import count
from benchmark.types import CorpusCounts, Utterance

PartState = Literal["complete", "incomplete", "not as counted", "unknown", "not here"]
State = Literal[
    "complete",
    "complete in part",
    "incomplete",
    "not as counted",
    "unknown",
    "refused",
    "made when needed",
    "not here",
]
WRONG: tuple[State, ...] = ("incomplete", "not as counted")  # of a part too


@dataclass(frozen=True)
class PartCount:
    """One part or release of a corpus: what is here of it, and what there should be.

    Attributes:
        name: The part, a key of `Corpus.counts`; "all" where a corpus has only one.
        state: "complete"; "incomplete" where there is less than there should be; "not as counted" where there is more
            of something, or something else; "unknown" where nobody says how much there should be; "not here" where
            there is none of it.
        utterances: Utterances here.
        utterances_expected: Utterances of the whole part; None where that is not known.
        speakers: Different speakers here, as far as they are named.
        speakers_expected: Speakers of the whole part; None where that is not known.
        differences: What is not as it should be, in words.
    """

    name: str
    state: PartState
    utterances: int
    utterances_expected: int | None
    speakers: int
    speakers_expected: int | None
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Holding:
    """A corpus on this machine.

    Attributes:
        corpus: Its name.
        state: "complete"; "complete in part" where the parts that are here are whole and others are not here, such as
            speech without song; "incomplete"; "not as counted" where a part has more of something than there should
            be, or something else; "unknown" where nobody says how much there should be; "refused" where the
            scanner does not accept the folder; "made when needed"; "not here".
        folder: Where it is.
        parts: Its parts, in the order of `Corpus.counts`.
        gaps: Which utterances are missing or surplus, where the corpus can tell.
        reason: Why it is refused or not here.
        licence: Licence of the audio.
        downloadable: Whether `bench data get` can get it.
    """

    corpus: str
    state: State
    folder: str | None
    parts: tuple[PartCount, ...]
    gaps: tuple[str, ...]
    reason: str
    licence: str
    downloadable: bool


@dataclass(frozen=True)
class Inspection:
    """What listening to every recording of a corpus told.

    Attributes:
        holding: The counts.
        utterances: What the scanner read.
        heard: Digest and duration of each usable utterance, by id.
        unusable: What is wrong with each other one, by id.
        published_broken: Of what cannot be used, what was published so, by id: no reason to get the corpus again.
        not_as_published: What shows that the recordings are not the published ones, in words.
        identical: Groups of utterances whose samples are identical, by id.
        shared: Those of the groups that are under more than one speaker's name.
        remarks: What else a reader should know of the recordings, in words.
    """

    holding: Holding
    utterances: tuple[Utterance, ...]
    heard: Mapping[str, Heard]
    unusable: Mapping[str, str]
    published_broken: Mapping[str, str]
    not_as_published: tuple[str, ...]
    identical: tuple[tuple[str, ...], ...]
    shared: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]


def count_parts(
    corpus: Corpus, utterances: Sequence[Utterance], absent: Collection[str] = frozenset()
) -> list[PartCount]:
    """The parts of a corpus: what is here and what there should be.

    Releases replace each other: where the parts are releases, only the one that is here is told of.

    Args:
        corpus: The scanner.
        utterances: What it read.
        absent: Ids of those whose recordings are not here.
    """
    by_part: dict[str, list[Utterance]] = {name: [] for name in corpus.counts}
    for utterance in utterances:
        by_part.setdefault(corpus.part_of(utterance), []).append(utterance)
    if utterances and all(utterance.extra.get("release") == corpus.part_of(utterance) for utterance in utterances):
        by_part = {name: here for name, here in by_part.items() if here}
    return [_part(name, here, corpus.counts.get(name), absent) for name, here in by_part.items()]


def _part(
    name: str, listed: Sequence[Utterance], whole: CorpusCounts | None, absent: Collection[str] = frozenset()
) -> PartCount:
    lacking = sum(utterance.id in absent for utterance in listed)
    if lacking:  # what the lists say is judged, and that it is not all here
        told = f"{lacking} of {count(len(listed), 'listed recording')} not here"
        part = _part(name, listed, whole)
        state: PartState = "not as counted" if part.state == "not as counted" else "incomplete"
        here = part.utterances - lacking
        return replace(part, state=state, utterances=here, differences=(told, *part.differences))
    speakers = len({utterance.speaker for utterance in listed if utterance.speaker is not None})
    if whole is None:
        return PartCount(name, "unknown", len(listed), None, speakers, None, ())
    if not listed:
        return PartCount(name, "not here", 0, whole.utterances, 0, whole.speakers, ())
    compared = [(count(len(listed), "utterance"), len(listed), whole.utterances)]
    if whole.speakers is not None:
        compared.append((count(speakers, "speaker"), speakers, whole.speakers))
    found = Counter(str(utterance.labels.get("emotion", "without an emotion")) for utterance in listed)
    if whole.per_class:
        for label in [*whole.per_class, *sorted(set(found) - set(whole.per_class))]:
            compared.append((f"{found[label]} {label}", found[label], whole.per_class.get(label, 0)))
    state = "complete"
    if any(number > expected for _, number, expected in compared):
        state = "not as counted"
    elif any(number < expected for _, number, expected in compared):
        state = "incomplete"
    differences = tuple(f"{what} instead of {expected}" for what, number, expected in compared if number != expected)
    return PartCount(name, state, len(listed), whole.utterances, speakers, whole.speakers, differences)


def in_words(part: PartCount) -> str:
    """A part that is not whole, in words."""
    what = ", ".join(part.differences) or "nothing of it is here"
    return what if part.name == "all" else f"{part.name}: {what}"


def look(corpus: Corpus, settings: Settings) -> Holding:
    """Find a corpus and count what there is of it; nothing is decoded, made or changed.

    A folder that the scanner refuses is a finding, not an error.
    """
    try:
        folder = settings.find_data(corpus.name)
    except MissingError as error:
        return _without_parts(corpus, "not here", None, str(error))
    if folder is None:
        is_made = type(corpus).prepare is not Corpus.prepare
        return _without_parts(corpus, "made when needed" if is_made else "not here", None, "")
    try:
        return held(corpus, folder, scan_corpus(corpus, folder))
    except BenchError as error:
        return _without_parts(corpus, "refused", folder, str(error))


def _without_parts(corpus: Corpus, state: State, folder: Path | None, reason: str) -> Holding:
    where = None if folder is None else str(folder)
    return Holding(corpus.name, state, where, (), (), reason, corpus.licence, bool(corpus.downloads))


def held(corpus: Corpus, folder: Path, utterances: Sequence[Utterance]) -> Holding:
    """Judge what a scanner read in a folder; recordings that only a list names are not there."""
    absent = {u.id for u in utterances if u.id not in corpus.published_broken and not (folder / u.file).is_file()}
    parts, gaps = count_parts(corpus, utterances, absent), corpus.gaps(utterances)
    states = {part.state for part in parts}
    # Where a whole part was left away, gaps tell of that, and say nothing of the others.
    has_gaps = bool(gaps) and "not here" not in states
    state: State = "complete"
    # Gaps of a corpus whose counts are right: something is missing, and something else is there instead.
    if "not as counted" in states or (has_gaps and states == {"complete"}):
        state = "not as counted"
    elif "incomplete" in states or has_gaps or not utterances:
        state = "incomplete"
    elif "unknown" in states:
        state = "unknown"
    elif "not here" in states:
        state = "complete in part"
    return Holding(
        corpus.name, state, str(folder), tuple(parts), tuple(gaps), "", corpus.licence, bool(corpus.downloads)
    )


def inspect(
    corpus: Corpus,
    folder: Path,
    utterances: Sequence[Utterance],
    settings: Settings,
    advance: Callable[[int], None],
) -> Inspection:
    """Decode every recording of a corpus.

    Args:
        corpus: The scanner.
        folder: Where it is.
        utterances: What the scanner read there.
        settings: Where the cache is; digests of unchanged files are remembered there.
        advance: Called with the number of utterances just finished.
    """
    heard, unusable = hear(folder, utterances, None, settings, advance)
    broken = {name: why for name, why in corpus.published_broken.items() if unusable.pop(name, None) is not None}
    groups: dict[str, list[str]] = defaultdict(list)
    for name, found in heard.items():
        groups[found.sha256].append(name)
    identical = sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)
    speaker = {utterance.id: utterance.speaker for utterance in utterances}
    shared = [group for group in identical if len({speaker[name] for name in group}) > 1]
    return Inspection(
        held(corpus, folder, utterances),
        tuple(utterances),
        heard,
        unusable,
        broken,
        tuple(not_as_published(corpus, utterances, heard)),
        tuple(identical),
        tuple(shared),
        tuple(remarks_of({utterance.id: utterance.file for utterance in utterances}, heard)),
    )
