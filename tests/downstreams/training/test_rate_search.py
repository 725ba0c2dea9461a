"""Seeds repeat the training and share the search: with the same bytes, in a grid as alone."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams.heads.superb import Superb
from downstreams.params.superb import SuperbParams
from downstreams.training import stacked as trained
from downstreams.training.loop import train_members
from downstreams.training.rate_search import Found, Searches
from downstreams.training.selection import Search

RECIPE: dict[str, Any] = {
    "hidden": 16,
    "normalisation": "global",
    "learning_rates": [0.1, 0.01, 0.001],
    "search_seed": 0,
    "batch_size": 8,
    "accumulate": 1,
    "clip": 1,
    "unit": "epochs",
    "maximum": 6,
    "evaluate_every": 1,
    "patience": 3,
    "select_on": "primary",
    "ties": "loss",
    "inner": "all",
    "seed": None,
}
SEEDS = (0, 1, 2, 3)


def head(**changes: Any) -> Superb:
    return Superb(SuperbParams.model_validate({**RECIPE, **changes}))


def sets(examples: Callable[..., Examples]) -> tuple[Examples, Examples, Examples]:
    return examples(60, separation=0.3), examples(40, seed=1, separation=0.3), examples(20, seed=2)


def fitted(parts: tuple[Examples, Examples, Examples], seed: int, **changes: Any) -> tuple[bytes, Selection]:
    """Scores on test and how the head was selected, from arrays that no other unit has."""
    train, dev, test = (replace(part, x=part.x.copy()) for part in parts)
    own = head(**changes)
    selection = own.fit(train, dev, seed=seed)
    return own.predict(replace(test, y=None)).tobytes(), selection


class Counted:
    """Which learning rates were trained, each time that heads were."""

    def __init__(self) -> None:
        self.rates: list[tuple[float, ...]] = []
        self.diverge: Callable[[float], bool] = lambda rate: False

    def __call__(self, *given: Any, learning_rates: Any, **more: Any) -> Search:
        self.rates.append(tuple(learning_rates))
        search = train_members(*given, learning_rates=learning_rates, **more)
        if len(learning_rates) == 1 and self.diverge(learning_rates[0]):
            search.best = [None]
        return search

    @property
    def searches(self) -> int:
        return sum(len(rates) > 1 for rates in self.rates)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Begin with nothing remembered, and again when called."""

    def forget() -> None:
        monkeypatch.setattr(trained, "SEARCHES", Searches())

    forget()
    return forget


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counter = Counted()
    monkeypatch.setattr(trained, "train_members", counter)
    return counter


# -- what the protocol is ---------------------------------------------------------------------------------------------


def test_the_search_is_made_once_and_every_other_seed_trains_its_rate(examples, counted: Counted) -> None:
    parts = sets(examples)
    outcomes = [fitted(parts, seed) for seed in SEEDS]
    (rate,) = {selection.chosen["learning_rate"] for _, selection in outcomes}
    assert counted.rates == [(0.1, 0.01, 0.001), *[(rate,)] * 3]
    assert len({scores for scores, _ in outcomes}) == len(SEEDS)


def test_the_unit_of_the_search_seed_is_what_the_search_found(examples) -> None:
    parts = sets(examples)
    scores, selection = fitted(parts, 2, search_seed=2)
    assert (scores, selection) == fitted(parts, 2, search_seed=None)
    other = fitted(parts, 2, search_seed=0)
    rate = fitted(parts, 0)[1].chosen["learning_rate"]
    assert other[1].chosen == {"learning_rate": rate}


@pytest.mark.usefixtures("one_thread")
def test_another_seed_is_the_rate_trained_alone_with_that_seed(examples) -> None:
    parts = sets(examples)
    scores, selection = fitted(parts, 3)
    rate = selection.chosen["learning_rate"]
    assert isinstance(rate, float)
    assert scores == fitted(parts, 3, learning_rates=[rate])[0]


def test_without_a_search_seed_each_seed_searches_for_itself(examples, counted: Counted) -> None:
    for seed in SEEDS:
        fitted(sets(examples), seed, search_seed=None)
    assert counted.searches == len(SEEDS)


