"""Gradient training of one torch module, with early stopping on dev: the whole of it, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count

import torch
from torch import Tensor, nn

from benchmark.types import Evaluation
from downstreams.params.frames import LearningParams
from downstreams.training.batches import Schedule
from downstreams.training.frames import Batch
from downstreams.training.loop import Search, State
from downstreams.training.rates import make_optimiser, set_rate


def train_module(
    module: nn.Module,
    params: LearningParams,
    *,
    epoch: Callable[[], Iterable[Batch]],
    gradients: Callable[[Batch, int], float],
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
        gradients: Adds those of the loss of a batch, divided by the batches in a step, to what parameters have, in an
            epoch counted from 1; gives the loss.
        evaluate: Score on dev (higher is better) and loss; None where the module has diverged.
        report: Told what share of the maximum is done.

    Returns:
        The best state, None where the module diverged before its first evaluation; and every evaluation.
    """
    search = Search(1, search_schedule(params))
    optimiser = make_optimiser(params.optimiser, trained(module))
    curve: list[Evaluation] = []
    for done, losses in _trained(module, params, optimiser, epoch, gradients):
        found = evaluate() if all(map(math.isfinite, losses)) else None
        if found is None:
            break
        score, dev_loss = found
        curve.append(Evaluation(done, sum(losses) / len(losses) if losses else None, dev_loss, score))
        report(done / params.maximum)
        if not search.note(0, score, dev_loss, done, list(changing(module).values())):
            break
    best = search.best[0]
    if best is not None:
        restore(module, dict(zip(changing(module), best.parameters, strict=True)))
    return best, curve


def trained(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def changing(module: nn.Module) -> dict[str, Tensor]:
    """What training can change, by name: all of the state but frozen parameters."""
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def restore(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put a module into the state that `changing` told."""
    module.load_state_dict({**module.state_dict(), **state})


def _trained(
    module: nn.Module,
    params: LearningParams,
    optimiser: torch.optim.Optimizer,
    epoch: Callable[[], Iterable[Batch]],
    gradients: Callable[[Batch, int], float],
) -> Iterator[tuple[int, list[float]]]:
    """Train up to each evaluation: epochs or steps done, and the losses of the batches since the last one."""
    steps, waiting, losses = 0, 0, list[float]()
    for number in count(1):
        if params.schedule.per == "epoch":
            set_rate(optimiser, params.optimiser, params.schedule, number - 1)
        for batch in epoch():
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


def search_schedule(params: LearningParams) -> Schedule:
    """The part of the recipe by which states on dev are compared."""
    return Schedule(
        batch_size=params.batch_size,
        accumulate=params.accumulate,
        clip=params.clip_norm,
        unit=params.unit,
        maximum=params.maximum,
        evaluate_every=params.evaluate_every,
        patience=params.patience,
        ties=params.ties,
    )
