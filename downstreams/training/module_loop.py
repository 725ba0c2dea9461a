"""Gradient training of one torch module, with early stopping on dev: the whole of it, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, islice
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import nn

from benchmark.types import Evaluation
from downstreams.params.frames import LearningParams
from downstreams.training.checkpoints import Checkpoint, Position
from downstreams.training.frames import Batch
from downstreams.training.module_state import changing, restore, trained
from downstreams.training.rates import make_optimiser, set_rate
from downstreams.training.selection import Search, State


def train_module(
    module: nn.Module,
    params: LearningParams,
    *,
    epoch: Callable[[], Iterable[Batch]],
    gradients: Callable[[Batch, int], float],
    evaluate: Callable[[], tuple[float, float] | None],
    report: Callable[[float], None],
    checkpoint: Path | None = None,
    order: np.random.Generator | None = None,
    others: Mapping[str, np.random.Generator] = MappingProxyType({}),
) -> tuple[State | None, list[Evaluation]]:
    """Train a module and put it into its best state on dev.

    It ends when the recipe's maximum is reached, when dev has not improved for `patience` evaluations, or when it
    diverges: at a loss that is not finite, or at outputs on dev that are not.

    Args:
        module: Changed.
        params: The recipe.
        epoch: Deals train into batches, in a new order each time.
        gradients: Adds those of the loss of a batch, divided by the batches in a step, to what parameters have, in an
            epoch counted from 1; gives the loss.
        evaluate: Score on dev (higher is better) and loss; None where the module has diverged.
        report: Told what share of the maximum is done.
        checkpoint: File in which a training is kept, and from which it goes on; None for none.
        order: Decides on the order of batches in `epoch`; needed where there is a checkpoint.
        others: All that is drawn from beside.

    Returns:
        The best state, None where the module diverged before its first evaluation; and every evaluation.
    """
    search = Search(1, params.patience, params.ties)
    optimiser = make_optimiser(params.optimiser, trained(module))
    curve: list[Evaluation] = []
    kept = None
    if checkpoint is not None and order is not None:
        kept = Checkpoint(checkpoint, module, optimiser, search, curve, order, others)
    for done, losses in _trained(module, params, optimiser, epoch, gradients, kept):
        found = evaluate() if all(map(math.isfinite, losses)) else None
        if found is None:
            break
        score, dev_loss = found
        curve.append(Evaluation(done, sum(losses) / len(losses) if losses else None, dev_loss, score))
        report(done / params.maximum)
        if not search.note(0, State(score, dev_loss, done, (tuple(changing(module).values()),))):
            break
    best = search.best[0]
    if best is not None:
        restore(module, dict(zip(changing(module), best.parameters[0], strict=True)))
    return best, curve


def _trained(
    module: nn.Module,
    params: LearningParams,
    optimiser: torch.optim.Optimizer,
    epoch: Callable[[], Iterable[Batch]],
    gradients: Callable[[Batch, int], float],
    checkpoint: Checkpoint | None,
) -> Iterator[tuple[int, list[float]]]:
    """Train up to each evaluation: epochs or steps done, and the losses of the batches since the last one."""
    begun = Position() if checkpoint is None else checkpoint.resume()
    steps, waiting, losses = begun.steps, 0, begun.losses
    for number in count(begun.epoch):
        if params.schedule.per == "epoch":
            set_rate(optimiser, params.optimiser, params.schedule, number - 1)
        if checkpoint is not None:
            checkpoint.begin_epoch()
        done = begun.batches if number == begun.epoch else 0
        for place, batch in enumerate(islice(epoch(), done, None), done + 1):
            module.train()
            losses.append(gradients(batch, number))
            if not math.isfinite(losses[-1]):
                yield number, losses
                return
            waiting += 1
            if waiting < params.accumulate:
                continue
            if params.schedule.per == "step":
                set_rate(optimiser, params.optimiser, params.schedule, steps)
            _clip(module, params)
            optimiser.step()
            optimiser.zero_grad()
            steps, waiting = steps + 1, 0
            if params.unit == "steps" and steps % params.evaluate_every == 0:
                yield steps, losses
                losses = []
            if params.unit == "steps" and steps == params.maximum:
                return
            if checkpoint is not None:
                checkpoint.write_if_due(Position(number, place, steps, losses))
        if params.unit == "epochs" and number % params.evaluate_every == 0:
            yield number, losses
            losses = []
        if params.unit == "epochs" and number == params.maximum:
            return


def _clip(module: nn.Module, params: LearningParams) -> None:
    if params.clip_norm is not None:
        nn.utils.clip_grad_norm_(module.parameters(), params.clip_norm)
    if params.clip_value is not None:
        nn.utils.clip_grad_value_(module.parameters(), params.clip_value)
