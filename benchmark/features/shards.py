"""The files of the feature store: safetensors shards whose header is their index.

A shard is named by the sha256 of its header, and the header holds the sha256 of every tensor: opening a store reads
headers only, and a flipped byte anywhere is noticed when what it belongs to is read. Tensors are read through memory
maps. Shards are put in place by a rename and never changed, so that a killed writer leaves nothing half-written and two
processes may fill one folder.

The files are written by safetensors and read here, because safetensors' own `safe_open` reads a flipped byte as if
nothing were wrong. Of 10,000 tensors that costs 0.08 s of the processor to open instead of 0.03 s, and 138 bytes of
header for each (`tests/speed/own_code.py shards`).
"""

from __future__ import annotations

import functools
import hashlib
import json
import mmap
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.io.files import canonical_json, is_hidden, write_atomically

SUFFIX = ".safetensors"
DTYPES: Mapping[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
# A header is some 200 bytes for each tensor; what claims more than this is no shard.
LARGEST_HEADER = 100 << 20


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in its shard: element type, shape, first byte, byte after the last, and its sha256."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    end: int
    sha256: str


@dataclass(frozen=True, eq=False)
class Shard:
    """One file of the store.

    Attributes:
        path: The file.
        places: Where each tensor lies, by key.
        notes: What was written with them, plain values.
    """

    path: Path
    places: Mapping[str, Place]
    notes: Mapping[str, Any]

    def tensor(self, key: str) -> NDArray[Any]:
        """A tensor, mapped into memory and read-only."""
        place = self.places[key]
        content = _mapped(self.path)
        _RESIDENT.note(place.end - place.start)
        return np.frombuffer(content[place.start : place.end], dtype=place.dtype).reshape(place.shape)

    def damaged(self, keys: Iterable[str]) -> bool:
        """Whether the bytes of one of these tensors are not those that were written."""
        try:
            content = _mapped(self.path)
        except FileNotFoundError:  # another process found it damaged
            return True
        for at in (self.places[key] for key in keys):
            _RESIDENT.note(at.end - at.start)
            if hashlib.sha256(content[at.start : at.end]).hexdigest() != at.sha256:
                return True
        return False


class _Resident:
    """Keeps small what of the maps lies in the memory of this process, which a system gives back only under pressure.

    After so many bytes that were given to somebody all maps are told that their pages may go. Whoever still reads them
    has them again, from the file: usually from the memory in which the system keeps files that were read lately.
    """

    LARGEST = 128 << 20

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes = 0
        self._maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()

    def add(self, content: mmap.mmap) -> None:
        """Take care of a map."""
        with self._lock:
            self._maps.add(content)

    def note(self, size: int) -> None:
        """So many bytes are going to be read."""
        with self._lock:
            self._bytes += size
            if self._bytes < self.LARGEST or not hasattr(mmap, "MADV_DONTNEED"):
                return
            self._bytes = 0
            for content in self._maps:
                content.madvise(mmap.MADV_DONTNEED)


_RESIDENT = _Resident()


# A map keeps its file open, and a process may open some thousand files: only so many stay, and those that are in use.
@functools.lru_cache(maxsize=256)
def _mapped(path: Path) -> memoryview:
    with path.open("rb") as handle:
        content = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    _RESIDENT.add(content)
    return memoryview(content)


def discard(path: Path) -> None:
    """Remove a shard."""
    _mapped.cache_clear()  # what is made in its place may bear its name
    path.unlink(missing_ok=True)


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder, in a fixed order."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not is_hidden(path.name))


def open_shards(folder: Path) -> Iterator[Shard | Path]:
    """Open every shard of a folder; one that is damaged is given as its path."""
    for path in shard_paths(folder):
        try:
            shard = open_shard(path)
        except FileNotFoundError:  # another process found it damaged
            continue
        yield path if shard is None else shard


def open_shard(path: Path) -> Shard | None:
    """Read the header of a shard; None where it is not the one that was written, or where the file is cut off."""
    with path.open("rb") as handle:
        prefix = handle.read(8)
        length = int.from_bytes(prefix, "little")
        header = handle.read(length) if length <= LARGEST_HEADER else b""
    if hashlib.sha256(prefix + header).hexdigest() != path.stem:
        return None
    # The digest vouches for the form of what follows.
    content = json.loads(header)
    notes = json.loads(content.pop("__metadata__")["notes"])
    first = len(prefix) + length
    places = {
        key: Place(
            dtype=DTYPES[entry["dtype"]],
            shape=tuple(entry["shape"]),
            start=first + entry["data_offsets"][0],
            end=first + entry["data_offsets"][1],
            sha256=notes["sha256"][key],
        )
        for key, entry in content.items()
    }
    if path.stat().st_size != max((place.end for place in places.values()), default=first):
        return None
    return Shard(path, places, notes)


def is_whole(path: Path) -> bool:
    """Whether every byte of a shard is as it was written."""
    shard = open_shard(path)
    return shard is not None and not shard.damaged(shard.places)


def write_shard(folder: Path, tensors: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> Shard:
    """Write a shard.

    Args:
        folder: Made where it does not exist.
        tensors: At least one, float32 or float16, by key.
        notes: Plain values.

    Raises:
        BenchError: The disk is full or the folder cannot be written; nothing is left behind.
    """
    from safetensors.numpy import save

    stored = {key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()}
    sums = {key: hashlib.sha256(tensor.data).hexdigest() for key, tensor in stored.items()}
    content = save(stored, metadata={"notes": canonical_json({**notes, "sha256": sums}).decode()})
    length = 8 + int.from_bytes(content[:8], "little")
    path = folder / f"{hashlib.sha256(memoryview(content)[:length]).hexdigest()}{SUFFIX}"
    write_atomically(path, content)
    shard = open_shard(path)
    if shard is None:  # it was whole a moment ago
        raise BenchError(f"{path} changed while it was written", "is something else writing into the cache?")
    return shard
