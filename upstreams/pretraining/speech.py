"""The recordings of a pre-training: corpora of the registry and folders of audio, listed, heard once, and read."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Corpus
from benchmark.data.audio import decode
from benchmark.data.listening import audio_digest, hear
from benchmark.data.scanning import index_digest, open_corpus, scan_corpus
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import files_below
from benchmark.io.settings import Settings
from benchmark.progress import Progress
from benchmark.text import count
from benchmark.types import Utterance
from upstreams.pretraining.dealing import Drawn, MicroBatch, generator
from upstreams.pretraining.recipe import RATE, Audio, PretrainingRecipe

SOUND = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".sph")  # what a folder of audio is looked for
NAMED = 3  # problems that an error names
EPSILON = 1e-5  # of the normalisation of a waveform
READERS = 2  # threads that decode

# A micro-batch, its waveforms (B, n), and the generator that goes on to draw its masks.
Read = tuple[MicroBatch, NDArray[np.float32], np.random.Generator]


@dataclass(frozen=True)
class Source:
    """Where speech comes from.

    Attributes:
        name: Of the corpus, or of the folder, without its path.
        corpus: Its scanner; None for a folder of audio.
        folder: The folder of audio; None for a corpus, which the settings place.
    """

    name: str
    corpus: Corpus | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class Recording:
    """One recording that is heard in training."""

    root: Path
    utterance: Utterance
    duration: float  # s


@dataclass
class Speech:
    """All recordings.

    Attributes:
        recordings: In the order of the sources and of their scanners.
        about: What each source gave, as plain values.
        notes: What a reader should know.
    """

    recordings: list[Recording] = field(default_factory=list)
    about: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def hours(self) -> float:
        """Of all recordings."""
        return sum(one.duration for one in self.recordings) / 3600

    @property
    def corpora(self) -> list[str]:
        """The corpora of the registry among the sources."""
        return [about["corpus"] for about in self.about if "corpus" in about]


def gather(sources: Sequence[Source], recipe: Audio, settings: Settings, progress: Progress) -> Speech:
    """List and hear all recordings.

    Args:
        sources: Each once.
        recipe: What is left out.
        settings: Where corpora and the cache are.
        progress: Told what is heard.

    Raises:
        BenchError: A recording cannot be used, or there is none.
        MissingError: A corpus or a folder is not here.
    """
    speech = Speech()
    for source in sources:
        root, utterances = _listed(source, settings)
        chosen = _of_splits(source, utterances, recipe.splits, speech.notes)
        with progress.stage(f"hearing {source.name}", len(chosen)) as advance:
            heard, unusable = hear(root, chosen, None, settings, advance)
        published = {} if source.corpus is None else source.corpus.published_broken
        _refuse(source, len(chosen), {name: why for name, why in unusable.items() if name not in published})
        if unusable:
            speech.notes.append(f"{source.name}: {count(len(unusable), 'recording')} published broken, left out")
        long = [one for one in chosen if one.id in heard and heard[one.id].duration >= recipe.shortest]
        if len(long) < len(heard):
            short = count(len(heard) - len(long), "recording")
            speech.notes.append(f"{source.name}: {short} of less than {recipe.shortest:g} s left out (audio.shortest)")
        speech.recordings += [Recording(root, one, heard[one.id].duration) for one in long]
        speech.about.append(
            {
                ("folder" if source.corpus is None else "corpus"): source.name,
                "index_sha256": index_digest(long),
                "audio_sha256": audio_digest({one.id: heard[one.id] for one in long}),
                "recordings": len(long),
                "left_out": len(utterances) - len(long),
                "hours": round(sum(heard[one.id].duration for one in long) / 3600, 4),
            }
        )
    if not speech.recordings:
        raise BenchError("there is no recording to learn from", "give other --data, or --set audio.shortest=SECONDS")
    return speech


def _listed(source: Source, settings: Settings) -> tuple[Path, list[Utterance]]:
    if source.corpus is not None:
        root = open_corpus(source.corpus, settings)
        return root, scan_corpus(source.corpus, root)
    root = source.folder or Path()
    if not root.is_dir():
        raise MissingError(f"the folder of audio {root} is not here", "--audio FOLDER")
    found = sorted(path.relative_to(root).as_posix() for path in files_below(root) if path.suffix.lower() in SOUND)
    if not found:
        raise BenchError(f"{root} holds no audio", f"it is looked for by its suffix: {', '.join(SOUND)}")
    return root, [Utterance(name, name) for name in found]


def _of_splits(
    source: Source, utterances: Sequence[Utterance], splits: Sequence[str] | None, notes: list[str]
) -> list[Utterance]:
    if splits is None:
        return list(utterances)
    known = {one.split for one in utterances} - {None}
    if not known:
        notes.append(f"{source.name} has no splits of its own: all of it is heard")
        return list(utterances)
    return [one for one in utterances if one.split in splits]


def _refuse(source: Source, listed: int, unusable: Mapping[str, str]) -> None:
    if unusable:
        shown = "; ".join(list(unusable.values())[:NAMED])
        more = f"; and {len(unusable) - NAMED} more" if len(unusable) > NAMED else ""
        raise BenchError(
            f"{len(unusable)} of {count(listed, 'recording')} of {source.name!r} are unusable: {shown}{more}",
            "nothing is dropped: repair or remove the files",
        )


class Reader:
    """Reads micro-batches, the next one while one is worked on.

    Args:
        recordings: All of them.
        recipe: Lengths and the seed.
        cache: Keeps the sound of video files.
    """

    def __init__(self, recordings: Sequence[Recording], recipe: PretrainingRecipe, cache: Path) -> None:
        self._recordings = recordings
        self._recipe = recipe
        self._cache = cache

    def read(self, micro_batches: Iterable[MicroBatch]) -> Generator[Read, None, None]:
        """Each micro-batch.

        Raises:
            BenchError: A recording cannot be read any more.
        """
        with ThreadPoolExecutor(READERS) as readers, ThreadPoolExecutor(1) as ahead:
            waiting = None
            for micro_batch in micro_batches:
                following = ahead.submit(self._read, micro_batch, readers)
                if waiting is not None:
                    yield waiting.result()
                waiting = following
            if waiting is not None:
                yield waiting.result()

    def _read(self, micro_batch: MicroBatch, readers: ThreadPoolExecutor) -> Read:
        random = generator(self._recipe.seed, Drawn.MICRO_BATCH, micro_batch.number)
        waves = list(readers.map(self._wave, micro_batch.recordings))
        size = min(round(self._recipe.audio.longest * RATE), *(len(wave) for wave in waves))
        begins = [int(random.integers(0, len(wave) - size + 1)) for wave in waves]
        cut = [wave[begin : begin + size] for wave, begin in zip(waves, begins, strict=True)]
        return micro_batch, np.stack(cut), random

    def _wave(self, place: int) -> NDArray[np.float32]:
        """One recording at the model's rate, to zero mean and unit variance: (n,) float32."""
        one = self._recordings[place]
        return normalised(decode(one.root, one.utterance, None, self._cache).at(RATE))


def normalised(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """A waveform (n,) to zero mean and unit variance: `normalize: true` of the template."""
    wide = wave.astype(np.float64)
    return np.asarray((wide - wide.mean()) / np.sqrt(wide.var() + EPSILON), np.float32)
