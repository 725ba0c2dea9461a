"""The learning rate of every epoch is that of the code that made the published numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from downstreams.params.frames import Optimiser, Schedule
from downstreams.training.rates import learning_rate, make_optimiser, momentum, set_rate

RMSPROP = Optimiser(name="rmsprop", learning_rate=5e-4, momentum=0.9)
CYCLIC = Schedule(kind="cyclic", highest=1e-3, rise=10, lowest_momentum=0.8)


def test_the_cyclic_rate_and_momentum_by_epoch_are_those_of_torch() -> None:
    optimiser = torch.optim.RMSprop([torch.zeros(1, requires_grad=True)], lr=5e-4, momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch.optim.lr_scheduler.CyclicLR(optimiser, base_lr=5e-4, max_lr=1e-3, step_size_up=10)
        for epoch in range(50):
            group = optimiser.param_groups[0]
            assert learning_rate(RMSPROP, CYCLIC, epoch) == pytest.approx(group["lr"], rel=1e-9)
            assert momentum(RMSPROP, CYCLIC, epoch) == pytest.approx(group["momentum"], rel=1e-9)
            theirs.step()


def test_the_warm_up_teaches_nothing_in_the_second_epoch() -> None:
    """EmoBox: 1e-4, 0, 1e-5, ..., 1e-4 in epoch 12, then down to 2e-5 in epoch 20."""
    adam = Optimiser(name="adam", learning_rate=1e-4)
    rates = [learning_rate(adam, Schedule(kind="warmup", rise=10, total=20), epoch) for epoch in range(25)]
    expected = [1e-4, *(1e-5 * k for k in range(11)), *(1e-5 * k for k in range(9, 1, -1)), 1e-5, 0, 0, 0, 0]
    np.testing.assert_allclose(rates, expected, atol=1e-12)


def test_the_cosine_is_that_of_torch() -> None:
    optimiser = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1e-3)
    recipe, schedule = Optimiser(name="adam", learning_rate=1e-3), Schedule(kind="cosine", total=10, lowest=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=10, eta_min=1e-4)
        for epoch in range(11):
            assert learning_rate(recipe, schedule, epoch) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
            theirs.step()
    assert learning_rate(recipe, schedule, 50) == pytest.approx(1e-4)


def test_a_constant_rate_stays() -> None:
    assert {learning_rate(RMSPROP, Schedule(), done) for done in range(30)} == {5e-4}
    assert {momentum(RMSPROP, Schedule(), done) for done in range(30)} == {0.9}


@pytest.mark.parametrize(
    ("recipe", "kind"),
    [
        ({"name": "adam", "betas": (0.8, 0.9), "epsilon": 1e-7, "weight_decay": 0.01}, torch.optim.Adam),
        ({"name": "adamw", "betas": (0.8, 0.9), "epsilon": 1e-7, "weight_decay": 0.01}, torch.optim.AdamW),
        ({"name": "rmsprop", "momentum": 0.5, "epsilon": 1e-7, "weight_decay": 0.01}, torch.optim.RMSprop),
        ({"name": "sgd", "momentum": 0.5, "weight_decay": 0.01}, torch.optim.SGD),
    ],
)
def test_the_optimiser_is_as_the_recipe_says(recipe: dict, kind: type) -> None:
    made = make_optimiser(Optimiser(learning_rate=0.03, **recipe), [torch.zeros(2, requires_grad=True)])
    assert type(made) is kind
    group = made.param_groups[0]
    theirs = {"betas": "betas", "momentum": "momentum", "epsilon": "eps", "weight_decay": "weight_decay"}
    assert group["lr"] == 0.03
    for own, name in theirs.items():
        if own in recipe:
            assert group[name] == recipe[own]


def test_a_rate_is_set_on_an_optimiser() -> None:
    made = make_optimiser(RMSPROP, [torch.zeros(2, requires_grad=True)])
    set_rate(made, RMSPROP, CYCLIC, 10)
    assert (made.param_groups[0]["lr"], made.param_groups[0]["momentum"]) == pytest.approx((1e-3, 0.8))


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"name": "adam", "momentum": 0.9}, "momentum means nothing to adam"),
        ({"name": "sgd", "betas": (0.9, 0.99)}, "betas mean nothing to sgd"),
        ({"name": "sgd", "epsilon": 1e-7}, "epsilon means nothing to sgd"),
    ],
)
def test_what_an_optimiser_has_not_is_refused(recipe: dict, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Optimiser(learning_rate=0.1, **recipe)


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({"kind": "constant", "rise": 3}, "rise means nothing to a constant schedule"),
        ({"kind": "cyclic", "rise": 3}, "a cyclic schedule needs highest"),
        ({"kind": "warmup", "rise": 3}, "a warmup schedule needs total"),
        ({"kind": "warmup", "rise": 3, "total": 3}, "the warm-up alone takes 3"),
    ],
)
def test_what_a_schedule_has_not_is_refused(schedule: dict, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Schedule(**schedule)