def test_one_rate_is_not_searched(examples, counted: Counted) -> None:
    for seed in SEEDS:
        assert fitted(sets(examples), seed, learning_rates=[0.01])[1].chosen == {}
    assert counted.rates == [(0.01,)] * len(SEEDS)


def test_the_search_seed_is_a_seed() -> None:
    with pytest.raises(ValidationError, match="search_seed"):
        head(search_seed="first")


# -- a rate that diverges with another seed ---------------------------------------------------------------------------


def test_the_next_best_rate_of_the_search_takes_the_place_of_one_that_diverges(examples, counted: Counted) -> None:
    parts = sets(examples)
    alone = {rate: fitted(parts, 0, learning_rates=[rate])[1].score for rate in RECIPE["learning_rates"]}
    best, second, third = sorted(alone, key=lambda rate: -alone[rate])
    assert alone[best] > alone[second] > alone[third]
    counted.diverge = lambda rate: rate == best
    counted.rates.clear()
    _, selection = fitted(parts, 1)
    assert selection.chosen == {"learning_rate": second}
    assert counted.rates == [(0.1, 0.01, 0.001), (best,), (second,)]
    # the unit of the search seed did not diverge and is not touched
    assert fitted(parts, 0)[1].chosen == {"learning_rate": best}


def test_a_seed_that_diverges_at_every_rate_says_so(examples, counted: Counted) -> None:
    counted.diverge = lambda rate: True
    with pytest.raises(BenchError, match=r"diverged at every learning rate: 0\.1, 0\.01, 0\.001"):
        fitted(sets(examples), 1)


def test_a_rate_that_diverged_in_the_search_is_no_next_best(examples, counted: Counted) -> None:
    counted.diverge = lambda rate: True
    with pytest.raises(BenchError, match="diverged at every"):
        fitted(sets(examples), 1, learning_rates=[1e200, 0.01])
    assert counted.rates == [(1e200, 0.01), (0.01,)]


def test_a_search_that_fails_is_not_remembered(examples) -> None:
    for seed in (0, 1):
        with pytest.raises(BenchError, match=r"diverged at every learning rate: 1e\+200, 3e\+200"):
            fitted(sets(examples), seed, learning_rates=[1e200, 3e200])


# -- alone and in a grid ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("normalisation", ["global", "speaker", "none"])
def test_a_unit_alone_is_the_unit_in_a_grid(
    examples, forgotten: Callable[[], None], counted: Counted, normalisation: str
) -> None:
    parts, alone = sets(examples), []
    for seed in SEEDS:
        forgotten()
        alone.append(fitted(parts, seed, normalisation=normalisation))
    assert counted.searches == len(SEEDS)
    forgotten()
    assert [fitted(parts, seed, normalisation=normalisation) for seed in reversed(SEEDS)] == alone[::-1]
    assert counted.searches == len(SEEDS) + 1


@pytest.mark.usefixtures("one_thread")
def test_units_in_threads_search_once_a_fold(examples, forgotten: Callable[[], None], counted: Counted) -> None:
    parts = sets(examples)
    alone = [fitted(parts, seed) for seed in SEEDS]
    forgotten()
    counted.rates.clear()
    with ThreadPoolExecutor(4, initializer=lambda: torch.set_num_threads(1)) as pool:
        together = list(pool.map(lambda seed: fitted(parts, seed), SEEDS))
    assert together == alone
    assert counted.searches == 1


def test_values_are_as_alone(value_examples, forgotten: Callable[[], None]) -> None:
    """Their unit and offset are the head's own."""
    parts = value_examples(60), value_examples(30, seed=1), value_examples(20, seed=2)
    alone = fitted(parts, 1)
    forgotten()
    fitted(parts, 0)
    assert fitted(parts, 1) == alone


# -- what a search is remembered by -----------------------------------------------------------------------------------


def one_value(part: Examples) -> Examples:
    x = part.x.copy()
    x[-1, -1, -1] += 1e-3
    return replace(part, x=x)


def swapped(part: Examples) -> Examples:
    y = np.asarray(part.y).copy()
    y[:2] = y[1::-1]
    return replace(part, y=y)


