"""A folder of alignments: the file or the lines of each utterance, by its id."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.alignments.ctm import read_ctm
from benchmark.alignments.phones import COMMON_VOWELS, NONE, PhoneClasses
from benchmark.alignments.segments import Segment
from benchmark.alignments.text_grid import read_text_grid
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import digest, files_below
from benchmark.text import count, join, some
from benchmark.types import Utterance

TEXT_GRID, CTM = ".textgrid", ".ctm"
# Larger files are of something else [bytes]: a phone takes about a hundred.
LARGEST = {TEXT_GRID: 16 << 20, CTM: 256 << 20}
# How far an alignment may go on after its recording has ended [s]: aligners count whole frames.
TOLERANCE = 0.1
NAMED = 3
FEWEST_VOWELS = 2  # one cannot be told from another


@dataclass(frozen=True)
class Alignments:
    """The alignments of some utterances.

    Attributes:
        segments: Those of each utterance, in the order of time.
        classes: How the labels of each corpus are read.
        corpus_of: Of each utterance.
    """

    segments: Mapping[str, tuple[Segment, ...]]
    classes: Mapping[str, PhoneClasses]
    corpus_of: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Digest of what is said of every utterance; not of the files."""
        content = {
            name: [[one.start, one.end, one.label] for one in found] for name, found in sorted(self.segments.items())
        }
        return digest(content)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of them: the alphabet of each corpus, and labels that are no phone of it."""
        found = []
        for corpus, classes in self.classes.items():
            labels = [f"{label!r:.30} ({times} times)" for label, times in classes.unknown.items()]
            strange = f"; no phones of it, and passed over: {some(labels, NAMED)}" if labels else ""
            found.append(f"phones of {corpus} are read as {classes.alphabet}{strange}")
        return tuple(found)

    @property
    def common(self) -> tuple[str, ...]:
        """Those of the common vowels that every corpus has."""
        spoken = {corpus: set[int]() for corpus in self.classes}
        for name, segments in self.segments.items():
            phones = self.classes[self.corpus_of[name]].phones
            spoken[self.corpus_of[name]] |= {phones[one.label].vowel for one in segments}
        return tuple(name for place, name in enumerate(COMMON_VOWELS) if all(place in one for one in spoken.values()))

    def vowels(self, name: str, frame_rate: float) -> NDArray[np.int64]:
        """Which common vowel is spoken in each frame of an utterance: (F,), `NONE` for none.

        Args:
            name: Its id.
            frame_rate: Frames a second [Hz].

        Returns:
            F is the number of frames up to the end of the alignment, which may be less or more than those of features.
        """
        phones = self.classes[self.corpus_of[name]].phones
        return self._frames(name, frame_rate, {label: phone.vowel for label, phone in phones.items()})

    def kinds(self, name: str, frame_rate: float, kinds: Sequence[str]) -> NDArray[np.int64]:
        """Which kind of phone is spoken in each frame of an utterance, as an index into `kinds`; else as `vowels`."""
        phones = self.classes[self.corpus_of[name]].phones
        places = {kind: place for place, kind in enumerate(kinds)}
        return self._frames(name, frame_rate, {label: places.get(one.kind, NONE) for label, one in phones.items()})

    def _frames(self, name: str, frame_rate: float, value_of: Mapping[str, int]) -> NDArray[np.int64]:
        """A frame is of the phone in which its middle lies."""
        spoken = self.segments[name]
        frames = np.full(round(spoken[-1].end * frame_rate) if spoken else 0, NONE, dtype=np.int64)
        for one in spoken:
            first, last = (max(0, int(np.ceil(time * frame_rate - 0.5))) for time in (one.start, one.end))
            frames[first:last] = value_of[one.label]
        return frames


def load_alignments(
    folder: Path, utterances: Mapping[str, Sequence[Utterance]], durations: Mapping[str, float]
) -> Alignments:
    """Read the alignments of some utterances.

    An utterance is looked for by its id, and by the path of its file where that is of it alone: as PATH.TextGrid below
    the folder, below a folder with the name of its corpus too; or by its id in any *.ctm.

    Args:
        folder: Theirs.
        utterances: Those of each corpus; where ids begin with the corpus and a colon, that is left out.
        durations: Of recordings by id [s], as far as they are known: alignments of other recordings are refused.

    Raises:
        MissingError: There is no such folder, or an utterance has no alignment.
        BenchError: A file cannot be read; two are of one utterance, or one of two; an alignment is longer than its
            recording; or the corpora share fewer than two common vowels.
    """
    if not folder.is_dir():
        raise MissingError(f"the folder {folder} given for phone alignments is none", "--phones FOLDER")
    grids, spoken = _found(folder)
    segments: dict[str, tuple[Segment, ...]] = {}
    classes, corpus_of = {}, {}
    lacking, taken = defaultdict[str, list[str]](list), dict[str, str]()
    for corpus, own in utterances.items():
        for utterance in own:
            alignment = _of_utterance(corpus, utterance, grids, spoken)
            if alignment is None:
                lacking[corpus].append(utterance.id)
                continue
            where, found = alignment
            first = taken.setdefault(where, utterance.id)
            if first != utterance.id:
                raise BenchError(
                    f"{where} is the alignment of {first!r} and of {utterance.id!r}",
                    "put those of each corpus into a folder with its name",
                )
            _check_length(utterance.id, found, durations)
            segments[utterance.id], corpus_of[utterance.id] = found, corpus
        classes[corpus] = PhoneClasses.of(one.label for u in own for one in segments.get(u.id, ()))
    for corpus, names in lacking.items():
        shown = some([repr(name) for name in names], NAMED)
        raise MissingError(
            f"{len(names)} of {count(len(utterances[corpus]), 'utterance')} of {corpus} have no phone alignment in "
            f"{folder}: {shown}",
            "each needs ID.TextGrid with a tier named phones, or lines of a .ctm; in a folder with the name of its "
            "corpus where there are several",
        )
    made = Alignments(segments, classes, corpus_of)
    if len(made.common) < FEWEST_VOWELS:
        raise BenchError(
            f"the alignments of {join(list(utterances))} share {len(made.common)} of the vowels "
            f"{' '.join(COMMON_VOWELS)}; {'; '.join(made.remarks)}",
            "are they of phones? labels are ARPAbet, IPA or X-SAMPA",
        )
    return made


def _found(folder: Path) -> tuple[dict[str, Path], dict[str, list[tuple[Path, tuple[Segment, ...]]]]]:
    """TextGrids by their path without suffix, and what CTM files say of each name."""
    grids: dict[str, Path] = {}
    spoken = defaultdict[str, list[tuple[Path, tuple[Segment, ...]]]](list)
    for path in files_below(folder):
        suffix = path.suffix.lower()
        if suffix not in LARGEST:
            continue
        relative = path.relative_to(folder)
        if suffix == TEXT_GRID:
            key = unicodedata.normalize("NFC", relative.with_suffix("").as_posix())
            if key in grids:
                raise BenchError(f"{grids[key]} and {path} are alignments of one utterance", "keep one")
            grids[key] = path
        else:
            for name, found in read_ctm(_content(path), str(path)).items():
                spoken[unicodedata.normalize("NFC", name)].append((path, found))
    if not grids and not spoken:
        raise MissingError(f"there is no phone alignment in {folder}", "it holds *.TextGrid or *.ctm, also in folders")
    return grids, spoken


def _content(path: Path) -> bytes:
    try:
        size, most = path.stat().st_size, LARGEST[path.suffix.lower()]
        if size > most:
            raise BenchError(f"{path}: it has {size} bytes", f"an alignment has at most {most}")
        return path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path}: it cannot be read: {error.strerror or error}", "is it a file of yours?") from error


def _of_utterance(
    corpus: str,
    utterance: Utterance,
    grids: Mapping[str, Path],
    spoken: Mapping[str, Sequence[tuple[Path, tuple[Segment, ...]]]],
) -> tuple[str, tuple[Segment, ...]] | None:
    """Where the alignment of an utterance is, and the alignment; None where there is none."""
    names = list(_names(corpus, utterance))
    files = [grids[name] for name in names if name in grids]
    lines = [(f"{path}, {name!r:.60}", found) for name in names for path, found in spoken.get(name, ())]
    places = [*map(str, files), *(where for where, _ in lines)]
    if len(places) > 1:
        raise BenchError(
            f"{utterance.id!r} of {corpus} has {len(places)} alignments: {some(places, NAMED)}", "keep one"
        )
    if files:
        return places[0], read_text_grid(_content(files[0]), places[0])
    return lines[0] if lines else None


def _names(corpus: str, utterance: Utterance) -> Iterator[str]:
    """What the alignment of an utterance may be called, without suffix."""
    own = [utterance.id.removeprefix(f"{corpus}:")]
    if utterance.start is None and utterance.end is None:
        path = unicodedata.normalize("NFC", utterance.file).rpartition(".")[0]
        own.append(path)
    for name in dict.fromkeys(own):
        yield from (name, f"{corpus}/{name}")


def _check_length(name: str, found: Sequence[Segment], durations: Mapping[str, float]) -> None:
    end = max((one.end for one in found), default=0.0)
    if name in durations and end > durations[name] + TOLERANCE:
        raise BenchError(
            f"the alignment of {name!r} ends at {end:.2f} s, and the recording at {durations[name]:.2f} s",
            "is it of this recording? times count from the beginning of the utterance",
        )
