"""Gradient training of small heads, several at once, judged by utterances that they were not fitted on.

Members are heads that differ in their learning rate. They start from the same parameters, see the same batches and are
trained as one stack of parameters, but each is clipped, judged, selected and stopped by itself, as if it had been
trained alone. Nothing here depends on torch's global state: the random numbers come from the caller's generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from downstreams.training.adam import StackedAdam
from downstreams.training.batches import Schedule, rounds
from downstreams.training.gradients import Data, Forward, Gradients
from downstreams.training.selection import Judge, Search


class Training:
    """Members that are fitted on one train set.

    Args:
        gradients: The derivative of the loss by the parameters.
        start: One member's initial parameters; not changed.
        learning_rates: One for each of the M members.
        train: What is fitted.
        schedule: How long, in what steps.
        generator: Draws the order of the utterances.

    Attributes:
        parameters: Of those that go on, stacked.
    """

    def __init__(
        self,
        gradients: Gradients,
        *,
        start: Sequence[Tensor],
        learning_rates: Sequence[float],
        train: Data,
        schedule: Schedule,
        generator: np.random.Generator,
    ) -> None:
        self._gradients = gradients
        self._optimiser = StackedAdam(start, learning_rates)
        self._train = train
        self._clip = schedule.clip
        self._rounds = rounds(len(train.y), schedule, generator)

    @property
    def parameters(self) -> list[Tensor]:
        """Of the members that go on, stacked: (M, ...) each, views."""
        return self._optimiser.parameters

    def advance(self) -> int | None:
        """Train up to the next evaluation: epochs or steps done in all; None when training has come to its end."""
        done, steps = next(self._rounds, (None, []))
        for step in steps:
            self._gradients.measure(self._optimiser.parameters, self._train, step)
            for row in range(len(self._optimiser.learning_rates)):
                self._gradients.write(row, self._optimiser.gradient)
                if self._clip is not None:
                    self._optimiser.clip(self._clip)
                self._optimiser.step(row)
        return done

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members, by their rows in the stack."""
        self._optimiser.keep(rows)


@dataclass(frozen=True)
class Split:
    """A train set and what is held out of it: a fold's train and dev, or an inner fold.

    Attributes:
        train: What is fitted.
        held_out: (L, n, D) of what judges, standardised as train is.
    """

    train: Data
    held_out: Tensor


def train_members(
    forward: Forward,
    gradients: Sequence[Gradients],
    *,
    start: Sequence[Tensor],
    learning_rates: Sequence[float],
    splits: Sequence[Split],
    judge: Judge,
    schedule: Schedule,
    generators: Sequence[np.random.Generator],
    keep_parameters: bool,
) -> Search:
    """Train one head at several learning rates, on one train set or on those of all inner folds, side by side.

    A member is one learning rate: with inner folds it is a head of each of them, and these are judged together. One
    whose outputs or loss on held-out utterances are no longer finite has diverged: it ends, and keeps its earlier best
    state.

    Args:
        forward: From stacked parameters (M, ...) and x (L, n, D) to outputs (M, n, K).
        gradients: The derivative of the loss by the parameters, one object for each split.
        start: One member's initial parameters; not changed.
        learning_rates: One for each of the M members.
        splits: What is fitted and what judges.
        judge: Of the members' outputs.
        schedule: How long, in what steps.
        generators: Draw the order of the utterances of each split.
        keep_parameters: Whether best states keep their parameters.

    Returns:
        The best state of every member.
    """
    search = Search(len(learning_rates), schedule.patience, schedule.ties)
    members = list(range(len(learning_rates)))
    trainings = [
        Training(
            own, start=start, learning_rates=learning_rates, train=split.train, schedule=schedule, generator=generator
        )
        for own, split, generator in zip(gradients, splits, generators, strict=True)
    ]
    while members:
        done = None
        for training in trainings:  # of one schedule: they come to the same number
            done = training.advance()
        if done is None:
            break
        with torch.no_grad():
            outputs = [
                forward(training.parameters, split.held_out) for training, split in zip(trainings, splits, strict=True)
            ]
        rows = []
        for row, member in enumerate(members):
            own = [[stack[row] for stack in one.parameters] for one in trainings] if keep_parameters else []
            state = judge.state([stack[row] for stack in outputs], done, own)
            if state is not None and search.note(member, state):
                rows.append(row)
        if len(rows) < len(members):
            members = [members[row] for row in rows]
            for training in trainings:
                training.keep(rows)
    return search
