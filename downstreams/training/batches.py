"""Dealing the training utterances into optimiser steps, and the schedule that says how many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """How long to train and when to look at dev.

    Attributes:
        batch_size: Utterances in a micro-batch; the last one of an epoch holds what is left.
        accumulate: Micro-batches in an optimiser step; accumulation runs on from one epoch into the next.
        clip: Largest L2 norm of a member's gradient; None for no clipping.
        unit: What `maximum` and `evaluate_every` count: passes over train, or optimiser steps.
        maximum: When to end at the latest.
        evaluate_every: Units between two evaluations on dev.
        patience: A member ends after so many evaluations in a row without a better dev score or a lower dev loss;
            None for never.
        ties: Which of two equal dev scores is better: that of lower dev loss, or the first.
    """

    batch_size: int
    accumulate: int
    clip: float | None
    unit: Literal["epochs", "steps"]
    maximum: int
    evaluate_every: int
    patience: int | None
    ties: Literal["loss", "first"]


@dataclass(frozen=True)
class Step:
    """The utterances of one optimiser step, in micro-batches.

    Attributes:
        indices: (n,) int64 positions in train.
        sizes: Sizes of the micro-batches, which sum to n.
        accumulate: The loss of the step is the sum of its micro-batches' mean losses, divided by this.
    """

    indices: Tensor
    sizes: tuple[int, ...]
    accumulate: int

    @property
    def weights(self) -> list[float]:
        """Weight of each utterance in the loss of the step, where a micro-batch's loss is a mean over utterances."""
        return [1.0 / (size * self.accumulate) for size in self.sizes for _ in range(size)]


def rounds(n: int, schedule: Schedule, generator: np.random.Generator) -> Iterator[tuple[int, list[Step]]]:
    """Deal train into optimiser steps: what is trained from one evaluation to the next.

    Where `accumulate` does not divide an epoch, a step belongs to the epoch in which it is completed.

    Args:
        n: Utterances in train.
        schedule: Sizes and ends.
        generator: Draws a new order for every epoch.

    Yields:
        The number of epochs or steps done at the evaluation, and the steps that lead there.
    """
    pending: list[Tensor] = []
    steps: list[Step] = []
    done = 0
    for epoch in count(1):
        order = torch.from_numpy(generator.permutation(n))
        for micro_batch in torch.split(order, schedule.batch_size):
            pending.append(micro_batch)
            if len(pending) < schedule.accumulate:
                continue
            steps.append(Step(torch.cat(pending), tuple(len(part) for part in pending), schedule.accumulate))
            pending = []
            if schedule.unit == "steps":
                done += 1
                if done % schedule.evaluate_every == 0:
                    yield done, steps
                    steps = []
                if done == schedule.maximum:
                    return
        if schedule.unit == "epochs":
            if epoch % schedule.evaluate_every == 0:
                yield epoch, steps
                steps = []
            if epoch == schedule.maximum:
                return
