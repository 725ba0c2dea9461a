"""Training members of one train set and judging them by a function of their outputs, as a fold with a dev set does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from downstreams.training.batches import Schedule, Step
from downstreams.training.gradients import Data, Forward, Gradients
from downstreams.training.initial import generator_of
from downstreams.training.loop import Split, train_members
from downstreams.training.losses import Loss
from downstreams.training.selection import Judge, Search, State


class Judging:
    """Judges outputs for one dev set by any function of them."""

    def __init__(self, score: Callable[[Tensor], float], loss: Loss, y: Tensor) -> None:
        self._score, self._loss, self._y = score, loss, y

    def state(self, outputs: Sequence[Tensor], when: int, parameters: Sequence[Sequence[Tensor]]) -> State | None:
        """As `Judge.state`."""
        (own,) = outputs
        whole = Step(torch.arange(len(self._y)), (len(self._y),), 1)
        loss = float(self._loss.value(own.unsqueeze(0), self._y, whole)[0])
        if not (math.isfinite(loss) and bool(own.isfinite().all())):
            return None
        return State(self._score(own), loss, when, tuple(map(tuple, parameters)))


def train_alike(
    forward: Forward,
    loss: Loss,
    gradients: Gradients,
    *,
    start: Sequence[Tensor],
    learning_rates: Sequence[float],
    train: Data,
    dev: Data,
    score: Callable[[Tensor], float],
    schedule: Schedule,
    seed: int = 5,
) -> Search:
    """Train one head at several learning rates, selected on dev by its score."""
    judge: Any = Judging(score, loss, dev.y)
    return train_members(
        forward,
        [gradients],
        start=start,
        learning_rates=learning_rates,
        splits=[Split(train, dev.x)],
        judge=cast("Judge", judge),
        schedule=schedule,
        generators=[generator_of(seed)],
        keep_parameters=True,
    )
