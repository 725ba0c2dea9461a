"""The feature store: every utterance is encoded once for each upstream, whatever needs it.

Features lie in safetensors shards. A shard is named by the sha256 of its own bytes, so that a flipped byte is noticed
when it is read, and is put in place by a rename, so that a killed writer leaves nothing half-written and two processes
may fill one store. The folder of the shards is named by the digest of the upstream's identity and of the pooling; a
tensor in it by the digest of the audio.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.audio import Wave, decode
from benchmark.base import Upstream, source_sha256, versions
from benchmark.dataset import Dataset
from benchmark.errors import BenchError, MissingError
from benchmark.files import canonical_json, digest, safe_name, write_atomically
from benchmark.listening import Heard
from benchmark.types import Features, Needs, Utterance

log = logging.getLogger(__name__)


class EncodingError(BenchError):
    """An upstream fails on an utterance; other upstreams are not concerned."""


FORMAT = 1
BATCH_UTTERANCES = 8
# A shard is closed after so many bytes or seconds: what a kill can cost is bounded, and small shards stay few.
SHARD_BYTES = 64 << 20
SHARD_SECONDS = 20.0


@dataclass(frozen=True)
class Encoded:
    """Features of the utterances of a task.

    Attributes:
        features: By utterance id: (L, D) means or (L, T, D) frames, float32.
        seconds: Time once spent on encoding these utterances, whenever that was [s].
        newly_encoded: How many utterances were encoded just now; the others were stored.
        parameters: Number of weights of the upstream.
        device: Where the features were computed.
    """

    features: Mapping[str, NDArray[np.float32]]
    seconds: float
    newly_encoded: int
    parameters: int | None
    device: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one utterance's features."""
        return next(iter(self.features.values())).shape


@dataclass
class _Shards:
    """What the shards of one folder hold, by audio digest."""

    tensors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    parameters: int | None = None

    def add(self, tensors: Mapping[str, NDArray[np.float32]], notes: Mapping[str, Any]) -> None:
        self.tensors.update(tensors)
        self.seconds.update(notes["seconds"])
        self.devices.update(dict.fromkeys(tensors, notes["device"]))
        self.parameters = notes["parameters"]


