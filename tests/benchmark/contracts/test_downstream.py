"""The contract of downstreams catches what it is there to catch, with a text that says what broke."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from promises import failures

from benchmark.base import Downstream, HeadParams
from benchmark.contracts import check_downstream
from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from benchmark.types import Selection


class Centroid(Downstream):
    """Nearest class mean of the flattened layers, with a little noise of the seed: keeps every promise."""

    name = "centroid"

    def fit(self, train, dev, *, seed):
        jitter = 1e-3 * np.random.Generator(np.random.PCG64(seed)).standard_normal(train.x[0].size)
        flat = self.flat(train)
        self.centres = np.stack([flat[train.y == k].mean(axis=0) + jitter for k in range(len(train.outputs))])
        return Selection("dev uar", 0.5, 1, (0.2, 0.3, 0.5), {"metric": "euclidean"})

    def flat(self, examples):
        return examples.x.reshape(len(examples), -1).astype(np.float64)

    def predict(self, examples):
        return -((self.flat(examples)[:, np.newaxis] - self.centres) ** 2).sum(axis=2)

    def parameters(self):
        return self.centres.size


def make(cls: type[Downstream]) -> Callable[[], Downstream]:
    return lambda: cls(HeadParams())


def test_a_downstream_that_keeps_every_promise_passes() -> None:
    checks = list(check_downstream(make(Centroid)))
    assert failures(checks) == {}
    assert len({check.name for check in checks}) == len(checks) == 12


def test_a_brief_training_serves_where_one_is_compared_with_another() -> None:
    fitted: list[str] = []

    class Long(Centroid):
        def fit(self, train, dev, *, seed):
            fitted.append(type(self).__name__)
            return super().fit(train, dev, seed=seed)

    class Brief(Long):
        pass

    class Careless(Brief):
        """What is brief is held to its promises, too."""

        def fit(self, train, dev, *, seed):
            return super().fit(train, dev, seed=len(fitted))

    assert failures(check_downstream(make(Long))) == {}
    assert fitted == ["Long"] * 5
    fitted.clear()
    assert failures(check_downstream(make(Long), make(Brief))) == {}
    assert sorted(fitted) == [*["Brief"] * 4, *["Long"] * 2]  # which learns, and learns no noise
    assert "the same seed gives the same bytes" in failures(check_downstream(make(Long), make(Careless)))
    with pytest.raises(BenchError, match="the brief downstream is a Centroid, not a Long"):
        list(check_downstream(make(Long), make(Centroid)))


class Sums(Centroid):
    """Takes dimensions too: least squares over the sum of the layers."""

    name = "sums"
    kinds = ("classification", "regression")

    def fit(self, train, dev, *, seed):
        if train.kind == "classification":
            return super().fit(train, dev, seed=seed)
        self.weights = np.linalg.lstsq(self.summed(train), train.y)[0]
        return Selection()

    def summed(self, examples):
        return np.column_stack([examples.x.sum(axis=1, dtype=np.float64), np.ones(len(examples))])

    def predict(self, examples):
        return super().predict(examples) if examples.kind == "classification" else self.summed(examples) @ self.weights

    def parameters(self):
        return 0


class SumsAlone(Sums):
    """Takes dimensions alone; the seed shifts all alike."""

    name = "sums-alone"
    kinds = ("regression",)

    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        self.weights[-1] += 1e-3 * seed
        return selection


@pytest.mark.parametrize(("cls", "number"), [(Sums, 13), (SumsAlone, 12)])
def test_a_downstream_keeps_its_promises_on_every_kind_that_it_declares(cls: type[Downstream], number: int) -> None:
    checks = list(check_downstream(make(cls)))
    assert failures(checks) == {}
    assert [check.name for check in checks].count("dimensions are learnt") == 1
    assert len(checks) == number


class OnInnerFolds(Centroid):
    """Says that it selects on all inner folds, and does."""

    name = "on-inner-folds"
    uses_dev = "select"
    inner_selection = "all"

    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        return selection if train.inner is None else replace(selection, inner_folds=len(np.unique(train.inner)))


class ForgetfulOfInnerFolds(OnInnerFolds):
    """Looks at its dev set all the same."""

    def fit(self, train, dev, *, seed):
        if not len(dev):
            raise ValueError("no dev set")
        return super().fit(train, dev, seed=seed)


class SilentOnInnerFolds(OnInnerFolds):
    """Does not say how many there were."""

    def fit(self, train, dev, *, seed):
        return replace(super().fit(train, dev, seed=seed), inner_folds=None)


def test_a_head_that_selects_on_all_inner_folds_can_and_says_so() -> None:
    name = "inner folds of train take the place of a dev set"
    assert failures(check_downstream(make(OnInnerFolds))) == {}
    assert name in [check.name for check in check_downstream(make(OnInnerFolds))]
    broken = failures(check_downstream(make(ForgetfulOfInnerFolds)))
    assert "fitting on inner folds, without a dev set" in broken.pop(name)
    assert broken == {}
    assert "the selection says inner_folds=None" in failures(check_downstream(make(SilentOnInnerFolds)))[name]


class FrameCentroid(Centroid):
    """The same on frames."""

    name = "frame-centroid"
    needs = "frames"

    def flat(self, examples):
        return np.stack([frames.mean(axis=1).ravel().astype(np.float64) for frames in examples.x])

    def fit(self, train, dev, *, seed):
        flat = self.flat(train)
        centres = [flat[train.y == k].mean(axis=0) for k in range(len(train.outputs))]
        self.centres = np.stack(centres) + 1e-3 * seed
        return Selection()


def test_a_downstream_on_frames_passes() -> None:
    checks = list(check_downstream(make(FrameCentroid)))
    assert "a short utterance scores alike beside a long one" in {check.name for check in checks}
    assert failures(checks) == {}


class Unmasked(FrameCentroid):
    """Means over padded frames, as long as the longest that is predicted with it."""

    def flat(self, examples):
        longest = max(frames.shape[1] for frames in examples.x)
        return np.stack([frames.sum(axis=1).ravel() / longest for frames in examples.x]).astype(np.float64)


class ByThreads(Centroid):
    """Scores depend on how many threads compute."""

    def predict(self, examples):
        return super().predict(examples) * (1 + torch.get_num_threads())


class FromIds(Centroid):
    """Knows the order in which classes come."""

    def predict(self, examples):
        known = np.array([int(name[-3:]) // len(set(examples.speakers)) % 3 for name in examples.ids])
        return super().predict(examples) + 100 * np.eye(3)[known]


class Unsaved(Centroid):
    """Keeps what it learns outside of itself."""

    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        type(self).learnt[id(self)] = self.centres
        return selection

    def predict(self, examples):
        self.centres = type(self).learnt[id(self)]
        return super().predict(examples)

    learnt: ClassVar[dict] = {}


class NotKept(Centroid):
    """Holds what cannot be kept."""

    def fit(self, train, dev, *, seed):
        self.keep = lambda: None
        return super().fit(train, dev, seed=seed)


class WrongDimensions(Sums):
    """Gives the dimensions in another order."""

    def predict(self, examples):
        scores = super().predict(examples)
        return scores[:, ::-1] if examples.kind == "regression" else scores


class Standardised(Centroid):
    """Centres the test utterances by their own mean and says so."""

    transductive = True

    def flat(self, examples):
        flat = super().flat(examples)
        return flat - flat.mean(axis=0)


def test_a_transductive_downstream_may_look_at_the_whole_test_set() -> None:
    names = [check.name for check in check_downstream(make(Standardised))]
    assert "a score does not depend on the other utterances" not in names
    assert failures(check_downstream(make(Standardised))) == {}


class HiddenTransduction(Standardised):
    transductive = False


class Float32Scores(Centroid):
    def predict(self, examples):
        return super().predict(examples).astype(np.float32)


def test_scores_of_another_precision_are_scores_as_in_a_run() -> None:
    assert failures(check_downstream(make(Float32Scores))) == {}


class Words(Centroid):
    def predict(self, examples):
        return super().predict(examples).astype(str)


class Labels(Centroid):
    def predict(self, examples):
        return super().predict(examples).argmax(axis=1)


class NaNScore(Centroid):
    def predict(self, examples):
        scores = super().predict(examples)
        scores[-1, 2] = np.nan
        return scores


class Unlearnt(Centroid):
    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        self.centres = self.centres[[1, 2, 0]]
        return selection


class Unseeded(Centroid):
    def fit(self, train, dev, *, seed):
        return super().fit(train, dev, seed=np.random.default_rng().integers(1 << 30))


class SelectsByChance(Centroid):
    def fit(self, train, dev, *, seed):
        return replace(super().fit(train, dev, seed=seed), score=np.random.default_rng().random())


class DrawsInPredict(Centroid):
    def predict(self, examples):
        scores = super().predict(examples)
        return scores + 1e-9 * np.random.default_rng().standard_normal(scores.shape)


class IgnoresSeed(Centroid):
    def fit(self, train, dev, *, seed):
        return super().fit(train, dev, seed=0)


class SecretSeed(Centroid):
    stochastic = False


class ChangesTrain(Centroid):
    def fit(self, train, dev, *, seed):
        selection = super().fit(train, dev, seed=seed)
        train.x[:] -= train.x.mean(axis=0)
        return selection


class ChangesTest(Centroid):
    def predict(self, examples):
        scores = super().predict(examples)
        examples.x[0] = 0
        return scores


class ByPosition(Centroid):
    def predict(self, examples):
        return super().predict(examples) + 1e-3 * np.arange(len(examples))[:, np.newaxis]


class SortsTest(Centroid):
    def predict(self, examples):
        return super().predict(examples)[np.argsort(examples.ids)]


class NoSelection(Centroid):
    def fit(self, train, dev, *, seed):
        super().fit(train, dev, seed=seed)


def selecting(**fields: Any) -> type[Downstream]:
    class Selecting(Centroid):
        def fit(self, train, dev, *, seed):
            super().fit(train, dev, seed=seed)
            return Selection(**fields)

    return Selecting


class NeedsLabels(Centroid):
    def predict(self, examples):
        return super().predict(examples) + examples.y[:, np.newaxis]


class Placed(HeadParams):
    data: str = "here"


class LearntIdentity(Centroid):
    def fit(self, train, dev, *, seed):
        self.params = Placed(data="learnt")
        return super().fit(train, dev, seed=seed)


class PathIdentity(Centroid):
    def __init__(self, params, device="cpu"):
        super().__init__(Placed(data="/data/urdu"), device)


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (Words, "scores have the right shape and are finite", r"shape \(30, 3\) and dtype <U32"),
        (Labels, "scores have the right shape and are finite", r"shape \(30,\) and dtype int64"),
        (NaNScore, "scores have the right shape and are finite", "nan for utterance 'toy2-029' and 'sad'"),
        (NeedsLabels, "scores have the right shape and are finite", "predicting 30 utterances raises TypeError"),
        (Unlearnt, "separable classes are learnt", r"UAR 0\.\d\d on three classes"),
        (WrongDimensions, "dimensions are learnt", r"CCC -?0\.\d\d on two dimensions"),
        (FromIds, "noise is not learnt", "UAR 1.00 on features that say nothing"),
        (
            Unmasked,
            "a short utterance scores alike beside a long one",
            r"beside one of 200 frames \('toy2-000'\) get other",
        ),
        (ByThreads, "one thread or two give the same", "one thread and two give other scores"),
        (Unsaved, "a head that was saved and loaded predicts the same", "predicting 30 utterances raises KeyError"),
        (
            NotKept,
            "a head that was saved and loaded predicts the same",
            "keeping the fitted head: it.keep is .* cannot be kept",
        ),
        (Unseeded, "the same seed gives the same bytes", "two heads fitted with seed 0.*differ by up to.*utterance"),
        (SelectsByChance, "the same seed gives the same bytes", "fitted with seed 0 give different selections"),
        (DrawsInPredict, "the same seed gives the same bytes", "the same head predicts.*in two ways"),
        (IgnoresSeed, "the seed matters exactly where it is said to", "seeds 0 and 1 give the same scores"),
        (SecretSeed, "the seed matters exactly where it is said to", "seeds 0 and 1 give different scores"),
        (ChangesTrain, "the examples are not changed", "changes the train examples"),
        (ChangesTest, "the examples are not changed", "changes the test examples"),
        (ByPosition, "the order of the utterances does not matter", "in another order get other scores"),
        (SortsTest, "the order of the utterances does not matter", "in another order get other scores"),
        (HiddenTransduction, "a score does not depend on the other utterances", "1 of 30 utterances, from 'toy2-000'"),
        (NoSelection, "the selection is well formed", "fit returns NoneType"),
        (selecting(on="dev uar"), "the selection is well formed", "on='dev uar' and score=None"),
        (selecting(on="dev", score=float("nan")), "the selection is well formed", "score=nan"),
        (selecting(epoch=0), "the selection is well formed", "epoch 0"),
        (selecting(layer_weights=(0.5, 0.5)), "the selection is well formed", "layer weights of 3 layers"),
        (selecting(layer_weights=(0.5, 0.5, 0.5)), "the selection is well formed", "summing to one"),
        (selecting(chosen={"C": np.float32(1)}), "the selection is well formed", "the selection is no plain JSON"),
        (LearntIdentity, "identity is plain, stable and free of paths", "changes with fitting"),
        (PathIdentity, "identity is plain, stable and free of paths", "absolute path, '/data/urdu'"),
    ],
)
def test_a_broken_downstream_is_caught(broken: type[Downstream], check: str, text: str) -> None:
    found = failures(check_downstream(make(broken)))
    assert check in found
    assert re.search(text, found[check]), found[check]


def test_the_toy_has_every_class_for_every_speaker() -> None:
    train = toy("mean", utterances=60, speakers=6, seed=0)
    assert len(train) == 60
    pairs = set(zip(train.speakers, train.y.tolist(), strict=True))
    assert len(pairs) == 18
    frames = toy("frames", utterances=60, speakers=6, seed=0)
    assert all(array.shape[0::2] == (3, 8) and array.dtype == np.float32 for array in frames.x)
    assert not set(train.speakers) & set(toy("mean", utterances=30, speakers=3, seed=1).speakers)
