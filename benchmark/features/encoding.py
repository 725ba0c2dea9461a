"""Encoding: recordings are read, formed into batches by length, encoded, and pooled to what is kept of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.base.code import code_sha256
from benchmark.base.identity import Code, code_of
from benchmark.data.audio import decode
from benchmark.errors import BenchError, EncodingError, MissingError
from benchmark.features.pooling import POOLINGS
from benchmark.io.files import digest
from benchmark.io.packages import versions
from benchmark.protocol.dataset import Dataset
from benchmark.threads import batches_at_once, encoding_threads, use_threads
from benchmark.types import Features, Needs, Utterance

# Batches that are read while others are encoded, and threads that read, for each that is encoded at once: memory does
# not grow with the corpus.
AHEAD = 2
READERS = 2
# Raised whenever decoding, resampling or pooling gives other numbers: part of what a published upstream is.
VERSION = 1


@dataclass(frozen=True)
class Recording:
    """An utterance that is to be encoded: digest of its audio and duration [s]."""

    utterance: Utterance
    sha256: str
    duration: float


def form_batches(recordings: Sequence[Recording], seconds: float) -> list[list[Recording]]:
    """Put recordings of like length together, the longest first: what does not fit into memory fails at once.

    Args:
        recordings: In any order.
        seconds: Of audio in a batch at most, padded to its longest; a longer recording is a batch of its own.
    """
    batches: list[list[Recording]] = []
    for recording in sorted(recordings, key=lambda one: (-one.duration, one.utterance.id)):
        if batches and (len(batches[-1]) + 1) * batches[-1][0].duration <= seconds:
            batches[-1].append(recording)
        else:
            batches.append([recording])
    return batches


def read_wave(dataset: Dataset, recording: Recording, sample_rate: int, cache: Path) -> NDArray[np.float32]:
    """Decode and resample a recording: (n,) float32.

    Raises:
        BenchError: It is no longer what was listened to.
    """
    utterance = recording.utterance
    wave = decode(dataset.root_of(utterance), utterance, dataset.task.audio.max_duration, cache)
    if wave.sha256 != recording.sha256:
        raise BenchError(f"{utterance.file} changed while the run was reading it", "run again")
    return wave.at(sample_rate)


def read_ahead(
    batches: Sequence[list[Recording]], read: Callable[[Recording], NDArray[np.float32]], at_once: int = 1
) -> Iterator[tuple[list[Recording], list[NDArray[np.float32]]]]:
    """Read the next batches while those that were given last are worked on.

    Args:
        batches: In the order in which they are given.
        read: Gives the waveform of one recording.
        at_once: Batches that are worked on at once.
    """
    coming = iter(batches)
    waiting: deque[tuple[list[Recording], list[Future[NDArray[np.float32]]]]] = deque()
    with ThreadPoolExecutor(READERS * at_once) as readers:

        def submit() -> None:
            for batch in coming:
                waiting.append((batch, [readers.submit(read, recording) for recording in batch]))
                return

        for _ in range(AHEAD * at_once):
            submit()
        while waiting:
            batch, waves = waiting.popleft()
            submit()
            yield batch, [wave.result() for wave in waves]


# A batch, its features and what encoding it took [s].
Timed: TypeAlias = tuple[list[Recording], list[Features], float]


class Parallel(NamedTuple):
    """How much of an upstream's work is done at once.

    Attributes:
        at_once: Batches at once, in a thread of Python each.
        threads: In which torch computes each of them; None where a GPU does.
        clock: What the work on a batch is timed by, in the thread that does it.
    """

    at_once: int
    threads: int | None
    clock: Callable[[], float]


def parallel(upstream: Upstream) -> Parallel:
    """How much of an upstream's work is done at once on its device, by the rules of `benchmark.threads`."""
    if upstream.device != "cpu":
        return Parallel(1, None, time.perf_counter)
    if is_concurrent(upstream):
        return Parallel(batches_at_once(), 1, work_clock(1))
    number = encoding_threads()
    return Parallel(1, number, work_clock(number))


