"""Heads selected on inner folds of train: pooled, then fitted again on all of train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.types import Examples
from downstreams.heads.superb import Superb
from downstreams.params.superb import SuperbParams
from downstreams.training import stacked
from downstreams.training.rate_search import Searches

RECIPE: dict[str, Any] = {
    "hidden": 16,
    "normalisation": "global",
    "learning_rates": [0.1, 0.01, 0.001],
    "search_seed": 0,
    "batch_size": 8,
    "accumulate": 1,
    "clip": 1,
    "unit": "epochs",
    "maximum": 8,
    "evaluate_every": 1,
    "patience": 3,
    "select_on": "primary",
    "ties": "loss",
    "inner": "all",
    "seed": None,
}


def head(**changes: Any) -> Superb:
    return Superb(SuperbParams.model_validate({**RECIPE, **changes}))


def with_inner(examples: Examples, k: int = 3) -> Examples:
    return replace(examples, inner=np.array([int(name.rsplit("s", 1)[1]) % k for name in examples.speakers]))


def none(like: Examples) -> Examples:
    return replace(like, ids=(), x=like.x[:0], y=like.y[:0], speakers=(), inner=None)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "SEARCHES", Searches())


@pytest.mark.parametrize("normalisation", ["global", "none"])
@pytest.mark.parametrize("on", ["primary", "loss"])
def test_the_rate_and_epoch_are_those_whose_pooled_held_out_utterances_are_best(
    examples, on: str, normalisation: str
) -> None:
    """Found again with one head for each inner fold, rate and epoch: each fitted on the rest alone."""
    train = with_inner(examples(45, separation=0.3))
    options = {"normalisation": normalisation, "select_on": on, "patience": None, "maximum": 4}
    chosen = head(**options).fit(train, none(train), seed=0)
    reached = {}
    for rate in RECIPE["learning_rates"]:
        for epoch in range(1, 5):
            scores = np.zeros((45, 3))
            for fold in range(3):
                rows = np.flatnonzero(train.inner == fold)
                rest = train.part(np.flatnonzero(train.inner != fold))
                scores[rows] = held_out_scores(rest, train.part(rows), rate, epoch, fold, normalisation)
            log = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
            loss = -log[np.arange(45), train.y].mean()
            reached[rate, epoch] = (-loss,) if on == "loss" else (score("uar", train.y, scores), -loss)
    rate, epoch = max(reached, key=reached.__getitem__)
    assert (chosen.chosen, chosen.epoch) == ({"learning_rate": rate}, epoch)
    assert chosen.score == pytest.approx(abs(reached[rate, epoch][0]))
    assert chosen.on == f"{'loss' if on == 'loss' else 'uar'} pooled over 3 inner folds"
    assert chosen.inner_folds == 3


def held_out_scores(
    rest: Examples, held_out: Examples, rate: float, epoch: int, fold: int, normalisation: str
) -> np.ndarray:
    """One head of an inner fold, with the order of utterances that the search gives this fold."""
    one = head(learning_rates=[rate], maximum=epoch, evaluate_every=epoch, patience=None, normalisation=normalisation)
    fold_data = one._fold_data(rest, held_out, (rest.x, held_out.x))
    generator = stacked.generator_of(0)
    start = one._initial_parameters(*fold_data.shape, generator)
    search = stacked.train_members(
        one._forward,
        [one._gradients(fold_data.loss)],
        start=start,
        learning_rates=[rate],
        splits=fold_data.splits,
        judge=fold_data.judge,
        schedule=stacked._schedule(one.params),
        generators=[generator.spawn(3)[fold]],
        keep_parameters=False,
    )
    assert search.best[0] is not None
    assert search.best[0].scores is not None
    return search.best[0].scores


def test_what_the_inner_folds_hold_out_is_kept_as_log_probabilities(examples) -> None:
    train = with_inner(examples(45))
    fitted = head()
    assert fitted.held_out() is None
    selection = fitted.fit(train, none(train), seed=0)
    found = fitted.held_out()
    assert found is not None
    assert found.scores.shape == (45, len(train.outputs))
    np.testing.assert_allclose(np.exp(found.scores).sum(axis=1), 1)
    assert score("uar", found.truth, found.scores) == pytest.approx(selection.score)
    fitted.fit(examples(45), examples(9, seed=1), seed=0)
    assert fitted.held_out() is None


def test_the_head_is_fitted_again_on_all_of_train_for_the_chosen_epochs(examples) -> None:
    train, test = with_inner(examples(60)), examples(20, seed=2)
    for seed in (0, 3):
        own = head()
        selection = own.fit(train, none(train), seed=seed)
        assert selection.epoch is not None
        # trained on all of train for as long, with a dev set that has a single state to choose from
        alone = head(
            learning_rates=[selection.chosen["learning_rate"]],
            maximum=selection.epoch,
            evaluate_every=selection.epoch,
        )
        alone.fit(replace(train, inner=None), examples(9, seed=1), seed=seed)
        np.testing.assert_array_equal(own.predict(test), alone.predict(test))


def test_seeds_share_rate_and_epoch_and_not_the_head(examples) -> None:
    train, test = with_inner(examples(60)), examples(20, seed=2)
    heads = [head() for _ in range(3)]
    selections = [own.fit(train, none(train), seed=seed) for seed, own in enumerate(heads)]
    assert len({(one.epoch, one.score, *one.chosen.values()) for one in selections}) == 1
    assert len({own.predict(test).tobytes() for own in heads}) == 3


def test_inner_folds_decide_and_are_part_of_what_is_remembered(examples) -> None:
    train = examples(60, separation=0.2)
    first, second = (head().fit(with_inner(train, k), none(train), seed=0) for k in (3, 2))
    assert (first.inner_folds, second.inner_folds) == (3, 2)
    assert first.score != second.score


def test_values_are_selected_on_inner_folds_too(value_examples) -> None:
    train, test = with_inner(value_examples(90)), value_examples(40, seed=2)
    own = head(maximum=40, patience=None)
    selection = own.fit(train, none(train), seed=1)
    assert selection.on == "ccc pooled over 3 inner folds"
    assert selection.above_chance
    assert score("ccc", test.y, own.predict(replace(test, y=None))) > 0.9


def test_a_rate_that_diverges_in_the_refit_gives_way_to_the_next(examples, monkeypatch: pytest.MonkeyPatch) -> None:
    train = with_inner(examples(60))
    best = head().fit(train, none(train), seed=0).chosen["learning_rate"]
    refit: Callable[..., Any] = Superb._refit

    def diverging(self: Superb, fold: Any, rate: float, until: int, seed: int) -> Any:
        return None if rate == best else refit(self, fold, rate, until, seed)

    monkeypatch.setattr(Superb, "_refit", diverging)
    assert head().fit(train, none(train), seed=0).chosen["learning_rate"] != best
    monkeypatch.setattr(Superb, "_refit", lambda *given: None)
    with pytest.raises(BenchError, match="diverged at every learning rate"):
        head().fit(train, none(train), seed=0)


def test_noise_is_said_to_be_no_better_than_chance(examples) -> None:
    found = []
    for seed in range(8):
        train = with_inner(examples(60, seed=seed, separation=0.0), 5)
        found.append(head(maximum=3).fit(train, none(train), seed=0).above_chance)
    assert sum(found) <= 4
    told = with_inner(examples(60, separation=1.5), 5)
    assert head(maximum=3).fit(told, none(told), seed=0).above_chance