@pytest.mark.parametrize("which", [0, 1], ids=["train", "dev"])
@pytest.mark.parametrize(
    "change",
    [
        one_value,
        swapped,
        lambda part: replace(part, speakers=part.speakers[::-1]),
        lambda part: replace(part, ids=part.ids[::-1]),
    ],
    ids=["a value", "targets", "speakers", "ids"],
)
def test_other_data_is_another_search(
    examples, counted: Counted, which: int, change: Callable[[Examples], Examples]
) -> None:
    parts = list(sets(examples))
    fitted(tuple(parts), 0)
    parts[which] = change(parts[which])
    fitted(tuple(parts), 1)
    assert counted.searches == 2


@pytest.mark.parametrize(
    "changes", [{"learning_rates": [0.1, 0.01]}, {"hidden": 8}, {"clip": None}, {"search_seed": 5}, {"select_on": "wa"}]
)
def test_another_recipe_is_another_search(examples, counted: Counted, changes: dict[str, Any]) -> None:
    fitted(sets(examples), 0)
    fitted(sets(examples), 1, **changes)
    assert counted.searches == 2


def test_another_primary_metric_is_another_search(examples, counted: Counted) -> None:
    fitted(sets(examples), 0)
    fitted(tuple(replace(part, metric="wa") for part in sets(examples)), 1)
    assert counted.searches == 2


@pytest.mark.parametrize("layers", [1, 3])
def test_features_changed_in_place_are_other_features(examples, forgotten: Callable[[], None], layers: int) -> None:
    """What is remembered is a copy: nothing that a caller does to its arrays reaches it."""
    train, dev, test = (examples(n, seed=seed, layers=layers) for seed, n in enumerate((60, 30, 20)))

    def outcome() -> bytes:
        own = head(normalisation="none")
        own.fit(train, dev, seed=1)
        return own.predict(test).tobytes()

    first = outcome()
    train.x[...] *= 2
    changed = outcome()
    train.x[...] /= 2
    assert outcome() == first
    forgotten()
    train.x[...] *= 2
    assert outcome() == changed != first


# -- how it is remembered ---------------------------------------------------------------------------------------------

FEATURES = (np.zeros((2, 1, 3), np.float32), np.zeros((1, 1, 3), np.float32))


def found() -> Found:
    return Found.__new__(Found)


def test_a_thread_waits_for_the_search_of_another() -> None:
    searches, begun, made = Searches(), threading.Event(), []

    def slowly(features: object) -> Found:
        begun.set()
        time.sleep(0.1)
        made.append(found())
        return made[-1]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(searches.get, "fold", FEATURES, slowly)
        assert begun.wait(5)
        second = pool.submit(searches.get, "fold", FEATURES, slowly)
        assert first.result() is second.result() is made[0]
    assert len(made) == 1


def test_threads_search_different_folds_at_once() -> None:
    searches, both = Searches(), threading.Barrier(2, timeout=5)

    def together(features: object) -> Found:
        both.wait()
        return found()

    with ThreadPoolExecutor(2) as pool:
        assert len({id(one) for one in pool.map(lambda key: searches.get(key, FEATURES, together), "ab")}) == 2


def test_a_thread_keeps_its_latest_search_alone() -> None:
    """So memory does not grow with the folds."""
    searches = Searches()
    for key in range(10):
        searches.get(key, FEATURES, lambda features: found())
    gc.collect()
    assert list(searches._known) == [9]


def test_a_thread_that_ends_keeps_nothing() -> None:
    searches = Searches()
    thread = threading.Thread(target=lambda: searches.get("fold", FEATURES, lambda features: found()))
    thread.start()
    thread.join()
    gc.collect()
    assert not list(searches._known)


def test_a_failed_search_is_tried_again() -> None:
    searches = Searches()

    def failing(features: object) -> Found:
        raise BenchError("it diverged")

    for _ in range(2):
        with pytest.raises(BenchError, match="it diverged"):
            searches.get("fold", FEATURES, failing)
    assert isinstance(searches.get("fold", FEATURES, lambda features: found()), Found)
