"""Heads that say so may be fitted in several threads at once: to the bit what each is alone."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product

import pytest
import torch

from benchmark.base import Downstream
from benchmark.contracts.toys import toy
from benchmark.registry.registry import Registry

REGISTRY = Registry()  # as in a run, where one serves all threads
RECIPES = ("superb", "turn-gru")
MACHINES = ("svm", "svm-rbf", "svm-grid", "svm-statistics")
UNITS = tuple(product(range(2), range(2)))  # fold, seed


def make(recipe: str) -> Downstream:
    head = REGISTRY.downstream(recipe)
    if not hasattr(head.params, "maximum"):
        return head
    # short of what a recipe asks for, and with members that leave the stack at different times
    return type(head)(head.params.model_copy(update={"maximum": 4, "patience": 1}))


def outcome(recipe: str, fold: int, seed: int) -> bytes:
    head = make(recipe)
    train, dev, test = (
        toy(head.needs, utterances=n, speakers=6, seed=10 * fold + part, sequences=head.sequences)
        for part, n in enumerate((60, 36, 36))
    )
    selection = head.fit(train, dev, seed=seed)
    return head.predict(replace(test, y=None)).tobytes() + repr(selection).encode()


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("recipe", RECIPES)
def test_units_fitted_at_once_are_those_fitted_alone(recipe: str) -> None:
    assert make(recipe).concurrent
    alone = [outcome(recipe, fold, seed) for fold, seed in UNITS]
    with ThreadPoolExecutor(4, initializer=lambda: torch.set_num_threads(1)) as pool:
        together = list(pool.map(lambda unit: outcome(recipe, *unit), 2 * UNITS))
    assert together == 2 * alone
    assert len(set(alone)) >= 2


def test_heads_of_different_kinds_share_nothing() -> None:
    """Nor do they move what other code may use: torch's generator and the warning filters."""
    alone = [outcome(recipe, 0, 0) for recipe in RECIPES]
    state, filters = torch.random.get_rng_state(), list(warnings.filters)
    with ThreadPoolExecutor(4, initializer=lambda: torch.set_num_threads(1)) as pool:
        together = list(pool.map(lambda recipe: outcome(recipe, 0, 0), 2 * RECIPES))
    assert together == 2 * alone
    assert torch.equal(torch.random.get_rng_state(), state)
    assert list(warnings.filters) == filters


@pytest.mark.parametrize("recipe", MACHINES)
def test_heads_of_scikit_learn_are_fitted_one_by_one(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checks change the warning filters, which all threads share; should that end, they may be fitted at once."""
    entered: list[bool] = []
    enter = warnings.catch_warnings.__enter__

    def counted(self: warnings.catch_warnings) -> object:
        entered.append(True)
        return enter(self)

    monkeypatch.setattr(warnings.catch_warnings, "__enter__", counted)
    for name in RECIPES:
        outcome(name, 0, 0)
    assert not entered
    assert not make(recipe).concurrent
    outcome(recipe, 0, 0)
    assert entered
