"""Listening to a whole corpus before anything is encoded: every problem is found at once, every digest remembered."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmark.base.code import code_sha256
from benchmark.data import audio
from benchmark.data.audio import AudioError, Wave, decode, file_status
from benchmark.data.sound import REMARKS
from benchmark.errors import BenchError
from benchmark.io.files import canonical_json, digest, write_atomically
from benchmark.io.packages import versions
from benchmark.io.settings import Settings
from benchmark.text import count, some
from benchmark.threads import available_cores
from benchmark.types import Utterance

log = logging.getLogger(__name__)

AUDIO_INDEX_FORMAT = 3
# Utterances that a thread takes at once: looking up one that is known takes less time than handing it over.
GROUP = 16
# What is measured alone before others join in: so many that are decoded, or so many that need not be.
MEASURED, LOOKED_UP = 4, 64
# Groups until it is measured again; fewer where nothing was there to be measured.
LONG, SHORT = 128, 16
# Of what a recording takes, what no other thread can do beside it, for the interpreter does one thing at a time [s].
HELD = 0.0003
# Threads beyond the cores, where they wait for files that are far away; and as many as there ever are.
MORE, MOST = 4, 32
# Size, time of change, and time of change of the entry in the file system, which no program can set back.
STAMP = ("st_size", "st_mtime_ns", "st_ctime_ns")

NAMED = 3  # recordings of a remark
Entries = dict[str, list[object]]  # by file, stretch and limit: the stamp, digest, duration [s], remarks
Hearing = tuple[str, list[object]] | AudioError  # of an utterance: an entry with its key, or what is wrong


@dataclass(frozen=True)
class Heard:
    """What decoding told of an utterance: digest of its samples, duration [s], rate [Hz] and keys of `REMARKS`."""

    sha256: str
    duration: float
    sample_rate: int | None = None
    remarks: tuple[str, ...] = ()

    @staticmethod
    def of(wave: Wave) -> Heard:
        """What a decoded utterance tells."""
        return Heard(wave.sha256, wave.duration, wave.sample_rate, wave.remarks)


def hear(
    root: Path,
    utterances: Sequence[Utterance],
    max_duration: float | None,
    settings: Settings,
    advance: Callable[[int], None],
) -> tuple[dict[str, Heard], dict[str, str]]:
    """Decode utterances of one corpus.

    Digests are remembered by file size and times of change; an unchanged file is not decoded again, unless what
    decodes it has changed.

    Args:
        root: Folder of the corpus.
        utterances: What to decode.
        max_duration: Hear at most this much of each from its start [s].
        settings: Where the cache is.
        advance: Called with the number of utterances just finished.

    Returns:
        For each usable utterance id its digest and duration; for each other one what is wrong.
    """
    path = settings.cache / "audio" / f"{digest(str(root.resolve()))[:16]}.json"
    decoder = _decoder()
    known = _read_audio_index(path, decoder)

    def decoded(utterance: Utterance) -> Hearing:
        key = f"{utterance.file}|{utterance.start}|{utterance.end}|{max_duration}"
        try:
            status = file_status(root, utterance)
            stamp = [getattr(status, name) for name in STAMP]
            if key in known and known[key][: len(stamp)] == stamp:
                return key, known[key]
            wave = decode(root, utterance, max_duration, settings.cache)
        except AudioError as error:
            return error
        except UnicodeEncodeError:  # libsndfile is told names in UTF-8
            return AudioError(f"{utterance.file}: its name, or that of its folder, is not UTF-8: rename it")
        return key, [*stamp, *asdict(Heard.of(wave)).values()]

    heard, entries = {}, dict(known)
    unusable: dict[str, str] = {}
    try:
        for group, results in _by_threads(decoded, utterances, known):
            advance(len(group))
            for utterance, result in zip(group, results, strict=True):
                if isinstance(result, AudioError):
                    unusable[utterance.id] = result.message
                    continue
                key, entry = result
                entries[key] = entry
                heard[utterance.id] = _heard(entry[len(STAMP) :])
    finally:  # an interrupted run is not begun anew
        if entries != known:
            _write_audio_index(path, decoder, {**_read_audio_index(path, decoder), **entries})
    return heard, unusable


def _by_threads(
    decoded: Callable[[Utterance], Hearing], utterances: Sequence[Utterance], known: Entries
) -> Iterator[tuple[Sequence[Utterance], Sequence[Hearing]]]:
    """Utterances in their order with what is told of each, by as many threads as are worth it for what is there.

    None is the thread that asks: an interrupt that comes while a decoder reads through a Python object would be lost in
    it, and the recording taken for a damaged one.
    """

    def some(group: Sequence[Utterance]) -> list[Hearing]:
        return [decoded(utterance) for utterance in group]

    def measured(group: Sequence[Utterance]) -> tuple[list[Hearing], list[tuple[float, float]]]:
        results, costs = list[Hearing](), list[tuple[float, float]]()
        for utterance in group:
            began, computed = time.perf_counter(), time.thread_time()
            results.append(result := decoded(utterance))
            computed, took = time.thread_time() - computed, time.perf_counter() - began
            if not isinstance(result, AudioError) and result[1] is not known.get(result[0]):
                costs.append((computed, max(0.0, took - computed)))
            if len(costs) == MEASURED:
                break
        return results, costs

    at = 0
    with ThreadPoolExecutor(1) as alone:
        while at < len(utterances):
            results, costs = alone.submit(measured, utterances[at : at + LOOKED_UP]).result()
            yield utterances[at : at + len(results)], results
            at += len(results)
            threads = worthwhile_threads(*(median(each) for each in zip(*costs, strict=True))) if costs else 1
            end = min(at + GROUP * (LONG if costs else SHORT), len(utterances))
            groups = [utterances[start : min(start + GROUP, end)] for start in range(at, end, GROUP)]
            with ThreadPoolExecutor(threads) as pool:
                yield from zip(groups, pool.map(some, groups), strict=True)
            at = end


def worthwhile_threads(computing: float, waiting: float) -> int:
    """How many threads listen fastest. Of short recordings it is one, to which others would only be in the way.

    Args:
        computing: What one recording takes of the processor [s].
        waiting: What it takes beside that [s].
    """
    most = available_cores() + (0 if waiting < computing else MORE)
    return min(max(int((computing + waiting) / HELD), 1), most, MOST)


def _heard(entry: Sequence[Any]) -> Heard:
    sha256, duration, sample_rate, remarks = entry
    return Heard(str(sha256), float(duration), int(sample_rate), tuple(map(str, remarks)))


def remarks_of(files: Mapping[str, str], heard: Mapping[str, Heard]) -> list[str]:
    """What a reader should know of recordings, one sentence for each kind of remark.

    Args:
        files: The file of each utterance id.
        heard: What was heard of them, by id.
    """
    sentences = []
    for remark, text in REMARKS.items():
        names = dict.fromkeys(files[name] for name in heard if remark in heard[name].remarks)
        if names:
            sentences.append(f"{len(names)} of {count(len(heard), 'recording')} {text}: {some(list(names), NAMED)}.")
    return sentences


def _decoder() -> dict[str, str]:
    """What decides which samples a file gives."""
    import soundfile

    return {"libsndfile": soundfile.__libsndfile_version__, **versions(("av",)), "source": code_sha256(audio.decode)}


def _write_audio_index(path: Path, decoder: Mapping[str, str], entries: Entries) -> None:
    content = {"decoder": decoder, "entries": entries}
    write_atomically(path, canonical_json({"format": AUDIO_INDEX_FORMAT, "sha256": digest(content), **content}))


def _read_audio_index(path: Path, decoder: Mapping[str, str]) -> Entries:
    """What is remembered; nothing where there is no index, or one of another format or decoder, or a damaged one.

    Raises:
        BenchError: The index is there and cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != AUDIO_INDEX_FORMAT:
            return {}
        is_whole = content["sha256"] == digest({"decoder": content["decoder"], "entries": content["entries"]})
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BenchError(f"cannot read the audio index {path}: {error.strerror or error}", "remove it") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        log.warning("the audio index %s is damaged; every file is decoded again", path.name)
        return {}
    return dict(content["entries"]) if content["decoder"] == decoder else {}


def audio_digest(heard: Mapping[str, Heard]) -> str:
    """Digest of the decoded audio of a whole task."""
    return digest({name: found.sha256 for name, found in heard.items()})