def is_concurrent(upstream: Upstream) -> bool:
    """Whether several threads may encode with an upstream at once: all that it is made of allow it."""
    parts = upstream.components
    return all(map(is_concurrent, parts)) if parts else upstream.concurrent


def encode_all(
    upstream: Upstream, batches: Iterable[tuple[list[Recording], list[NDArray[np.float32]]]], how: Parallel
) -> Iterator[Timed]:
    """Encode batches, several at once where the upstream allows it.

    Args:
        upstream: Ready.
        batches: With their waveforms.
        how: See `parallel`.

    Yields:
        Each batch in the order of the batches, its features, and what encoding it took [s].

    Raises:
        EncodingError: As `encode_batch`, for the first batch that fails; those after it are given up.
        MissingError: The upstream lacks something that no utterance can help.
    """

    def timed(
        batch: list[Recording], waves: list[NDArray[np.float32]]
    ) -> tuple[list[Recording], list[Features], float]:
        started = how.clock()
        features = encode_batch(upstream, batch, waves)
        return batch, features, how.clock() - started

    if how.at_once == 1:
        for batch, waves in batches:
            yield timed(batch, waves)
        return
    waiting: deque[Future[Timed]] = deque()
    encoders = ThreadPoolExecutor(how.at_once, initializer=use_threads, initargs=(1,))
    try:
        for batch, waves in batches:
            waiting.append(encoders.submit(timed, batch, waves))
            if len(waiting) > how.at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        encoders.shutdown(wait=True, cancel_futures=True)


def work_clock(threads: int) -> Callable[[], float]:
    """What encoding on a CPU is timed by: the processor, so that waiting for other processes costs nothing.

    Args:
        threads: Of the encoder. Of a single one its own time is taken; of several that of the whole process, with what
            reads ahead beside them.
    """
    return time.thread_time if threads == 1 else time.process_time


def get_ready(upstream: Upstream) -> None:
    """Load the model of an upstream, before its first utterance and outside of what that costs.

    Raises:
        EncodingError: It cannot be loaded.
        MissingError: The upstream lacks something.
    """
    try:
        upstream.get_ready()
    except MissingError:
        raise
    except Exception as error:  # an upstream is other people's code, and its files may be anybody's
        reason = error.message if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        raise EncodingError(f"the upstream {upstream.name!r} cannot be loaded: {reason}") from error


def encode_batch(
    upstream: Upstream, batch: Sequence[Recording], waves: Sequence[NDArray[np.float32]]
) -> list[Features]:
    """Encode a batch; one that fails is tried one by one, to name the utterance.

    Raises:
        EncodingError: The upstream fails on an utterance, or does not return what it should.
        MissingError: The upstream lacks something that no utterance can help.
    """
    try:
        results = list(upstream.encode_batch(waves))
    except MissingError:
        raise
    except Exception as error:  # an upstream is other people's code: whatever it raises becomes a named failure
        if len(batch) == 1:
            # Without its hint, which may name a folder of this machine: the reason goes into records.
            reason = error.message if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
            where = f"the upstream {upstream.name!r} failed on {batch[0].utterance.file}"
            raise EncodingError(f"{where}: {reason}") from error
        results = None
    if results is None:  # out of the handler, which keeps alive what the failed batch had in memory
        pairs = zip(batch, waves, strict=True)
        return [features for one, wave in pairs for features in encode_batch(upstream, [one], [wave])]
    if len(results) != len(waves):
        raise EncodingError(f"the upstream {upstream.name!r} gave {len(results)} results for {len(waves)} waves")
    return results


def encoding_code(upstream: Upstream, pooling: Needs) -> Code:
    """The code and libraries that decide features: the upstream's, and what decodes and pools here."""
    own = code_of(upstream)
    here = code_sha256(read_wave, *(() if pooling == "waveform" else (encode_batch, POOLINGS[pooling])))
    return Code(digest([own.sha256, here]), {**versions(("soxr",)), **own.libraries})
