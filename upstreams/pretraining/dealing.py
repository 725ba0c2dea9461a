"""Dealing recordings into micro-batches of optimiser steps: a pure function of the seed, so a number is a place."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from upstreams.pretraining.recipe import RATE, PretrainingRecipe


class Drawn(IntEnum):
    """What is drawn from a seed of its own."""

    WEIGHTS = 0
    ORDER = 1
    MICRO_BATCH = 2
    DROPOUT = 3


def generator(seed: int, what: Drawn, number: int = 0) -> np.random.Generator:
    """A random generator for one purpose and, where there are many, for one of them."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, what, number])))


@dataclass(frozen=True)
class MicroBatch:
    """A batch of recordings of like length.

    Attributes:
        number: Of all micro-batches of a training, from 0.
        epoch: From 0.
        recordings: Positions in the list of recordings.
    """

    number: int
    epoch: int
    recordings: tuple[int, ...]


class Deal:
    """Micro-batches of a training, one after the other, epoch after epoch.

    Recordings are sorted by length, equal ones in random order, and cut into micro-batches of at most `batch.tokens`
    samples, counted as the longest times their number; the micro-batches are shuffled. Every epoch has as many. As
    facebookresearch/fairseq, raw_audio_dataset.py and batch_by_size.

    Args:
        durations: Of the recordings [s].
        recipe: Sizes and the seed.
    """

    def __init__(self, durations: Sequence[float], recipe: PretrainingRecipe) -> None:
        longest = round(recipe.audio.longest * RATE)
        self._samples = np.minimum(np.round(np.asarray(durations) * RATE).astype(np.int64), longest)
        self._recipe = recipe
        self.epoch = functools.lru_cache(maxsize=2)(self._epoch)

    @property
    def in_an_epoch(self) -> int:
        """How many."""
        return len(self.epoch(0))

    def _epoch(self, number: int) -> list[NDArray[np.int64]]:
        random = generator(self._recipe.seed, Drawn.ORDER, number)
        ties = random.permutation(len(self._samples))
        order = ties[np.argsort(-self._samples[ties], kind="stable")]
        micro_batches, begin = [], 0
        while begin < len(order):
            size = max(1, self._recipe.batch.tokens // int(self._samples[order[begin]]))
            micro_batches.append(order[begin : begin + size])
            begin += size
        return [micro_batches[place] for place in random.permutation(len(micro_batches))]

    def micro_batch(self, number: int) -> MicroBatch:
        """One of all micro-batches."""
        epoch, place = divmod(number, self.in_an_epoch)
        return MicroBatch(number, epoch, tuple(map(int, self.epoch(epoch)[place])))

    def step(self, number: int, rank: int = 0, world: int = 1) -> list[MicroBatch]:
        """The micro-batches of a step, from 0, that one of several processes takes."""
        micro_batches = self._recipe.batch.micro_batches
        return [self.micro_batch(number * micro_batches + place) for place in range(rank, micro_batches, world)]
