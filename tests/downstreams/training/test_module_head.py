"""Heads of frames: what is common to all, on the smallest of them."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.contracts.toys import select, toy
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.types import Examples
from downstreams.heads.linear import Linear
from downstreams.params.linear import LinearParams

RECIPE = {
    "hidden": 16,
    "layers": "all",
    "normalisation": "global",
    "max_frames": None,
    "batch_size": 16,
    "optimiser": {"name": "adam", "learning_rate": 0.01},
    "maximum": 12,
    "patience": 5,
    "select_on": "primary",
}
TRAIN, DEV, TEST = (toy("frames", utterances=n, speakers=3, seed=seed) for seed, n in enumerate((60, 30, 30)))


def head(**changes: Any) -> Linear:
    return Linear(LinearParams.model_validate({**RECIPE, **changes}))


def fitted(train: Examples = TRAIN, dev: Examples = DEV, seed: int = 0, **changes: Any) -> Linear:
    made = head(**changes)
    made.fit(train, dev, seed=seed)
    return made


def unlabelled(data: Examples) -> Examples:
    return replace(data, y=None)


def values(data: Examples) -> Examples:
    """Two dimensions on a scale from 1 to 7, of the mean of the last layer."""
    means = np.stack([x[-1].mean(axis=0)[:2] for x in data.x])
    return replace(data, y=np.float32(4 + means), outputs=("arousal", "valence"), kind="regression", metric="ccc")


def test_classes_are_learnt_and_the_curve_is_told() -> None:
    made = head()
    shares: list[float] = []
    made.report = shares.append
    selection = made.fit(TRAIN, DEV, seed=0)
    assert score("uar", TEST.y, made.predict(unlabelled(TEST))) > 0.9
    assert selection.on == "dev uar"
    assert selection.score == max(point.dev_score for point in selection.curve)
    assert [point.when for point in selection.curve] == list(range(1, len(selection.curve) + 1))
    assert selection.curve[0].train_loss > selection.curve[-1].train_loss
    assert len(selection.layer_weights) == 3
    assert shares == sorted(shares)
    assert made.parameters() == 3 + 8 * 16 + 16 + 16 * 3 + 3


def test_dimensions_come_in_their_own_scale() -> None:
    made = fitted(values(TRAIN), values(DEV), maximum=40, patience=None)
    predicted = made.predict(unlabelled(values(TEST)))
    assert score("ccc", values(TEST).y, predicted) > 0.8
    assert abs(predicted.mean() - 4) < 0.5


def test_it_selects_on_loss_or_on_a_metric_by_name() -> None:
    selection = head(select_on="loss").fit(TRAIN, DEV, seed=0)
    assert (selection.on, selection.score) == ("dev loss", min(point.dev_loss for point in selection.curve))
    assert head(select_on="wa").fit(TRAIN, DEV, seed=0).on == "dev wa"
    with pytest.raises(BenchError, match="selects on wa, a metric of classification"):
        head(select_on="wa").fit(values(TRAIN), values(DEV), seed=0)


@pytest.mark.parametrize("changes", [{}, {"normalisation": "none", "layers": "last"}, {"batch_frames": 25}])
def test_a_score_does_not_depend_on_the_company(changes: dict) -> None:
    made = fitted(**changes, maximum=3)
    together = made.predict(unlabelled(TEST))
    for row in range(10):
        alone = made.predict(select(TEST, [row]))
        np.testing.assert_allclose(together[[row]], alone, rtol=1e-5, atol=1e-5)


def test_nothing_that_the_process_draws_or_how_many_threads_it_has_changes_a_number() -> None:
    expected = fitted(dropout=0.3, maximum=4).predict(unlabelled(TEST))
    torch.manual_seed(77)
    torch.rand(10)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = fitted(dropout=0.3, maximum=4).predict(unlabelled(TEST))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert again.tobytes() == expected.tobytes()


def test_a_corpus_beyond_the_memory_is_learnt_as_well() -> None:
    made = fitted(memory=0.02, maximum=20)  # some 20 kB of 69 kB
    assert score("uar", TEST.y, made.predict(unlabelled(TEST))) > 0.9
    plenty = fitted(maximum=20)
    assert made.predict(unlabelled(TEST)).tobytes() != plenty.predict(unlabelled(TEST)).tobytes()


def test_statistics_of_speakers_are_those_of_their_own_set() -> None:
    made = fitted(normalisation="speaker")
    moved = [x + 100 * (speaker == TEST.speakers[0]) for x, speaker in zip(TEST.x, TEST.speakers, strict=True)]
    shifted = replace(unlabelled(TEST), x=tuple(np.float32(x) for x in moved))
    np.testing.assert_allclose(made.predict(shifted), made.predict(unlabelled(TEST)), atol=1e-3)
    assert made.transductive


def test_a_fitted_head_survives_pickling() -> None:
    made = fitted(maximum=2)
    again = pickle.loads(pickle.dumps(made))
    assert again.predict(unlabelled(TEST)).tobytes() == made.predict(unlabelled(TEST)).tobytes()


# -- what is odd about a fold ------------------------------------------------------------------------------------------


def part(data: Examples, rows: list[int]) -> Examples:
    return replace(select(data, rows), y=data.y[rows])


def test_a_train_set_of_one_class_learns_to_say_it() -> None:
    alone = part(TRAIN, [row for row in range(60) if TRAIN.y[row] == 1])
    made = fitted(alone, class_weight="balanced")
    assert set(made.predict(unlabelled(TEST)).argmax(axis=1)) == {1}


def test_a_class_that_is_missing_in_train_is_never_said() -> None:
    lacking = part(TRAIN, [row for row in range(60) if TRAIN.y[row] != 2])
    for changes in ({}, {"class_weight": "balanced"}, {"focal": 2.0}):
        assert 2 not in fitted(lacking, **changes).predict(unlabelled(TEST)).argmax(axis=1)


def test_fewer_utterances_than_a_batch_are_one_batch() -> None:
    few = part(TRAIN, [0, 1, 2, 6, 7, 12])
    made = fitted(few, batch_size=128)
    assert np.isfinite(made.predict(unlabelled(TEST))).all()


def test_a_single_utterance_in_train_and_in_dev() -> None:
    one = part(TRAIN, [0])
    for data in (one, values(one)):
        assert np.isfinite(fitted(data, data).predict(unlabelled(TEST))).all()


def test_an_utterance_beyond_max_frames_is_cut_to_its_first_frames() -> None:
    made = fitted(max_frames=5, maximum=3)
    cut = replace(unlabelled(TEST), x=tuple(x[:, :5] for x in TEST.x))
    np.testing.assert_array_equal(made.predict(cut), made.predict(unlabelled(TEST)))


def test_constant_targets_give_finite_predictions() -> None:
    constant = values(TRAIN)
    constant = replace(constant, y=np.full_like(constant.y, 3))
    predicted = fitted(constant, values(DEV)).predict(unlabelled(values(TEST)))
    assert np.isfinite(predicted).all()


def test_divergence_is_told_and_keeps_what_was_best() -> None:
    with pytest.raises(BenchError, match="training diverged before the first evaluation on dev"):
        fitted(optimiser={"name": "sgd", "learning_rate": 1e30}, normalisation="none")
    huge = {"kind": "cyclic", "highest": 1e36, "rise": 3}
    made = fitted(optimiser={"name": "sgd", "learning_rate": 0.1}, schedule=huge)
    assert np.isfinite(made.predict(unlabelled(TEST))).all()


def test_what_is_no_fold_is_refused() -> None:
    empty = part(DEV, [])
    with pytest.raises(BenchError, match="the head linear selects on dev, but the protocol has no dev set"):
        fitted(dev=empty)
    with pytest.raises(BenchError, match="train holds no utterance"):
        fitted(train=part(TRAIN, []))
    with pytest.raises(BenchError, match="the head linear predicts before it is fitted"):
        head().predict(unlabelled(TEST))
    other = toy("frames", utterances=3, speakers=3, seed=5)
    wide = replace(other, x=tuple(np.repeat(x, 2, axis=-1) for x in other.x))
    with pytest.raises(BenchError, match="test have 3 layers of 16 values, others 3 of 8"):
        fitted(maximum=1).predict(wide)