class FeatureStore:
    """The stored features of one upstream under one pooling.

    Args:
        cache: The cache folder.
        upstream: Only its identity is read until something must be encoded.
        pooling: "mean" keeps (L, D) means, "frames" all of (L, T, D).
    """

    def __init__(self, cache: Path, upstream: Upstream, pooling: Needs) -> None:
        # Decoding and resampling are done here, not by the upstream, so their code and library belong to the key.
        hearing = {"code_sha256": source_sha256(Wave), "libraries": versions(("soxr",))}
        identity = {"upstream": upstream.identity(), "audio": hearing}
        key = digest({"format": FORMAT, "pooling": pooling, **identity})
        self.cache = cache
        self.upstream = upstream
        self.pooling: Needs = pooling
        self.folder = cache / "features" / f"{safe_name(upstream.name)}-{pooling}-{key[:16]}"
        self._identity = canonical_json({"name": upstream.name, "pooling": pooling, **identity})

    def missing(self, heard: Mapping[str, Heard]) -> list[str]:
        """Ids of the utterances that are not stored."""
        stored = self._read().tensors
        return [name for name, found in heard.items() if found.sha256 not in stored]

    def encode(self, dataset: Dataset, heard: Mapping[str, Heard], advance: Callable[[int], None]) -> Encoded:
        """Return the features of a task's utterances, encoding what is not stored.

        Args:
            dataset: The utterances.
            heard: Digest and duration of each.
            advance: Called with the number of utterances just finished, stored ones first.

        Raises:
            EncodingError: The upstream fails on an utterance, or returns something non-finite; the file is named.
        """
        shards = self._read()
        # Equal audio is encoded once; longest first, so that what does not fit into memory fails at once.
        todo: dict[str, Utterance] = {}
        for utterance in sorted(dataset.recordings, key=lambda u: (-heard[u.id].duration, u.id)):
            if heard[utterance.id].sha256 not in shards.tensors:
                todo.setdefault(heard[utterance.id].sha256, utterance)
        if todo and self.pooling == "mean":
            self._derive(shards, todo)
        newly_encoded = len(todo)
        advance(len(dataset.recordings) - len(todo))
        if todo:
            self._fill(shards, dataset, todo, advance)
        digests = {heard[u.id].sha256 for u in dataset.recordings}
        return Encoded(
            features={u.id: shards.tensors[heard[u.id].sha256] for u in dataset.recordings},
            seconds=sum(shards.seconds[key] for key in sorted(digests)),
            newly_encoded=newly_encoded,
            parameters=shards.parameters,
            device="+".join(sorted({shards.devices[key] for key in digests})),
        )

    def _derive(self, shards: _Shards, todo: dict[str, Utterance]) -> None:
        """Take means of frames that another head had stored; what was found is taken out of `todo`."""
        frames = FeatureStore(self.cache, self.upstream, "frames")._read()
        found = {key: Features(frames.tensors[key]).mean() for key in todo if key in frames.tensors}
        if found:
            device = "+".join(sorted({frames.devices[key] for key in found}))
            notes = {"device": device, "parameters": frames.parameters}
            self._write(shards, found, {key: frames.seconds[key] for key in found}, notes)
        for key in found:
            del todo[key]

    def _fill(
        self, shards: _Shards, dataset: Dataset, todo: Mapping[str, Utterance], advance: Callable[[int], None]
    ) -> None:
        pending: dict[str, NDArray[np.float32]] = {}
        seconds: dict[str, float] = {}
        opened = time.monotonic()
        items = list(todo.items())
        for first in range(0, len(items), BATCH_UTTERANCES):
            batch = items[first : first + BATCH_UTTERANCES]
            started = time.perf_counter()
            encoded = self._encode_batch(dataset, batch)
            elapsed = time.perf_counter() - started
            for (key, _), tensor in zip(batch, encoded, strict=True):
                pending[key] = tensor
                seconds[key] = elapsed / len(batch)
            advance(len(batch))
            size = sum(tensor.nbytes for tensor in pending.values())
            is_last = first + BATCH_UTTERANCES >= len(items)
            if is_last or size >= SHARD_BYTES or time.monotonic() - opened >= SHARD_SECONDS:
                notes = {"device": self.upstream.device, "parameters": self.upstream.parameters()}
                self._write(shards, pending, seconds, notes)
                pending, seconds, opened = {}, {}, time.monotonic()

    def _encode_batch(self, dataset: Dataset, batch: Sequence[tuple[str, Utterance]]) -> list[NDArray[np.float32]]:
        waves = []
        for key, utterance in batch:
            wave = decode(dataset.root_of(utterance), utterance, dataset.task.audio.max_duration, self.cache)
            if wave.sha256 != key:
                raise BenchError(f"{utterance.file} changed while the run was reading it", "run again")
            waves.append(wave.at(self.upstream.sample_rate))
        try:
            results = self.upstream.encode_batch(waves)
        except MissingError:
            raise
        except Exception as error:  # an upstream is other people's code: whatever it raises becomes a named failure
            if len(batch) > 1:  # one by one, to name the utterance; if each works alone, so be it
                return [tensor for item in batch for tensor in self._encode_batch(dataset, [item])]
            reason = error if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
            where = f"the upstream {self.upstream.name!r} failed on {batch[0][1].file}"
            raise EncodingError(f"{where}: {reason}") from error
        if len(results) != len(waves):
            raise EncodingError(
                f"the upstream {self.upstream.name!r} gave {len(results)} results for {len(waves)} waves"
            )
        return [self._pooled(result, utterance) for result, (_, utterance) in zip(results, batch, strict=True)]

    def _pooled(self, features: Features, utterance: Utterance) -> NDArray[np.float32]:
        if not isinstance(features, Features):
            raise EncodingError(
                f"the upstream {self.upstream.name!r} gave a {type(features).__name__} for {utterance.file}",
                "encode returns benchmark.Features",
            )
        if not np.isfinite(features.layers).all():
            raise EncodingError(
                f"the upstream {self.upstream.name!r} gives NaN or infinite features for {utterance.file}"
            )
        return features.mean() if self.pooling == "mean" else features.layers

    def _write(
        self,
        shards: _Shards,
        tensors: Mapping[str, NDArray[np.float32]],
        seconds: Mapping[str, float],
        about: Mapping[str, Any],
    ) -> None:
        from safetensors.numpy import save

        identity = self.folder / "identity.json"
        if not identity.exists():
            write_atomically(identity, self._identity)
        notes = {**about, "seconds": dict(seconds)}
        content = save(dict(tensors), metadata={"notes": canonical_json(notes).decode()})
        write_atomically(self.folder / f"{hashlib.sha256(content).hexdigest()}.safetensors", content)
        shards.add(tensors, notes)

    def _read(self) -> _Shards:
        shards = _Shards()
        for path in shard_paths(self.folder):
            content = read_shard(path)
            if content is None:
                log.warning("the feature file %s is damaged; its utterances are encoded again", path.name)
                path.unlink(missing_ok=True)
                continue
            shards.add(*content)
        return shards


def cached_features(cache: Path) -> list[Path]:
    """The folders of stored features, one for each upstream identity and pooling."""
    return sorted(path for path in (cache / "features").glob("*") if path.is_dir())


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder, in a fixed order."""
    return sorted(folder.glob("*.safetensors"))


def read_shard(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]] | None:
    """Tensors and notes of a shard; None where its bytes are not those that were written."""
    from safetensors.numpy import load

    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != path.stem:
        return None
    # The header: eight bytes of length, then JSON. The digest vouches for its form.
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return load(content), json.loads(header["__metadata__"]["notes"])


def estimate_bytes(upstream: Upstream, pooling: Needs, utterances: int) -> int | None:
    """Disk that features need; None where the upstream declares no shape, or where frames must be counted first."""
    if upstream.layers is None or upstream.dim is None or pooling != "mean":
        return None
    return 4 * upstream.layers * upstream.dim * utterances
