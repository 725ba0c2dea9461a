"""Gradient training of small heads, several at once, with early stopping on dev.

Members are heads that differ in their learning rate. They start from the same parameters, see the same batches and are
trained as one stack of parameters, but each is clipped, evaluated, selected and stopped by itself, as if it had been
trained alone. Nothing here depends on torch's global state: the random numbers come from the caller's generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from downstreams.training.adam import StackedAdam
from downstreams.training.batches import Schedule, Step, rounds
from downstreams.training.gradients import Data, Forward, Gradients
from downstreams.training.losses import Loss


@dataclass(frozen=True)
class State:
    """A member as it was at one evaluation.

    Attributes:
        score: On dev; higher is better.
        loss: On dev.
        when: Epoch or optimiser step, counted from 1.
        parameters: One member's, not stacked.
    """

    score: float
    loss: float
    when: int
    parameters: tuple[Tensor, ...]


class Search:
    """The best state of every member so far, and who goes on.

    Attributes:
        best: The best state of each of the M members; None where it diverged before its first evaluation.
    """

    def __init__(self, members: int, schedule: Schedule) -> None:
        self.best: list[State | None] = [None] * members
        self._lowest = [float("inf")] * members
        self._waited = [0] * members
        self._schedule = schedule

    def note(self, member: int, score: float, loss: float, when: int, parameters: Sequence[Tensor]) -> bool:
        """Take an evaluation into account.

        Args:
            member: In 0..M-1.
            score: On dev, higher is better.
            loss: On dev.
            when: Epochs or steps done.
            parameters: The member's; copied if they are kept.

        Returns:
            Whether the member goes on.
        """
        best = self.best[member]
        improved = loss < self._lowest[member] or best is None or score > best.score
        self._lowest[member] = min(self._lowest[member], loss)
        if best is None or self._better(score, loss, best):
            self.best[member] = State(score, loss, when, tuple(tensor.clone() for tensor in parameters))
        self._waited[member] = 0 if improved else self._waited[member] + 1
        return self._schedule.patience is None or self._waited[member] < self._schedule.patience

    def state(self, member: int) -> tuple[dict[str, Any], tuple[Tensor, ...]]:
        """What is known of a member, for `restore`: plain values, and the parameters of its best state."""
        best = self.best[member]
        about = {"lowest": self._lowest[member], "waited": self._waited[member], "best": None}
        if best is None:
            return about, ()
        return {**about, "best": {"score": best.score, "loss": best.loss, "when": best.when}}, best.parameters

    def restore(self, member: int, about: Mapping[str, Any], parameters: Sequence[Tensor]) -> None:
        """Go on from what `state` told."""
        self._lowest[member], self._waited[member] = about["lowest"], about["waited"]
        best = about["best"]
        self.best[member] = None if best is None else State(**best, parameters=tuple(parameters))

    def ranking(self) -> list[int]:
        """The members that did not diverge at once, the best first; of equals the first first."""
        return sorted((member for member, state in enumerate(self.best) if state is not None), key=self._rank)

    def winner(self) -> tuple[int, State] | None:
        """The best member, the first of equals, and its state; None where every member diverged at once."""
        for member in self.ranking():
            state = self.best[member]
            if state is not None:
                return member, state
        return None

    def _rank(self, member: int) -> tuple[float, float]:
        state = self.best[member]
        if state is None:
            return math.inf, math.inf
        return -state.score, state.loss if self._schedule.ties == "loss" else 0.0

    def _better(self, score: float, loss: float, than: State) -> bool:
        if score != than.score:
            return score > than.score
        return self._schedule.ties == "loss" and loss < than.loss


def train_members(
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
    generator: torch.Generator,
) -> Search:
    """Train one head at several learning rates.

    A member whose outputs or loss on dev are no longer finite has diverged: it ends, and keeps its earlier best state.

    Args:
        forward: From stacked parameters (M, ...) and x (L, n, D) to outputs (M, n, K).
        loss: What is minimised.
        gradients: The derivative of the loss by the parameters.
        start: One member's initial parameters; not changed.
        learning_rates: One for each of the M members.
        train: What is fitted.
        dev: What is selected on.
        score: From one member's outputs on dev (n, K) to its score, higher is better; called with finite outputs.
        schedule: How long, in what steps.
        generator: Draws the order of the utterances.

    Returns:
        The best state of every member.
    """
    search = Search(len(learning_rates), schedule)
    members = list(range(len(learning_rates)))
    optimiser = StackedAdam(start, learning_rates)
    for done, steps in rounds(len(train.y), schedule, generator):
        for step in steps:
            gradients.measure(optimiser.parameters, train, step)
            for row in range(len(members)):
                gradients.write(row, optimiser.gradient)
                if schedule.clip is not None:
                    optimiser.clip(schedule.clip)
                optimiser.step(row)
        outputs, losses = _evaluate(forward, loss, optimiser.parameters, dev)
        rows = []
        for row, member in enumerate(members):
            if not (math.isfinite(losses[row]) and bool(outputs[row].isfinite().all())):
                continue
            own = [stack[row] for stack in optimiser.parameters]
            if search.note(member, score(outputs[row]), losses[row], done, own):
                rows.append(row)
        if len(rows) < len(members):
            members = [members[row] for row in rows]
            optimiser.keep(rows)
        if not members:
            break
    return search


def _evaluate(forward: Forward, loss: Loss, parameters: Sequence[Tensor], dev: Data) -> tuple[Tensor, list[float]]:
    whole = Step(torch.arange(len(dev.y), device="cpu"), (len(dev.y),), 1)
    with torch.no_grad():
        outputs = forward(parameters, dev.x)
        return outputs, loss.value(outputs, dev.y, whole).tolist()
