"""Optimisers by their recipe, and the learning rate of every epoch or step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from downstreams.params.frames import Optimiser, Schedule


def make_optimiser(recipe: Optimiser, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """The optimiser that a recipe says, one of `torch.optim`."""
    values = list(parameters)
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.name == "sgd":
        return torch.optim.SGD(values, lr=rate, momentum=recipe.momentum, weight_decay=decay)
    if recipe.name == "rmsprop":
        return torch.optim.RMSprop(values, lr=rate, momentum=recipe.momentum, eps=recipe.epsilon, weight_decay=decay)
    kind = torch.optim.AdamW if recipe.name == "adamw" else torch.optim.Adam
    return kind(values, lr=rate, betas=recipe.betas, eps=recipe.epsilon, weight_decay=decay)


def learning_rate(recipe: Optimiser, schedule: Schedule, done: int) -> float:
    """The learning rate of a unit.

    Args:
        recipe: Has the rate at the beginning.
        schedule: How it changes.
        done: Units before this one.
    """
    base = recipe.learning_rate
    if schedule.kind == "cyclic" and schedule.highest is not None:
        return base + (schedule.highest - base) * _height(schedule, done)
    if schedule.kind == "warmup" and schedule.rise is not None and schedule.total is not None and done > 0:
        if done - 1 < schedule.rise:
            return base * (done - 1) / schedule.rise
        return base * max(0.0, (schedule.total - (done - 1)) / (schedule.total - schedule.rise))
    if schedule.kind == "cosine" and schedule.lowest is not None and schedule.total is not None:
        share = min(1.0, done / schedule.total)
        return schedule.lowest + (base - schedule.lowest) * (1 + math.cos(math.pi * share)) / 2
    return base


def momentum(recipe: Optimiser, schedule: Schedule, done: int) -> float:
    """The momentum of a unit, with the arguments of `learning_rate`: lowest where the rate is highest."""
    if schedule.lowest_momentum is None:
        return recipe.momentum
    return recipe.momentum - (recipe.momentum - schedule.lowest_momentum) * _height(schedule, done)


def set_rate(optimiser: torch.optim.Optimizer, recipe: Optimiser, schedule: Schedule, done: int) -> None:
    """Let an optimiser go on at the rate and momentum of a unit."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(recipe, schedule, done)
        if "momentum" in group:
            group["momentum"] = momentum(recipe, schedule, done)


def _height(schedule: Schedule, done: int) -> float:
    """How high on the triangle, from 0 to 1."""
    rise = schedule.rise or 1
    place = done % (2 * rise)
    return (place if place <= rise else 2 * rise - place) / rise
