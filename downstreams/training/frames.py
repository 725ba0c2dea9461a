"""The frames of a set of utterances as a head reads them, and how they are dealt into padded batches.

Every utterance is read once, to learn its length and the figures that standardise it. What fits into the memory that
the recipe grants stays there; otherwise frames are read again whenever they are needed, from the memory maps of the
feature store. Training then shuffles blocks of utterances of like length, which lie side by side in the store, and the
utterances within windows of several blocks: a large corpus is read from front to back, in another order each epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.errors import BenchError
from benchmark.types import Examples
from downstreams import checks as check
from downstreams.normalisation import Moments, Normalisation, standardise_frames

MIB = 1 << 20
MEAN_OF_LAST = 4
# Blocks in a window: so many lengths meet in a batch where a corpus does not fit into memory.
BLOCKS_IN_A_WINDOW = 8

Said = tuple[tuple[int, int], ...]
Figures = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Reading:
    """What a head reads of the frames of an utterance.

    Attributes:
        layers: "last", "all", or "mean-last-4".
        max_frames: A longer utterance is cut to its first frames; None for never.
    """

    layers: Literal["last", "all", "mean-last-4"]
    max_frames: int | None

    def of(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """From (L, T, D), which may be mapped from a file, to (L', T', D): only what is returned is read."""
        if self.layers == "all":
            return x[:, : self.max_frames]
        if self.layers == "last":
            return x[-1:, : self.max_frames]
        last = x[-MEAN_OF_LAST:, : self.max_frames]
        return np.asarray(last.mean(axis=0, keepdims=True, dtype=np.float64), dtype=np.float32)

    def frames(self, x: NDArray[np.float32]) -> int:
        """How many frames are read of (L, T, D)."""
        return int(min(x.shape[1], self.max_frames or x.shape[1]))

    def joined(self, pieces: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """What is read of utterances, one after the other."""
        return self.of(pieces[0]) if len(pieces) == 1 else np.concatenate([self.of(x) for x in pieces], axis=1)


@dataclass(frozen=True)
class Batch:
    """Padded utterances.

    Attributes:
        x: (B, L, T, D) float32, zero where an utterance has ended.
        mask: (B, T) bool, True where there is a frame; each row begins with one.
        rows: (B,) int64, which utterances of their set these are, on the CPU.
        said: In a task with context, where x has all that was said before one after the other: of each example the turn
            and the number of frames of every utterance.
    """

    x: Tensor
    mask: Tensor
    rows: Tensor
    said: tuple[Said, ...] | None = None


@dataclass(frozen=True)
class Dealing:
    """How utterances are put into batches.

    Attributes:
        batch_size: Utterances in a batch at most.
        batch_frames: Frames in a batch at most, padding included; a longer utterance is a batch of its own.
        sort_batches: So many batches are sorted by length together.
    """

    batch_size: int
    batch_frames: int | None
    sort_batches: int

    def batches(self, rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cut rows into batches, in their order.

        Args:
            rows: Of the utterances.
            lengths: Frames of every utterance of the set.
        """
        found: list[list[int]] = []
        longest = 0
        for row in rows.tolist():
            length = int(lengths[row])
            is_full = not found or len(found[-1]) == self.batch_size
            longest = length if is_full else max(longest, length)
            if is_full or (self.batch_frames is not None and (len(found[-1]) + 1) * longest > self.batch_frames):
                found.append([])
                longest = length
            found[-1].append(row)
        return [np.array(batch, dtype=np.int64) for batch in found]

    def shuffled(
        self, rows: NDArray[np.int64], lengths: NDArray[np.int64], random: np.random.Generator
    ) -> Iterator[NDArray[np.int64]]:
        """Cut rows into batches in random order; those that are sorted together come in random order too."""
        order = random.permutation(rows)
        together = self.batch_size * self.sort_batches
        for begin in range(0, len(order), together):
            some = order[begin : begin + together]
            if self.sort_batches == 1:
                yield from self.batches(some, lengths)
                continue
            batches = self.batches(some[np.argsort(-lengths[some], kind="stable")], lengths)
            yield from (batches[place] for place in random.permutation(len(batches)))


