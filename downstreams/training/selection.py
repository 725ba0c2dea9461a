"""What selects a head: its score or loss on utterances that it was not fitted on, and whether that is above chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from benchmark.metrics import Metric
from benchmark.sufficient import STATISTICS
from benchmark.types import Examples
from downstreams.training.batches import Step
from downstreams.training.losses import Loss
from downstreams.training.targets import Targets, Values, selecting_metric, truth_of

LOSS = "loss"  # selects on the loss that is minimised
CHANCE_LEVEL = 0.05  # how often a selection that is no better than chance passes, were there one state to choose from


@dataclass(frozen=True)
class State:
    """A member as it was at one evaluation.

    Attributes:
        score: On held-out utterances; higher is better.
        loss: On them.
        when: Epoch or optimiser step, counted from 1.
        parameters: One member's, not stacked; of each train set that it was fitted on.
        scores: (n, K) of the held-out utterances.
    """

    score: float
    loss: float
    when: int
    parameters: tuple[tuple[Tensor, ...], ...] = ()
    scores: Values | None = None


class Search:
    """The best state of every member so far, and who goes on.

    Args:
        members: M.
        patience: A member ends after so many evaluations in a row without a better score or a lower loss; None: never.
        ties: Which of two equal scores is better: that of lower loss, or the first.

    Attributes:
        best: The best state of each of the M members; None where it diverged before its first evaluation.
    """

    def __init__(self, members: int, patience: int | None, ties: Literal["loss", "first"]) -> None:
        self.best: list[State | None] = [None] * members
        self._lowest = [math.inf] * members
        self._waited = [0] * members
        self._patience = patience
        self._ties = ties

    def note(self, member: int, state: State) -> bool:
        """Take an evaluation into account.

        Args:
            member: In 0..M-1.
            state: As it is; its tensors are copied if they are kept.

        Returns:
            Whether the member goes on.
        """
        best = self.best[member]
        improved = state.loss < self._lowest[member] or best is None or state.score > best.score
        self._lowest[member] = min(self._lowest[member], state.loss)
        if best is None or self._better(state, best):
            kept = tuple(tuple(tensor.clone() for tensor in own) for own in state.parameters)
            self.best[member] = State(state.score, state.loss, state.when, kept, state.scores)
        self._waited[member] = 0 if improved else self._waited[member] + 1
        return self._patience is None or self._waited[member] < self._patience

    def told(self, member: int) -> tuple[dict[str, Any], tuple[Tensor, ...]]:
        """What is known of a member that has one train set, for `restore`: plain values, and its best parameters."""
        best = self.best[member]
        about = {"lowest": self._lowest[member], "waited": self._waited[member], "best": None}
        if best is None:
            return about, ()
        return {**about, "best": {"score": best.score, "loss": best.loss, "when": best.when}}, best.parameters[0]

    def restore(self, member: int, about: Mapping[str, Any], parameters: Sequence[Tensor]) -> None:
        """Go on from what was told."""
        self._lowest[member], self._waited[member] = about["lowest"], about["waited"]
        best = about["best"]
        self.best[member] = None if best is None else State(**best, parameters=(tuple(parameters),))

    def ranking(self) -> list[int]:
        """The members that did not diverge at once, the best first; of equals the first first."""
        return sorted((member for member, state in enumerate(self.best) if state is not None), key=self._rank)

    def _rank(self, member: int) -> tuple[float, float]:
        state = self.best[member]
        if state is None:
            return math.inf, math.inf
        return -state.score, state.loss if self._ties == "loss" else 0.0

    def _better(self, state: State, than: State) -> bool:
        if state.score != than.score:
            return state.score > than.score
        return self._ties == "loss" and state.loss < than.loss


@dataclass(frozen=True)
class Judge:
    """Judges members by held-out utterances: of a dev set, or of inner folds, pooled before anything is computed.

    Attributes:
        on: The metric that selects, or the loss.
        metric: Of the task, or the one that selects: by it the selection is held against chance.
        loss: What is minimised.
        targets: How the outputs for each part are turned into scores.
        common: Units in which the loss of all parts together is taken.
        truth: Class indices (n,) or values (n, k) of all held-out utterances, part after part.
        learnt: (n, K) the same, as learnt in the common units.
        speakers: The n speakers.
    """

    on: str
    metric: Metric
    loss: Loss
    targets: tuple[Targets, ...]
    common: Targets
    truth: NDArray[Any]
    learnt: Tensor
    speakers: tuple[str, ...]

    @classmethod
    def of(
        cls, on: str, loss: Loss, targets: Sequence[Targets], common: Targets, held_out: Sequence[Examples]
    ) -> Judge:
        """Take the truth of what is held out.

        Args:
            on: "loss", "primary" for the task's primary metric, or a metric's name.
            loss: What is minimised.
            targets: Of each part.
            common: Of everything that may be fitted on.
            held_out: The utterances of each part, at least one in all.

        Raises:
            BenchError: The metric is of the other kind, or there are no targets.
        """
        first = held_out[0]
        metric = selecting_metric("primary" if on == LOSS else on, first)
        truth = np.concatenate([truth_of(one, "dev") for one in held_out])
        learnt = torch.from_numpy(np.concatenate([common.learnt(one, "dev") for one in held_out]))
        speakers = tuple(name for one in held_out for name in one.speakers)
        name = LOSS if on == LOSS else metric.name
        return cls(name, metric, loss, tuple(targets), common, truth, learnt, speakers)

    def state(self, outputs: Sequence[Tensor], when: int, parameters: Sequence[Sequence[Tensor]]) -> State | None:
        """Judge one member by its outputs for each part; None where they or their loss are not finite.

        Args:
            outputs: (n_i, K) of each part.
            when: Epochs or steps done.
            parameters: That are kept if the state is the best.
        """
        values = [part.detach().cpu().double().numpy() for part in outputs]
        scores = np.concatenate([own.scores(part) for own, part in zip(self.targets, values, strict=True)])
        if not np.isfinite(scores).all():
            return None
        together = torch.from_numpy((scores - self.common.offset) / self.common.unit)
        whole = Step(torch.arange(len(self.learnt), device="cpu"), (len(self.learnt),), 1)
        loss = float(self.loss.value(together.unsqueeze(0), self.learnt, whole)[0])
        if not math.isfinite(loss):
            return None
        if self.on == LOSS:
            return State(-loss, loss, when, tuple(map(tuple, parameters)), scores)
        reached = self._reached(STATISTICS[self.metric.kind].of(self.truth, scores))
        sign = 1.0 if self.metric.higher_is_better else -1.0
        return State(sign * reached, loss, when, tuple(map(tuple, parameters)), scores)

    def reported(self, state: State) -> float:
        """The score of a state as it is reported: a metric as it is, whichever its direction, or the loss."""
        return state.score if self.on != LOSS and self.metric.higher_is_better else -state.score

    def is_above_chance(self, state: State) -> bool:
        """Whether the metric of the held-out utterances is surely above what the best constant answer reaches.

        The one-sided 95 % bound of Student's t over the speakers, by the jackknife. A single speaker's utterances take
        the place of speakers, as if they were independent. It is a rule of thumb: the state is the best of many, and
        its speakers share what they were fitted on.

        Args:
            state: The selected one.
        """
        if state.scores is None:
            return False
        kind = STATISTICS[self.metric.kind]
        names = np.array(self.speakers if len(set(self.speakers)) > 1 else range(len(self.truth)))
        parts = np.stack([kind.of(self.truth[names == name], state.scores[names == name]) for name in np.unique(names)])
        total, count = parts.sum(axis=0), len(parts)
        if count < 2:
            return False
        sign = 1.0 if self.metric.higher_is_better else -1.0
        without = np.array([self._reached(total - part) for part in parts])
        without = without[np.isfinite(without)]
        error = math.sqrt((count - 1) / count * float(np.square(without - without.mean()).sum()))
        margin = float(stats.t.ppf(1 - CHANCE_LEVEL, count - 1)) * error
        return sign * (self._reached(total) - self._constant(total)) > margin

    def _reached(self, statistics: NDArray[Any]) -> float:
        return float(self.metric.compute(statistics))

    def _constant(self, total: NDArray[Any]) -> float:
        """What the best constant answer reaches: a class, or the mean of each dimension."""
        if self.metric.kind == "classification":
            answers = [np.where(np.arange(len(total)) == k, total.sum(axis=1)[:, None], 0) for k in range(len(total))]
            found = [self._reached(answer) for answer in answers]
            return max(found) if self.metric.higher_is_better else min(found)
        n, t, tt = total[:, 0], total[:, 1], total[:, 3]
        return self._reached(np.stack([n, t, t, tt, t * t / n, t * t / n], axis=1))
