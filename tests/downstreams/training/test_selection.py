"""What selects: a metric or the loss of pooled held-out utterances; and when that is above chance."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.metrics import score
from benchmark.types import Examples
from downstreams.training.losses import CCC, CROSS_ENTROPY
from downstreams.training.selection import Judge, Search, State
from downstreams.training.targets import Targets


def judge_of(on: str, *parts: Examples) -> Judge:
    loss = CROSS_ENTROPY if parts[0].kind == "classification" else CCC
    return Judge.of(on, loss, [Targets.fit(part, "dev") for part in parts], Targets.fit(parts[0], "train"), parts)


def outputs_for(part: Examples, noise: float, seed: int = 0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).normal(size=(len(part), len(part.outputs)))
    return torch.from_numpy(np.eye(len(part.outputs))[part.y] + noise * drawn)


def test_parts_are_pooled_before_the_metric(examples) -> None:
    first, second = examples(9), examples(30, seed=1)
    outputs = [outputs_for(first, 0.2), outputs_for(second, 1.0)]
    state = judge_of("primary", first, second).state(outputs, 7, [])
    assert state is not None
    truth = np.concatenate([first.y, second.y])
    together = torch.cat(outputs)
    assert state.score == score("uar", truth, together.numpy())
    assert state.loss == pytest.approx(torch.nn.functional.cross_entropy(together, torch.from_numpy(truth)).item())
    assert state.when == 7
    by_loss = judge_of("loss", first, second).state(outputs, 7, [])
    assert by_loss is not None
    assert by_loss.score == -by_loss.loss == -state.loss
    assert judge_of("loss", first, second).reported(by_loss) == state.loss


def test_values_are_pooled_in_their_own_units(value_examples) -> None:
    first, second = value_examples(20), value_examples(30, seed=1)
    second = replace(second, y=second.y * 3 + 5)
    judge = judge_of("primary", first, second)
    outputs = [
        torch.from_numpy(own.learnt(part, "dev")) for own, part in zip(judge.targets, (first, second), strict=True)
    ]
    state = judge.state(outputs, 1, [])
    assert state is not None
    assert state.score == pytest.approx(1)
    assert state.loss == pytest.approx(0, abs=1e-6)


def test_an_error_is_better_when_it_is_lower(value_examples) -> None:
    part = value_examples(20)
    judge = judge_of("rmse", part)
    near, far = (judge.state([torch.from_numpy(judge.common.learnt(part, "dev") + by)], 1, []) for by in (0.1, 1.0))
    assert near is not None
    assert far is not None
    assert near.score > far.score
    assert judge.reported(near) > 0


@pytest.mark.parametrize("worst", [math.nan, math.inf])
def test_outputs_that_are_not_finite_are_no_state(examples, worst: float) -> None:
    part = examples(9)
    outputs = outputs_for(part, 0.1)
    outputs[3, 1] = worst
    assert judge_of("primary", part).state([outputs], 1, []) is None


def test_a_state_is_kept_as_it_was() -> None:
    search, parameter = Search(1, None, "loss"), torch.zeros(2)
    search.note(0, State(0.5, 1.0, 1, ((parameter,),)))
    parameter += 1
    assert search.best[0] is not None
    assert not search.best[0].parameters[0][0].any()


# -- chance -----------------------------------------------------------------------------------------------------------


def above(part: Examples, outputs: torch.Tensor, on: str = "primary") -> bool:
    judge = judge_of(on, part)
    state = judge.state([outputs], 1, [])
    assert state is not None
    return judge.is_above_chance(state)


@pytest.mark.parametrize("speakers", [1, 3, 8])
def test_what_tells_the_classes_is_above_chance_and_a_constant_is_not(examples, speakers: int) -> None:
    part = examples(96, speakers=speakers)
    assert above(part, outputs_for(part, 0.3))
    assert above(part, outputs_for(part, 0.3), on="loss")
    constant = torch.zeros(96, 3)
    constant[:, 1] = 1
    assert not above(part, constant)


@pytest.mark.parametrize("speakers", [1, 4, 8])
def test_noise_is_above_chance_as_seldom_as_the_bound_says(examples, speakers: int) -> None:
    part = examples(96, speakers=speakers)
    drawn = [torch.from_numpy(np.random.default_rng(seed).normal(size=(96, 3))) for seed in range(200)]
    assert np.mean([above(part, outputs) for outputs in drawn]) < 0.12


def test_an_accuracy_is_held_against_the_largest_class(examples) -> None:
    part = replace(examples(90), metric="wa")
    part = replace(part, y=np.where(np.arange(90) % 10 < 8, 0, 1))
    mostly = torch.zeros(90, 3)
    mostly[:, 0] = 1
    assert not above(part, mostly)
    assert above(part, outputs_for(part, 0.2))


def test_values_are_held_against_their_mean(value_examples) -> None:
    part = value_examples(60)
    truth = torch.from_numpy(Targets.fit(part, "dev").learnt(part, "dev"))
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=truth.shape))
    assert above(part, truth + 0.3 * noise)
    assert not above(part, noise)
    assert not above(part, truth * 0)
    assert above(part, truth + 0.3 * noise, on="rmse")
