"""Digest indexes: what two labs exchange to find out whether they hold the same corpus, without sharing any of it.

JSON lines. The first is about the corpus; each further one is an utterance: its id, the sha256 of its decoded samples
and its duration. There is no audio and no list of labels or speakers: those are under one digest of the whole corpus,
as a digest for each utterance could be guessed. But ids are the corpus's own file names, and in some corpora these
tell label and speaker. The same corpus gives the same bytes, in whatever order and folders its files lie.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from benchmark.data.listening import Heard, audio_digest
from benchmark.data.scanning import index_digest
from benchmark.data.status import Inspection
from benchmark.errors import BenchError, UsageError
from benchmark.io.files import canonical_json
from benchmark.io.yamls import Closed, validate
from benchmark.text import count

FORMAT = 1
DIGITS = 6  # of durations
SHA256 = Field(pattern=r"^[0-9a-f]{64}$")


class PartHeader(Closed):
    """How much of one part of the corpus there is."""

    utterances: int
    speakers: int


class Header(Closed):
    """The first line.

    Attributes:
        format: Of the file.
        corpus: Its name.
        parts: Its parts or releases.
        utterances: The number of lines that follow.
        seconds: Duration of all of it.
        audio_sha256: Digest of all ids with the digests of their samples.
        index_sha256: Digest of what the scanner read: ids, times, speakers, sessions, labels and splits.
    """

    format: int
    corpus: str
    parts: dict[str, PartHeader]
    utterances: int
    seconds: float
    audio_sha256: str = SHA256
    index_sha256: str = SHA256


class IndexLine(Closed):
    """One utterance."""

    id: str
    sha256: str = SHA256
    seconds: float = Field(ge=0)


@dataclass(frozen=True)
class DigestIndex:
    """A corpus, told by digests.

    Attributes:
        header: About all of it.
        heard: Digest of the samples and duration of each utterance, by id.
    """

    header: Header
    heard: Mapping[str, Heard]

    def encoded(self) -> bytes:
        """The file: the header, then the utterances sorted by id."""
        lines = [self.header, *(_line(name, self.heard[name]) for name in sorted(self.heard))]
        return b"".join(canonical_json(line.model_dump()) + b"\n" for line in lines)


def _line(name: str, found: Heard) -> IndexLine:
    return IndexLine(id=name, sha256=found.sha256, seconds=round(found.duration, DIGITS))


def make_index(inspection: Inspection) -> DigestIndex:
    """The digest index of a corpus.

    Raises:
        BenchError: A recording is unusable, so that it has no digest.
    """
    holding, unusable = inspection.holding, inspection.unusable
    if unusable:
        whole = count(len(inspection.utterances), "utterance")
        raise BenchError(
            f"{len(unusable)} of {whole} of {holding.corpus!r} cannot be used: "
            f"{next(iter(unusable.values()))}{', ...' if len(unusable) > 1 else ''}",
            f"bench data verify {holding.corpus} names all; an index is made of whole corpora only",
        )
    seconds = sum(round(inspection.heard[name].duration, DIGITS) for name in sorted(inspection.heard))
    parts = {
        part.name: PartHeader(utterances=part.utterances, speakers=part.speakers)
        for part in holding.parts
        if part.utterances
    }
    header = Header(
        format=FORMAT,
        corpus=holding.corpus,
        parts=parts,
        utterances=len(inspection.heard),
        seconds=round(seconds, DIGITS),
        audio_sha256=audio_digest(inspection.heard),
        index_sha256=index_digest(inspection.utterances),
    )
    return DigestIndex(header, inspection.heard)


def read_index(path: Path) -> DigestIndex:
    """Read a digest index that somebody wrote.

    Raises:
        UsageError: It cannot be read, is no digest index, or does not agree with itself.
    """
    try:
        # Not splitlines: an id may hold a line separator of Unicode, which JSON leaves as it is.
        lines_read = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        first, *rest = [json.loads(line) for line in lines_read]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no digest index", "bench data index NAME --out FILE writes one") from error
    if isinstance(first, dict) and first.get("format") != FORMAT:
        raise UsageError(f"{path} has the format {first.get('format')!r}", f"this version reads format {FORMAT}")
    header = validate(Header, first, f"{path}, line 1")
    lines = [validate(IndexLine, line, f"{path}, line {number}") for number, line in enumerate(rest, start=2)]
    heard = {line.id: Heard(line.sha256, line.seconds) for line in lines}
    if len(heard) != len(lines) or len(lines) != header.utterances or audio_digest(heard) != header.audio_sha256:
        raise UsageError(
            f"{path} does not agree with itself: {count(len(lines), 'utterance')}, "
            f"its first line tells of {header.utterances}"
            if len(lines) != header.utterances
            else f"{path} does not agree with itself: its lines are not those of its total digest",
            "it was cut off or changed; get it again",
        )
    return DigestIndex(header, heard)


def differences(here: DigestIndex, there: DigestIndex) -> dict[str, list[str]]:
    """How two indexes differ: findings, each with the ids that it concerns (none where it concerns all).

    That they are of other corpora is the only finding then.
    """
    if here.header.corpus != there.header.corpus:
        return {f"other corpora: {here.header.corpus!r} here, {there.header.corpus!r} there": []}
    found: dict[str, list[str]] = {}
    only_here, only_there = (sorted(set(a.heard) - set(b.heard)) for a, b in ((here, there), (there, here)))
    both = sorted(set(here.heard) & set(there.heard))
    other = [name for name in both if here.heard[name].sha256 != there.heard[name].sha256]
    longer = [name for name in other if abs(here.heard[name].duration - there.heard[name].duration) >= 10**-DIGITS]
    for what, names in (
        ("only here", only_here),
        ("only there", only_there),
        ("other samples, and another duration", longer),
        ("other samples of the same duration", sorted(set(other) - set(longer))),
    ):
        if names:
            found[f"{what}: {count(len(names), 'utterance')}"] = names
    if not only_here and not only_there and here.header.index_sha256 != there.header.index_sha256:
        found["the same ids with other labels, speakers or times"] = []
    return found
