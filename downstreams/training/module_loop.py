"""Gradient training of one torch module, with early stopping on dev: the whole of it, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import count

import torch
from torch import Tensor, nn

from benchmark.types import Evaluation
from downstreams.params.frames import FramesParams
from downstreams.training.frames import Batch
from downstreams.training.rates import make_optimiser, set_rate
from downstreams.training.selection import Search, State


def train_module(
    module: nn.Module,
    params: FramesParams,
    *,
    epoch: Callable[[], Iterable[Batch]],
    loss: Callable[[Batch, int], Tensor],
    evaluate: Callable[[], tuple[float, float] | None],
    report: Callable[[float], None],
) -> tuple[State | None, list[Evaluation]]:
    """Train a module and put it into its best state on dev.

    It ends when the recipe's maximum is reached, when dev has not improved for `patience` evaluations, or when it
    diverges: at a loss that is not finite, or at outputs on dev that are not.

    Args:
        module: Changed.
        params: The recipe.
        epoch: Deals train into batches, in a new order each time.
        loss: Of a batch in an epoch, counted from 1; a scalar.
        evaluate: Score on dev (higher is better) and loss; None where the module has diverged.
        report: Told what share of the maximum is done.

    Returns:
        The best state, None where the module diverged before its first evaluation; and every evaluation.
    """
    search = Search(1, params.patience, params.ties)
    optimiser = make_optimiser(params.optimiser, module.parameters())
    curve: list[Evaluation] = []
    for done, losses in _trained(module, params, optimiser, epoch, loss):
        found = evaluate() if all(map(math.isfinite, losses)) else None
        if found is None:
            break
        score, dev_loss = found
        curve.append(Evaluation(done, sum(losses) / len(losses) if losses else None, dev_loss, score))
        report(done / params.maximum)
        if not search.note(0, State(score, dev_loss, done, (tuple(module.state_dict().values()),))):
            break
    best = search.best[0]
    if best is not None:
        module.load_state_dict(dict(zip(module.state_dict(), best.parameters[0], strict=True)))
    return best, curve


def _trained(
    module: nn.Module,
    params: FramesParams,
    optimiser: torch.optim.Optimizer,
    epoch: Callable[[], Iterable[Batch]],
    loss: Callable[[Batch, int], Tensor],
) -> Iterator[tuple[int, list[float]]]:
    """Train up to each evaluation: epochs or steps done, and the losses of the batches since the last one."""
    steps, waiting, losses = 0, 0, list[float]()
    for number in count(1):
        if params.schedule.per == "epoch":
            set_rate(optimiser, params.optimiser, params.schedule, number - 1)
        for batch in epoch():
            module.train()
            value = loss(batch, number)
            losses.append(float(value.detach()))
            if not math.isfinite(losses[-1]):
                yield number, losses
                return
            (value / params.accumulate).backward()  # type: ignore[no-untyped-call]
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
        if params.unit == "epochs" and number % params.evaluate_every == 0:
            yield number, losses
            losses = []
        if params.unit == "epochs" and number == params.maximum:
            return


def _clip(module: nn.Module, params: FramesParams) -> None:
    if params.clip_norm is not None:
        nn.utils.clip_grad_norm_(module.parameters(), params.clip_norm)
    if params.clip_value is not None:
        nn.utils.clip_grad_value_(module.parameters(), params.clip_value)
