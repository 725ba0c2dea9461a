"""The feature store: every utterance is encoded once for each upstream, whatever needs it.

Features lie in shards (see `benchmark.features.shards`). Their folder is named by the digest of the upstream, of the
code and of the pooling; a tensor in it by the digest of the audio. While a batch is encoded, the next ones are read and
the last ones are pooled and written.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Upstream
from benchmark.base.identity import identity_of
from benchmark.data.listening import Heard
from benchmark.errors import BenchError, EncodingError
from benchmark.features.alike import Alike
from benchmark.features.encoding import (
    AHEAD,
    Recording,
    encode_all,
    encoding_code,
    form_batches,
    get_ready,
    parallel,
    read_ahead,
    read_wave,
)
from benchmark.features.pooling import POOLINGS, pool, stored_bytes
from benchmark.features.shards import Shard, discard, open_shards, write_shard
from benchmark.io.files import canonical_json, digest, is_hidden, safe_name, write_atomically
from benchmark.lazy import LazyMapping
from benchmark.progress import Progress
from benchmark.protocol.dataset import Dataset
from benchmark.text import bytes_text
from benchmark.threads import threads
from benchmark.types import Features, Needs

log = logging.getLogger(__name__)

FORMAT = 3
DAMAGED = "the feature file %s is damaged; its utterances are encoded again"
# A shard is closed after so many bytes or seconds: what a kill can cost is bounded, and small shards stay few.
SHARD_BYTES = 64 << 20
SHARD_SECONDS = 20.0


@dataclass(frozen=True)
class Demand:
    """What a folder of the store lacks.

    Attributes:
        folder: The folder.
        bytes: Disk that the features of each utterance to be encoded will take, by audio digest; None where the
            upstream does not declare their shape.
    """

    folder: Path
    bytes: Mapping[str, float | None]


@dataclass(frozen=True)
class Encoded:
    """Features of the utterances of a task.

    Attributes:
        features: By utterance id, float32: (L, D) means, (L, 2 D) statistics or (L, T, D) frames, read when asked for;
            or waveforms (n,).
        shape: Of one utterance's; with waveforms (L, D) of what the upstream would make of them.
        frame_rate: Frames a second [Hz]; None for one vector an utterance.
        seconds: What encoding these utterances once took, whenever that was [s]: on a CPU its processor time, and
            never the loading of the model; None where that is not known.
        newly_encoded: How many utterances were encoded just now; the others were stored.
        parameters: Number of weights of the upstream.
        device: Where the features were computed.
        parts: Name and dimension of each upstream that was joined into one; empty for a single one.
        upstream: Its name, as the run knows it.
    """

    features: Mapping[str, NDArray[np.float32]]
    shape: tuple[int, ...]
    frame_rate: float | None
    seconds: float | None
    newly_encoded: int
    parameters: int | None
    device: str
    parts: tuple[tuple[str, int], ...] = ()
    upstream: str = ""


def shape_of(features: Mapping[str, NDArray[np.float32]]) -> tuple[int, ...]:
    """Shape of the first utterance's features.

    Raises:
        EncodingError: They cannot be made.
    """
    try:
        return next(iter(features.values())).shape
    except BenchError as error:
        raise error if isinstance(error, EncodingError) else EncodingError(error.message, error.hint) from error


class FeatureStore:
    """The stored features of one upstream under one pooling.

    Args:
        cache: The cache folder.
        upstream: Only its identity is read until something must be encoded.
        pooling: What is kept of an utterance.
    """

    def __init__(self, cache: Path, upstream: Upstream, pooling: Needs) -> None:
        identity = {"upstream": identity_of(upstream), "code": encoding_code(upstream, pooling).as_dict()}
        key = digest({"format": FORMAT, "pooling": pooling, **identity})
        self.cache = cache
        self.upstream = upstream
        self.pooling: Needs = pooling
        # Not by the name of the row, for a checkpoint that is given by its name and by its folder is one.
        called = safe_name(str(upstream.params.get("model", upstream.name)))
        self.folder = cache / "features" / f"{called}-{pooling}-{key[:16]}"
        self._identity = canonical_json({"name": called, "pooling": pooling, **identity})

    def demand(self, heard: Mapping[str, Heard]) -> Demand:
        """What would have to be encoded for some utterances."""
        known = {*self._open(), *self._frames()}
        lacking = {one.sha256: one.duration for one in heard.values() if one.sha256 not in known}
        sizes = {key: stored_bytes(self.upstream, self.pooling, duration) for key, duration in lacking.items()}
        return Demand(self.folder, sizes)

    def load(self, dataset: Dataset, heard: Mapping[str, Heard], progress: Progress) -> Encoded:
        """The features of a task's utterances, encoding what is not stored.

        Args:
            dataset: The utterances.
            heard: Digest and duration of each.
            progress: Told what is encoded.

        Raises:
            EncodingError: The upstream fails on an utterance, or returns something non-finite; the file is named.
            BenchError: The features do not fit on the disk; nothing has been written then.
        """
        keys = {utterance.id: heard[utterance.id].sha256 for utterance in dataset.recordings}
        shards, todo = self._stored(dataset, heard, frozenset(keys.values()), progress)
        used = {key: shards[key].notes for key in sorted(set(keys.values()))}
        some = next(iter(used.values()))
        features = LazyMapping(tuple(keys), lambda name: _as_float32(shards[keys[name]], keys[name]))
        return Encoded(
            # What is small is read once, because every head asks for it.
            features=features
            if self.pooling.startswith("frames")
            else {name: np.array(features[name]) for name in keys},
            shape=shape_of(features),
            frame_rate=some["frame_rate"],
            seconds=sum(notes["seconds"][key] for key, notes in used.items()),
            newly_encoded=todo,
            parameters=some["parameters"],
            device="+".join(sorted({notes["device"] for notes in used.values()})),
        )

    def store(self, dataset: Dataset, heard: Mapping[str, Heard], wanted: Collection[str], progress: Progress) -> int:
        """Encode what is not stored of some utterances of a task, and store it; nothing is read into memory.

        Args:
            dataset: The utterances.
            heard: Digest and duration of each.
            wanted: Digests of the audio of those that are meant.
            progress: Told what is encoded.

        Returns:
            How many were encoded.

        Raises:
            EncodingError: The upstream fails on an utterance, or returns something non-finite; the file is named.
            BenchError: The features do not fit on the disk; nothing has been written then.
        """
        return self._stored(dataset, heard, frozenset(wanted), progress)[1]

    def _stored(
        self, dataset: Dataset, heard: Mapping[str, Heard], wanted: frozenset[str], progress: Progress
    ) -> tuple[dict[str, Shard], int]:
        """The shards that hold all that is wanted, and how much was encoded for that."""
        shards = self._intact(self._open(), wanted)
        self._derive(shards, sorted(wanted - set(shards)))
        todo: dict[str, Recording] = {}  # equal audio is encoded once
        for utterance in dataset.recordings:
            key = heard[utterance.id].sha256
            if key in wanted and key not in shards:
                todo.setdefault(key, Recording(utterance, key, heard[utterance.id].duration))
        alike = Alike(self.upstream.name, self.pooling)
        for utterance in dataset.recordings:
            key = heard[utterance.id].sha256
            if key in wanted and key in shards:
                alike.check(shards[key].places[key].shape, utterance.file)
        if todo:
            self._encode(shards, dataset, list(todo.values()), alike, progress)
        return shards, len(todo)

    # -- what is there: shards by the audio digests they hold ---------------------------------------------------------

    def _open(self) -> dict[str, Shard]:
        shards: dict[str, Shard] = {}
        for shard in open_shards(self.folder):
            if isinstance(shard, Path):
                log.warning(DAMAGED, shard.name)
                discard(shard)
            else:
                shards.update(dict.fromkeys(shard.places, shard))
        return shards

    def _intact(self, shards: dict[str, Shard], wanted: Sequence[str] | Any) -> dict[str, Shard]:
        """Read all that is wanted; a shard with a damaged tensor is removed, and so is made again."""
        with ThreadPoolExecutor() as readers:
            used = _by_shard(shards, wanted)
            damaged = readers.map(lambda shard: shard.damaged(used[shard]), used)
            lost = {shard for shard, is_damaged in zip(used, damaged, strict=True) if is_damaged}
        for shard in lost:
            log.warning(DAMAGED, shard.path.name)
            discard(shard.path)
        return {key: shard for key, shard in shards.items() if shard not in lost}

    def _frames(self) -> dict[str, Shard]:
        """Frames that another head had stored, where means or statistics can be taken of them."""
        if self.pooling not in ("mean", "statistics"):
            return {}
        return FeatureStore(self.cache, self.upstream, "frames")._open()

    def _derive(self, shards: dict[str, Shard], lacking: Sequence[str]) -> None:
        frames = self._frames() if lacking else {}
        frames = self._intact(frames, lacking)
        pooled: dict[str, dict[str, NDArray[Any]]] = {}
        for shard, keys in _by_shard(frames, lacking).items():  # a shard of each device holds all that it encoded
            values = {key: POOLINGS[self.pooling](Features(_as_float32(shard, key))) for key in keys}
            pooled.setdefault(shard.notes["device"], {}).update(values)
        for values in pooled.values():
            notes = frames[next(iter(values))].notes
            about = {name: notes[name] for name in ("device", "parameters", "frame_rate")}
            seconds = {key: frames[key].notes["seconds"][key] for key in values}
            self._write(shards, values, {**about, "seconds": seconds})

    # -- what is made -------------------------------------------------------------------------------------------------

    def _encode(
        self,
        shards: dict[str, Shard],
        dataset: Dataset,
        todo: Sequence[Recording],
        alike: Alike,
        progress: Progress,
    ) -> None:
        self._check_space(todo)
        get_ready(self.upstream)
        upstream, unwritten = self.upstream, _Unwritten(self, shards, todo, alike)
        how = parallel(upstream)
        waiting: deque[Future[None]] = deque()
        title = f"encode {dataset.task.name} with {upstream.name}"
        with (
            ThreadPoolExecutor(1) as writer,
            progress.encoding(title, len(todo), sum(recording.duration for recording in todo)) as advance,
            threads(how.threads) if how.threads else nullcontext(),
        ):
            try:
                batches = read_ahead(
                    form_batches(todo, upstream.batch_seconds),
                    lambda recording: read_wave(dataset, recording, upstream.sample_rate, self.cache),
                    how.at_once,
                )
                for batch, results, elapsed in encode_all(upstream, batches, how):
                    waiting.append(writer.submit(unwritten.take, batch, results, elapsed))
                    if len(waiting) > AHEAD:
                        waiting.popleft().result()
                    advance(len(batch), sum(recording.duration for recording in batch))
                while waiting:
                    waiting.popleft().result()
            except (EncodingError, KeyboardInterrupt):
                writer.submit(unwritten.write).result()  # what was encoded is kept
                raise
            writer.submit(unwritten.write).result()

    def _check_space(self, todo: Sequence[Recording], bytes_each: float | None = None) -> None:
        """Refuse before the first write what does not fit.

        Args:
            todo: What is to be stored.
            bytes_each: What a second of audio takes (for frames) or an utterance (else), where that was found out.
        """
        is_frames = self.pooling.startswith("frames")
        if bytes_each is None:
            declared = [stored_bytes(self.upstream, self.pooling, recording.duration) for recording in todo]
            sizes = [size for size in declared if size is not None]
        else:
            sizes = [bytes_each * (recording.duration if is_frames else 1) for recording in todo]
        what = f"the features of {len(todo)} utterances by {self.upstream.name!r} ({self.pooling}) need"
        refuse_beyond(self.cache, sum(sizes), what)

    def _write(self, shards: dict[str, Shard], tensors: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
        identity = self.folder / "identity.json"
        if not identity.exists():
            write_atomically(identity, self._identity)
        shard = write_shard(self.folder, tensors, notes)
        shards.update(dict.fromkeys(tensors, shard))


def refuse_beyond(cache: Path, needed: float, what: str) -> None:
    """Refuse to write more than there is room for.

    Raises:
        BenchError: `what` needs more than is free where the cache is.
    """
    free = shutil.disk_usage(next(path for path in (cache, *cache.absolute().parents) if path.exists())).free
    if needed > free:
        raise BenchError(
            f"{what} {bytes_text(needed)} of disk, and {cache} has {bytes_text(free)}",
            "free some space, move the cache with BENCH_CACHE, select layers as in NAME@last, or --stream frames",
        )


class _Unwritten:
    """What was encoded and lies in no shard yet; only the writing thread touches it."""

    def __init__(self, store: FeatureStore, shards: dict[str, Shard], todo: Sequence[Recording], alike: Alike) -> None:
        self._store = store
        self._alike = alike
        self._shards = shards
        self._todo = todo
        self._tensors: dict[str, NDArray[Any]] = {}
        self._seconds: dict[str, float] = {}
        self._opened = time.monotonic()
        self._frame_rate: float | None = None
        self._is_first = True
        # Asked here, before another thread encodes.
        self._about = {"device": store.upstream.device, "parameters": store.upstream.parameters()}

    def take(self, batch: Sequence[Recording], results: Sequence[Features], elapsed: float) -> None:
        """Pool a batch, and write a shard where there is enough for one."""
        audio = sum(recording.duration for recording in batch)
        for recording, features in zip(batch, results, strict=True):
            upstream, pooling = self._store.upstream.name, self._store.pooling
            pooled = pool(upstream, pooling, features, recording.utterance)
            self._alike.check(pooled.shape, recording.utterance.file)
            self._tensors[recording.sha256] = pooled
            self._seconds[recording.sha256] = elapsed * recording.duration / audio
            self._frame_rate = features.frame_rate
        size = sum(tensor.nbytes for tensor in self._tensors.values())
        if self._is_first:  # now that it is known how much an utterance takes
            self._is_first = False
            each = audio if self._store.pooling.startswith("frames") else len(batch)
            self._store._check_space(self._todo, size / each)
        if size >= SHARD_BYTES or time.monotonic() - self._opened >= SHARD_SECONDS:
            self.write()

    def write(self) -> None:
        """Write a shard of what there is."""
        if self._tensors:
            about = {**self._about, "frame_rate": self._frame_rate}
            self._store._write(self._shards, self._tensors, {**about, "seconds": self._seconds})
        self._tensors, self._seconds, self._opened = {}, {}, time.monotonic()


def cached_features(cache: Path) -> list[Path]:
    """The folders of stored features, one for each upstream identity and pooling."""
    return sorted(path for path in (cache / "features").glob("*") if path.is_dir() and not is_hidden(path.name))


def _by_shard(shards: Mapping[str, Shard], keys: Any) -> dict[Shard, list[str]]:
    """Which of the keys each shard holds."""
    found: dict[Shard, list[str]] = {}
    for key in dict.fromkeys(keys):
        if key in shards:
            found.setdefault(shards[key], []).append(key)
    return found


def _as_float32(shard: Shard, key: str) -> NDArray[np.float32]:
    return np.asarray(shard.tensor(key), dtype=np.float32)
