"""The head `superb` as the run uses it: selection, determinism, regression, errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmark.base.identity import code_of, identity_of
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.types import Examples
from downstreams.heads.superb import Superb
from downstreams.params.superb import SuperbParams
from downstreams.training.batches import Schedule, rounds
from downstreams.training.initial import generator_of
from downstreams.training.selection import Search, State

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


def head(**changes: Any) -> Superb:
    return Superb(SuperbParams.model_validate({**RECIPE, **changes}))


def uar_of(fitted: Superb, examples: Examples) -> float:
    return score("uar", np.asarray(examples.y), fitted.predict(replace(examples, y=None)))


# -- what comes out ---------------------------------------------------------------------------------------------------


def test_it_learns_and_says_how_it_was_selected(examples) -> None:
    train, dev, test = (examples(n, seed=seed, separation=1.5) for seed, n in enumerate((90, 45, 60)))
    fitted = head(maximum=20)
    selection = fitted.fit(train, dev, seed=0)
    assert uar_of(fitted, test) > 0.85
    assert selection.on == "dev uar"
    assert selection.score == uar_of(fitted, dev)
    assert selection.epoch in range(1, 21)
    assert selection.chosen["learning_rate"] in RECIPE["learning_rates"]
    assert selection.layer_weights is not None
    assert len(selection.layer_weights) == 3
    assert sum(selection.layer_weights) == pytest.approx(1)
    assert fitted.parameters() == 3 + (6 * 16 + 16) + (16 * 3 + 3)


def test_scores_are_log_probabilities(examples) -> None:
    fitted = head()
    fitted.fit(examples(), examples(30, seed=1), seed=0)
    scores = fitted.predict(examples(7, seed=2))
    assert scores.shape == (7, 3)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1)


def test_the_informative_layer_gets_the_weight(examples) -> None:
    train, dev = (examples(120, seed=seed, layers=4, informative=2, separation=0.7) for seed in (0, 1))
    selection = head(learning_rates=[0.01], maximum=40, evaluate_every=40, patience=None).fit(train, dev, seed=0)
    assert selection.layer_weights is not None
    assert np.argmax(selection.layer_weights) == 2
    assert selection.layer_weights[2] > 0.4


def test_one_layer_is_enough(examples) -> None:
    fitted = head(maximum=15)
    selection = fitted.fit(
        examples(90, layers=1, separation=1.5), examples(30, layers=1, separation=1.5, seed=1), seed=0
    )
    assert selection.layer_weights == (1.0,)
    assert selection.score > 0.8


# -- selection on dev -------------------------------------------------------------------------------------------------


def test_the_learning_rate_that_is_best_on_dev_is_chosen(examples) -> None:
    train, dev = examples(60, separation=0.3), examples(40, seed=1, separation=0.3)
    rates = [10.0**-k for k in range(1, 8)]
    alone = [head(learning_rates=[rate], maximum=12).fit(train, dev, seed=0).score for rate in rates]
    chosen = head(learning_rates=rates, maximum=12).fit(train, dev, seed=0)
    assert chosen.score == max(alone)
    assert alone[rates.index(chosen.chosen["learning_rate"])] == max(alone)
    assert len(set(alone)) > 2


def test_nothing_is_called_searched_with_one_learning_rate(examples) -> None:
    assert head(learning_rates=[0.01]).fit(examples(), examples(30, seed=1), seed=0).chosen == {}


def test_the_kept_state_is_the_selected_one(examples) -> None:
    """Training on to the end does not change what was selected before."""
    train, dev, test = examples(40, separation=0.3), examples(30, seed=1, separation=0.3), examples(20, seed=2)
    long = head(learning_rates=[0.1], maximum=30, patience=None)
    selection = long.fit(train, dev, seed=0)
    assert selection.epoch < 30
    short = head(learning_rates=[0.1], maximum=selection.epoch, patience=None)
    assert short.fit(train, dev, seed=0).epoch == selection.epoch
    np.testing.assert_array_equal(short.predict(test), long.predict(test))


def test_it_selects_on_the_metric_of_the_recipe(examples) -> None:
    train, dev = examples(60), examples(31, seed=1, separation=0.2)
    dev = replace(dev, y=np.minimum(dev.y, 1))
    fitted = head(select_on="wa")
    selection = fitted.fit(train, dev, seed=0)
    assert selection.on == "dev wa"
    assert selection.score == score("wa", dev.y, fitted.predict(dev))


def test_dev_labels_decide_and_dev_alone_selects(examples) -> None:
    """Another dev set selects otherwise; what is tested has no way in."""
    train, test = examples(60), examples(50, seed=2)
    fitted = head()
    first = fitted.fit(train, examples(30, seed=1), seed=0)
    scores = fitted.predict(test)
    order = np.random.default_rng(0).permutation(50)
    shuffled = replace(
        test,
        ids=tuple(test.ids[i] for i in order),
        x=test.x[order],
        y=None,
        speakers=tuple(test.speakers[i] for i in order),
    )
    np.testing.assert_allclose(fitted.predict(shuffled), scores[order], atol=1e-5)
    np.testing.assert_allclose(fitted.predict(replace(test, y=None)), scores, atol=0)
    dev = examples(30, seed=1)
    other = head().fit(train, replace(dev, y=(dev.y + 1) % 3), seed=0)
    assert other.score < first.score


def test_dev_selects_and_does_nothing_else(examples) -> None:
    """With a single state to choose from, another dev set gives the same head."""
    train, test = examples(60), examples(20, seed=2)
    first, second = (head(learning_rates=[0.01], evaluate_every=6) for _ in range(2))
    first.fit(train, examples(30, seed=1), seed=0)
    dev = examples(9, seed=5)
    second.fit(train, replace(dev, x=dev.x * 3 + 1), seed=0)
    assert first.predict(test).tobytes() == second.predict(test).tobytes()


SCHEDULE = Schedule(8, 1, None, "epochs", 100, 1, 2, "loss")


def play(search: Search, evaluations: list[tuple[float, float]], member: int = 0) -> int:
    """Feed evaluations until the member ends; how many it took, 0 if it goes on."""
    for when, (reached, loss) in enumerate(evaluations, start=1):
        if not search.note(member, State(reached, loss, when, ((torch.tensor(float(when)),),))):
            return when
    return 0


@pytest.mark.parametrize(
    ("evaluations", "ends", "best"),
    [
        ([(0.5, 1.0), (0.4, 1.1), (0.4, 1.2), (0.9, 0.1)], 3, 1),  # two in a row without improvement
        ([(0.5, 1.0), (0.4, 1.1), (0.6, 1.2), (0.5, 1.3), (0.5, 1.3)], 5, 3),  # a better score counts
        ([(0.5, 1.0), (0.4, 0.9), (0.4, 0.8), (0.4, 0.7)], 0, 1),  # so does a lower loss, which selects nothing
        ([(0.5, 1.0), (0.5, 0.9), (0.5, 1.1), (0.5, 0.95)], 4, 2),  # ties: the lower loss
        ([(0.500, 1.0), (0.499, 0.1), (0.498, 0.2)], 0, 1),  # a score is no tie for being close
    ],
)
def test_early_stopping(evaluations: list[tuple[float, float]], ends: int, best: int) -> None:
    search = Search(1, 2, "loss")
    assert play(search, evaluations) == ends
    assert search.best[0] is not None
    assert search.best[0].when == best
    assert search.best[0].parameters[0][0].item() == best


def test_without_patience_training_goes_on() -> None:
    search = Search(1, None, "loss")
    assert play(search, [(0.5, 1.0)] + 50 * [(0.1, 2.0)]) == 0


def test_ties_first_is_strictly_greater() -> None:
    search = Search(1, None, "first")
    play(search, [(0.5, 1.0), (0.5, 0.2), (0.6, 3.0), (0.6, 0.1)])
    assert search.best[0] is not None
    assert search.best[0].when == 3


@pytest.mark.parametrize(("ties", "winner"), [("loss", 2), ("first", 1)])
def test_the_winner_among_equals(ties: Literal["loss", "first"], winner: int) -> None:
    search = Search(4, 2, ties)
    for member, evaluation in enumerate([(0.5, 0.1), (0.7, 0.9), (0.7, 0.4), (0.7, 0.4)]):
        search.note(member, State(*evaluation, when=1))
    assert search.ranking()[0] == winner


# -- seeds and isolation ----------------------------------------------------------------------------------------------


def bytes_of(run_seed: int, examples, **changes: Any) -> bytes:
    fitted = head(**changes)
    selection = fitted.fit(examples(), examples(30, seed=1), seed=run_seed)
    return fitted.predict(examples(20, seed=2)).tobytes() + repr(selection).encode()


def test_the_seed_decides(examples) -> None:
    assert bytes_of(0, examples) == bytes_of(0, examples)
    assert bytes_of(0, examples) != bytes_of(1, examples)
    assert head().stochastic


def test_a_fixed_seed_makes_the_seed_of_the_run_irrelevant(examples) -> None:
    assert bytes_of(3, examples, seed=0) == bytes_of(4, examples, seed=0) == bytes_of(0, examples)
    assert not head(seed=0).stochastic


def test_the_seed_decides_order_as_well_as_initialisation() -> None:
    first, second = (next(rounds(50, SCHEDULE, generator_of(seed)))[1][0].indices.tolist() for seed in (0, 1))
    assert first != second


@pytest.fixture
def changed_defaults() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    with torch.no_grad():
        yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


def test_torch_defaults_have_no_effect(examples, request: pytest.FixtureRequest) -> None:
    expected = bytes_of(0, examples)
    request.getfixturevalue("changed_defaults")
    assert bytes_of(0, examples) == expected


def test_global_random_numbers_are_neither_used_nor_moved(examples) -> None:
    expected = bytes_of(0, examples)
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    assert bytes_of(0, examples) == expected
    assert torch.equal(torch.random.get_rng_state(), before)


# -- steps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "batch_size", "accumulate"), [(10, 4, 1), (43, 4, 8), (5, 8, 3), (1, 1, 1)])
def test_every_epoch_deals_every_utterance_once(n: int, batch_size: int, accumulate: int) -> None:
    schedule = Schedule(batch_size, accumulate, None, "steps", 12, 3, None, "first")
    evaluations = list(rounds(n, schedule, generator_of(0)))
    assert [done for done, _ in evaluations] == [3, 6, 9, 12]
    steps = [step for _, part in evaluations for step in part]
    dealt = torch.cat([step.indices for step in steps])
    for epoch in dealt.split(n)[: len(dealt) // n]:
        assert sorted(epoch.tolist()) == list(range(n))
    for step in steps:
        assert len(step.sizes) == accumulate
        assert sum(step.sizes) == len(step.indices) == len(step.weights)
        assert sum(step.weights) == pytest.approx(1)
        assert set(step.sizes) <= {batch_size, n % batch_size}


def test_epochs_are_counted_as_passes_over_train() -> None:
    schedule = Schedule(4, 2, None, "epochs", 7, 2, None, "first")
    evaluations = list(rounds(10, schedule, generator_of(0)))
    assert [done for done, _ in evaluations] == [2, 4, 6]
    assert [len(steps) for _, steps in evaluations] == [3, 3, 3]  # 3 micro-batches an epoch, 2 in a step


# -- normalisation ----------------------------------------------------------------------------------------------------


def test_the_unit_of_the_features_does_not_matter(examples) -> None:
    def rescaled(source: Examples) -> Examples:
        return replace(source, x=(source.x * np.float32(512) + np.float32(64)).astype(np.float32))

    sets = [examples(60), examples(30, seed=1), examples(40, seed=2)]
    first, second, raw, raw_rescaled = head(), head(), head(normalisation="none"), head(normalisation="none")
    for fitted, change in ((first, False), (second, True), (raw, False), (raw_rescaled, True)):
        train, dev, _ = [rescaled(part) if change else part for part in sets]
        fitted.fit(train, dev, seed=0)
    test = sets[2]
    np.testing.assert_allclose(second.predict(rescaled(test)), first.predict(test), atol=0.02)
    assert np.abs(raw_rescaled.predict(rescaled(test)) - raw.predict(test)).max() > 1


def test_normalisation_by_speaker_removes_what_is_constant_in_a_speaker(examples) -> None:
    train, dev, test = examples(60), examples(30, seed=1), examples(30, seed=2)
    fitted = head(normalisation="speaker")
    fitted.fit(train, dev, seed=0)
    shift = np.array([10.0 * int(name.rsplit("s", 1)[1]) for name in test.speakers], dtype=np.float32)
    np.testing.assert_allclose(
        fitted.predict(replace(test, x=test.x + shift[:, None, None])), fitted.predict(test), atol=1e-3
    )
    assert fitted.transductive
    assert not head().transductive


# -- values -----------------------------------------------------------------------------------------------------------


def test_values_are_learnt_with_the_ccc_loss(value_examples) -> None:
    train, dev, test = value_examples(120), value_examples(40, seed=1), value_examples(60, seed=2)
    fitted = head(maximum=40, patience=None)
    selection = fitted.fit(train, dev, seed=0)
    predicted = fitted.predict(replace(test, y=None))
    assert predicted.shape == (60, 2)
    assert score("ccc", test.y, predicted) > 0.9
    assert selection.on == "dev ccc"
    assert selection.score == pytest.approx(score("ccc", dev.y, fitted.predict(dev)), abs=1e-6)


def test_the_scale_of_the_labels_does_not_matter(value_examples) -> None:
    train, dev, test = value_examples(60), value_examples(30, seed=1), value_examples(10, seed=2)
    first, second = head(), head()
    first.fit(train, dev, seed=0)
    second.fit(replace(train, y=train.y * 16 - 8), replace(dev, y=dev.y * 16 - 8), seed=0)
    np.testing.assert_allclose(second.predict(test), first.predict(test) * 16 - 8, atol=1e-2)


def test_an_error_metric_is_minimised(value_examples) -> None:
    train, dev = value_examples(60), value_examples(30, seed=1)
    alone = {rate: head(learning_rates=[rate], select_on="rmse").fit(train, dev, seed=0).score for rate in (0.01, 1e-7)}
    both = head(learning_rates=[0.01, 1e-7], select_on="rmse").fit(train, dev, seed=0)
    assert both.on == "dev rmse"
    assert both.score == pytest.approx(min(alone.values()))
    assert both.chosen == {"learning_rate": 0.01}


def test_a_constant_dimension_is_no_division_by_zero(value_examples) -> None:
    train, dev = value_examples(40), value_examples(20, seed=1)
    train = replace(train, y=np.stack([train.y[:, 0], np.full(40, 3.0, dtype=np.float32)], axis=1))
    fitted = head()
    fitted.fit(train, dev, seed=0)
    assert np.isfinite(fitted.predict(dev)).all()


# -- refusals ---------------------------------------------------------------------------------------------------------


def refusal(fitted: Superb, train: Examples, dev: Examples) -> str:
    with pytest.raises(BenchError) as error:
        fitted.fit(train, dev, seed=0)
    return str(error.value)


def test_an_empty_dev_set_is_refused(examples) -> None:
    empty = replace(examples(3), ids=(), x=np.empty((0, 3, 6), np.float32), y=np.empty(0, np.int64), speakers=())
    text = refusal(head(), examples(), empty)
    assert "selects on dev, but the protocol has no dev set" in text
    assert "svm" in text
    assert "train holds no utterance" in refusal(head(), empty, examples())


def test_a_metric_of_the_other_kind_is_refused(examples, value_examples) -> None:
    text = refusal(head(select_on="wa"), value_examples(), value_examples(seed=1))
    assert "selects on wa, a metric of classification, but the task is regression" in text


def test_divergence_everywhere_is_an_error(examples) -> None:
    text = refusal(head(learning_rates=[1e200, 3e200]), examples(), examples(30, seed=1))
    assert "diverged at every learning rate: 1e+200, 3e+200" in text
    assert "normalisation: global" in text


def test_a_single_diverged_learning_rate_just_loses(examples) -> None:
    rates = [1e200, 0.01]
    assert head(learning_rates=rates).fit(examples(), examples(30, seed=1), seed=0).chosen == {"learning_rate": 0.01}


def test_predicting_before_fitting_is_an_error(examples) -> None:
    with pytest.raises(BenchError, match="predicts before it is fitted"):
        head().predict(examples())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"learning_rates": []}, "at least 1 item"),
        ({"learning_rates": [0.1, 0.1]}, "repeats a value"),
        ({"learning_rates": [0]}, "greater than 0"),
        ({"evaluate_every": 7}, "beyond maximum 6: no evaluation"),
        ({"select_on": "uarr"}, "select_on is 'loss', 'primary' or one of uar"),
        ({"batchsize": 3}, "Extra inputs"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        head(**changes)


def test_every_key_must_be_stated() -> None:
    for key in RECIPE:
        with pytest.raises(ValidationError, match=key):
            SuperbParams.model_validate({name: value for name, value in RECIPE.items() if name != key})


def test_the_identity_holds_the_recipe(examples) -> None:
    first = identity_of(head())
    assert first["params"]["learning_rates"] == [0.1, 0.01, 0.001]
    assert set(code_of(head()).libraries) == {"numpy", "torch"}
    assert identity_of(head(clip=None)) != first