class Frames:
    """The frames of a set of utterances.

    Args:
        examples: At least one.
        what: What to call them in an error: "train", "dev", "test".
        reading: What is read of each.
        memory: Bytes of frames that may stay in memory.
        shape: (L, D) of what the head was fitted on; None for what it is fitted on.

    Attributes:
        examples: As given.
        lengths: (n,) int64, frames that are read of each utterance.
        shape: (L', D) of what is read.
        kept: Bytes of frames that stay in memory; 0 where they are read again.
        said: In a task with context, of each example as in `Batch`; else None.

    Raises:
        BenchError: There is no utterance; its features are no float32 array (L, T, D), differ in shape, or hold a
            value that is not finite.
    """

    def __init__(
        self, examples: Examples, what: str, reading: Reading, memory: float, shape: tuple[int, int] | None = None
    ) -> None:
        if not len(examples):
            raise BenchError(f"{what} holds no utterance", "a head needs at least one")
        self.examples = examples
        self._reading = reading
        self._memory = memory
        self._by_speaker: dict[str, Moments] = {}
        self._figures: dict[str, Figures] | Figures | None = None
        self._arrays: list[NDArray[np.float32]] | None = []
        self.kept = 0
        lengths = []
        self.said = None if examples.turns is None else _said(examples, what, reading)
        for name, speaker, features in zip(examples.ids, examples.speakers, examples.x, strict=True):
            pieces = [check.layers_of_frames(piece, name, what, shape) for piece in _pieces(features)]
            read = check.finite(reading.joined(pieces), name, what)
            shape = (pieces[0].shape[0], pieces[0].shape[2])
            self.shape = (read.shape[0], read.shape[2])
            self._by_speaker.setdefault(speaker, Moments(self.shape)).add(read)
            lengths.append(read.shape[1])
            self.kept += read.nbytes
            if self._arrays is not None and self.kept <= memory:
                self._arrays.append(np.array(read))
            else:
                self._arrays = None
        if self._arrays is None:
            self.kept = 0
        self.given_shape: tuple[int, int] = shape or (0, 0)
        self.lengths = np.array(lengths, dtype=np.int64)

    def __len__(self) -> int:
        """The number of utterances."""
        return len(self.lengths)

    def figures(self) -> Figures:
        """Mean and scale (L', D) over all frames."""
        total = Moments(self.shape)
        for moments in self._by_speaker.values():
            total.join(moments)
        return total.mean_and_scale()

    def standardise(self, normalisation: Normalisation, figures: Figures | None) -> None:
        """Say how frames are standardised, once.

        Args:
            normalisation: What the recipe says.
            figures: Mean and scale of train, for "global".
        """
        if normalisation == "speaker":
            self._figures = {name: moments.mean_and_scale() for name, moments in self._by_speaker.items()}
        elif normalisation == "global":
            self._figures = figures
        if self._arrays is not None:
            for row, read in enumerate(self._arrays):
                self._arrays[row] = self._standardised(row, read)

    def array(self, row: int) -> NDArray[np.float32]:
        """The standardised frames (L', T, D) of one utterance."""
        if self._arrays is not None:
            return self._arrays[row]
        read = self._reading.joined(_pieces(self.examples.x[row]))
        return self._standardised(row, np.array(read))

    def in_order(self, dealing: Dealing, device: str) -> Iterator[Batch]:
        """All utterances, by length."""
        for rows in dealing.batches(np.argsort(-self.lengths, kind="stable"), self.lengths):
            yield self.batch(rows, device)

    def epoch(self, dealing: Dealing, random: np.random.Generator, device: str) -> Iterator[Batch]:
        """All utterances once, in random order."""
        for window in self._windows(random):
            arrays = {int(row): self.array(row) for row in window}
            for rows in dealing.shuffled(window, self.lengths, random):
                yield self._batch([arrays[int(row)] for row in rows], rows, device)

    def batch(self, rows: NDArray[np.int64], device: str) -> Batch:
        """Some utterances side by side."""
        return self._batch([self.array(row) for row in rows.tolist()], rows, device)

    def endless(self, random: np.random.Generator) -> Iterator[int]:
        """Rows in random order, in a new one whenever all were given."""
        while True:
            yield from (int(row) for row in random.permutation(len(self)))

    def _batch(self, arrays: Sequence[NDArray[np.float32]], rows: NDArray[np.int64], device: str) -> Batch:
        batch = padded(arrays, rows, device)
        return batch if self.said is None else replace(batch, said=tuple(self.said[row] for row in rows.tolist()))

    def _windows(self, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Rows that are in memory together: all, or some of the blocks, which are dealt in random order."""
        if self._arrays is not None:
            yield np.arange(len(self), dtype=np.int64)
            return
        by_length = np.argsort(-self.lengths, kind="stable")  # as the store writes them
        sizes = self.lengths[by_length] * (4.0 * self.shape[0] * self.shape[1])
        # Half of the memory is for a window, and half for dev and for batches.
        block = self._memory / (2 * BLOCKS_IN_A_WINDOW)
        places = (np.cumsum(sizes) - sizes) // block
        blocks = np.split(by_length, np.flatnonzero(np.diff(places)) + 1)
        order = random.permutation(len(blocks))
        for begin in range(0, len(order), BLOCKS_IN_A_WINDOW):
            yield np.concatenate([blocks[place] for place in order[begin : begin + BLOCKS_IN_A_WINDOW]])

    def _standardised(self, row: int, read: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._figures is None:
            return read
        figures = self._figures
        mean, scale = figures[self.examples.speakers[row]] if isinstance(figures, dict) else figures
        return standardise_frames(read, mean, scale)


def padded(arrays: Sequence[NDArray[np.float32]], rows: NDArray[np.int64], device: str) -> Batch:
    """Frames (L, T_i, D) of B utterances side by side, on a device."""
    lengths = [array.shape[1] for array in arrays]
    layers, _, dim = arrays[0].shape
    x = np.zeros((len(arrays), layers, max(lengths), dim), np.float32)
    for place, array in enumerate(arrays):
        x[place, :, : lengths[place]] = array
    mask = np.arange(max(lengths)) < np.array(lengths)[:, np.newaxis]
    return Batch(torch.from_numpy(x).to(device), torch.from_numpy(mask).to(device), torch.from_numpy(rows))


def _pieces(features: Any) -> Sequence[NDArray[np.float32]]:
    """The utterances of an example: itself, or what was said before."""
    return features if isinstance(features, tuple) else (features,)


def _said(examples: Examples, what: str, reading: Reading) -> list[Said]:
    """Turn and frames of every utterance that was said before.

    Raises:
        BenchError: An example has other turns than the first, a turn without an utterance, or no features of each.
    """
    turns = examples.turns or ()
    count = int(turns[0].max()) + 1
    found = []
    for name, features, spoken in zip(examples.ids, examples.x, turns, strict=True):
        if set(spoken.tolist()) != set(range(count)) or (np.diff(spoken) < 0).any():
            raise BenchError(f"{name!r} in {what} has the turns {spoken.tolist()}", f"expected 0 to {count - 1}")
        pieces = _pieces(features)
        if len(pieces) != len(spoken):
            raise BenchError(
                f"{name!r} in {what} has features of {len(pieces)} utterances and turns of {len(spoken)}",
                "a head of sequences of frames needs those of each utterance",
            )
        found.append(tuple((int(turn), reading.frames(x)) for turn, x in zip(spoken, pieces, strict=True)))
    return found
