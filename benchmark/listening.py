"""Listening to a whole corpus before anything is encoded: every problem is found at once, every digest remembered."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmark.audio import AudioError, decode
from benchmark.dataset import LISTED_PROBLEMS, Dataset
from benchmark.errors import BenchError
from benchmark.files import canonical_json, digest, write_atomically
from benchmark.settings import Settings
from benchmark.types import Utterance

log = logging.getLogger(__name__)

AUDIO_INDEX_FORMAT = 1


@dataclass(frozen=True)
class Heard:
    """What decoding told of an utterance: digest of its samples and duration [s]."""

    sha256: str
    duration: float


def listen(
    dataset: Dataset, settings: Settings, min_durations: Mapping[str, float], advance: Callable[[int], None]
) -> dict[str, Heard]:
    """Decode every utterance of a task once, so that every problem is known before anything is encoded.

    Digests are remembered by file size and time of change; an unchanged file is not decoded again.

    Args:
        dataset: The task's utterances.
        settings: Where the cache is.
        min_durations: Shortest duration that each upstream accepts [s].
        advance: Called with the number of utterances just finished.

    Returns:
        For each utterance id its digest and duration.

    Raises:
        BenchError: Files are missing, unreadable, empty, silent, hold NaN, or are too short; all of them are named.
    """
    path = settings.cache / "audio" / f"{digest(str(dataset.root.resolve()))[:16]}.json"
    known = _read_audio_index(path)
    limit = dataset.task.audio.max_duration
    problems: list[str] = []

    def hear(utterance: Utterance) -> tuple[str, list[object]] | AudioError:
        file = dataset.root / utterance.file
        key = f"{utterance.file}|{utterance.start}|{utterance.end}|{limit}"
        try:
            state = file.stat()
        except OSError:
            return AudioError(f"{utterance.file}: the file is missing")
        stamp = [state.st_size, state.st_mtime_ns]
        if key in known and known[key][:2] == stamp:
            return key, known[key]
        try:
            wave = decode(dataset.root, utterance, limit)
        except AudioError as error:
            return error
        return key, [*stamp, wave.sha256, wave.duration]

    heard, entries = {}, dict(known)
    with ThreadPoolExecutor() as pool:
        for utterance, result in zip(dataset.utterances, pool.map(hear, dataset.utterances), strict=True):
            advance(1)
            if isinstance(result, AudioError):
                problems.append(result.message)
                continue
            key, entry = result
            entries[key] = entry
            heard[utterance.id] = Heard(str(entry[2]), float(str(entry[3])))
            for upstream, shortest in min_durations.items():
                if heard[utterance.id].duration < shortest:
                    problems.append(
                        f"{utterance.file}: {heard[utterance.id].duration:.3f} s is too short for the upstream "
                        f"{upstream!r}, which needs {shortest:.3f} s"
                    )
    if entries != known:
        write_atomically(path, canonical_json({"format": AUDIO_INDEX_FORMAT, "entries": entries}))
    if problems:
        shown = "; ".join(problems[:LISTED_PROBLEMS])
        more = f"; and {len(problems) - LISTED_PROBLEMS} more" if len(problems) > LISTED_PROBLEMS else ""
        raise BenchError(
            f"{len(problems)} of {len(dataset.utterances)} utterances of {dataset.corpus.name!r} are unusable: "
            f"{shown}{more}",
            "nothing is dropped: repair or replace the files",
        )
    return heard


def _read_audio_index(path: Path) -> dict[str, list[object]]:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] == AUDIO_INDEX_FORMAT and isinstance(content["entries"], dict):
            return dict(content["entries"])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        log.warning("the audio index %s is damaged; every file is decoded again", path.name)
    return {}


def audio_digest(heard: Mapping[str, Heard]) -> str:
    """Digest of the decoded audio of a whole task."""
    return digest({name: found.sha256 for name, found in heard.items()})
