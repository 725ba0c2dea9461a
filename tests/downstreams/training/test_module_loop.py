"""The loop of one module: when it evaluates, stops, and what it keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from downstreams.params.frames import FramesParams
from downstreams.training.frames import Batch
from downstreams.training.module_loop import train_module

RECIPE = {
    "layers": "last",
    "normalisation": "none",
    "max_frames": None,
    "batch_size": 4,
    "optimiser": {"name": "sgd", "learning_rate": 1.0},
    "maximum": 5,
    "patience": None,
    "select_on": "loss",
}


class Weight(nn.Module):
    """One weight, whose loss is itself: each step of sgd at rate 1 takes 1 from it."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))


def train(scores: list[float] | None = None, batches: int = 3, loss: Any = None, **changes: Any) -> tuple[Any, ...]:
    """Train with given dev scores; the weight, best state, curve, and shares that were reported."""
    module, told, shares = Weight(), iter(scores or []), list[float]()

    def epoch() -> Iterator[Batch]:
        for row in range(batches):
            yield Batch(torch.zeros(1), torch.zeros(1), torch.tensor([row]))

    def evaluate() -> tuple[float, float] | None:
        score = next(told, float(-module.w.detach()))
        return None if math.isnan(score) else (score, -score)

    params = FramesParams.model_validate({**RECIPE, **changes})

    def gradients(batch: Batch, number: int) -> float:
        value = loss(batch, number) if loss else module.w.sum()
        (value / params.accumulate).backward()
        return value.item()

    best, curve = train_module(
        module,
        params,
        epoch=epoch,
        gradients=gradients,
        evaluate=evaluate,
        report=shares.append,
    )
    return module.w.item(), best, curve, shares


def test_a_fixed_budget_of_epochs() -> None:
    weight, best, curve, shares = train()
    assert (weight, best.when) == (-15, 5)  # three steps an epoch
    assert [point.when for point in curve] == [1, 2, 3, 4, 5]
    assert [point.train_loss for point in curve] == [-1, -4, -7, -10, -13]  # means of 0, -1, -2 and so on
    assert shares == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])


def test_the_best_state_is_restored() -> None:
    weight, best, curve, _ = train([1, 3, 2, 3, 0])
    assert (weight, best.when, best.score) == (-6, 2, 3)
    assert [point.dev_score for point in curve] == [1, 3, 2, 3, 0]


def test_patience_ends_training() -> None:
    _, best, curve, _ = train([1, 3, 2, 1, 9], patience=2)
    assert best.when == 2
    assert len(curve) == 4


def test_steps_and_accumulation_run_on_from_one_epoch_into_the_next() -> None:
    weight, _, curve, _ = train(unit="steps", maximum=4, evaluate_every=2, accumulate=2)
    assert weight == -4  # two batches of gradient 1, halved, in each step
    assert [point.when for point in curve] == [2, 4]


def test_the_gradient_is_clipped_by_value_or_by_norm() -> None:
    assert train(clip_value=0.5)[0] == -7.5
    assert train(clip_norm=0.1)[0] == pytest.approx(-1.5, rel=1e-4)


def test_the_rate_follows_the_schedule_by_epoch_or_by_step() -> None:
    warm = {"kind": "warmup", "rise": 2, "total": 4}
    assert train(schedule=warm)[0] == -3 * (1 + 0 + 0.5 + 1 + 0.5)
    assert train(schedule={**warm, "per": "step"})[0] == -(1 + 0 + 0.5 + 1 + 0.5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_training_with_the_best_state_so_far(bad: float) -> None:
    module_losses = iter([torch.ones(1, requires_grad=True).sum()] * 4 + [torch.tensor(bad, requires_grad=True)])
    _, best, curve, _ = train([1, 2, 3], loss=lambda batch, epoch: next(module_losses))
    assert best.when == 1
    assert len(curve) == 1


def test_divergence_at_once_leaves_no_state() -> None:
    _, best, curve, _ = train(loss=lambda batch, epoch: torch.tensor(math.nan, requires_grad=True))
    assert (best, curve) == (None, [])
    assert train([math.nan])[1] is None


def test_fewer_batches_than_are_accumulated_take_no_step_but_are_evaluated() -> None:
    weight, best, curve, _ = train(batches=1, accumulate=100)
    assert (weight, best.when) == (0, 1)
    assert len(curve) == 5
