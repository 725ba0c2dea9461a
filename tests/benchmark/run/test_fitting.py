"""What a head is given of a fold: train, dev or inner folds, and test without its targets."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from toy import TOY_TASK

from benchmark.base import Downstream, HeadParams
from benchmark.base.downstream import InnerFolds, UsesDev
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.dev_schemes import DevTest
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.run.fitting import Scored, fit_and_score
from benchmark.types import Examples, HeldOut, Probabilities, Selection


class GivenParams(HeadParams):
    """A head of any facts."""

    uses: UsesDev = "select"
    inner: InnerFolds = "all"
    likely: Probabilities | None = None
    keeps: bool = False

    @property
    def uses_dev(self) -> UsesDev:
        """As it is told."""
        return self.uses

    @property
    def inner_selection(self) -> InnerFolds:
        """As it is told."""
        return self.inner

    @property
    def probabilities(self) -> Probabilities | None:
        """As it is told."""
        return self.likely


class Given(Downstream):
    """Remembers what it was given."""

    name = "given"
    Params: ClassVar[type[HeadParams]] = GivenParams

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Select nothing."""
        self.train, self.dev = train, dev
        self.asked: list[tuple[str, ...]] = []
        return Selection(on="something", inner_folds=None if train.inner is None else len(set(train.inner.tolist())))

    def predict(self, examples: Examples) -> np.ndarray:
        """Always the first class."""
        assert examples.y is None
        self.asked.append(examples.ids)
        scores = np.eye(len(examples.outputs))[np.zeros(len(examples), dtype=int)]
        return scores if self.params.likely is None else 0.7 * scores + 0.3 / len(examples.outputs)

    def held_out(self) -> HeldOut | None:
        """What is said of all of train, where it keeps something."""
        return (
            HeldOut(np.asarray(self.train.y), self.predict(replace(self.train, y=None))) if self.params.keeps else None
        )


@pytest.fixture
def dataset(settings: Settings) -> Dataset:
    task = Task.model_validate({**TOY_TASK, "dev": {"scheme": "inner", "k": 5, "group": "speaker"}})
    return load_dataset(task, Registry().corpora_of(task), settings)


def given(dataset: Dataset, **params: Any) -> tuple[Given, Any]:
    """The head of the fold that tests anna, and what is recorded of its selection."""
    head, found = scored(dataset, **params)
    return head, found.selection


def scored(dataset: Dataset, **params: Any) -> tuple[Given, Scored]:
    """The head of the fold that tests anna, and its unit."""
    encoded: Any = SimpleNamespace(
        features={one.id: np.ones((1, 2), np.float32) for one in dataset.utterances},
        shape=(1, 2),
        parts=(),
        upstream="flat",
    )
    head = Given(GivenParams(**params))
    found = fit_and_score(dataset, encoded, lambda: head, "anna", 0)
    assert not isinstance(found, str), found
    assert set(found.by_speaker) == {"anna"}
    return head, found


def test_a_head_that_is_selected_on_all_inner_folds_is_given_all_of_train_and_which_fold_holds_each_out(
    dataset,
) -> None:
    head, selection = given(dataset)
    assert set(head.train.speakers) == {"bert", "cleo", "dora"}
    assert len(head.dev) == 0
    assert head.train.inner is not None
    pairs = set(zip(head.train.speakers, head.train.inner.tolist(), strict=True))
    assert len(pairs) == 3
    assert {fold for _, fold in pairs} == {0, 1, 2}
    assert selection.inner_folds == 3


def test_a_head_that_is_too_dear_has_the_first_inner_fold_as_dev_and_the_record_shows_it(dataset) -> None:
    head, selection = given(dataset, inner="first")
    (dev_speaker,) = set(head.dev.speakers)
    assert set(head.train.speakers) == {"bert", "cleo", "dora"} - {dev_speaker}
    assert head.train.inner is None
    first = next(fold for fold in dataset.folds if fold.name == "anna").inner[0]
    assert head.dev.ids == first
    assert selection.inner_folds == 1


@pytest.mark.parametrize("uses", ["fit", "no"])
def test_a_head_that_selects_nothing_is_fitted_on_all_of_train(dataset, uses: UsesDev) -> None:
    head, _ = given(dataset, uses=uses, inner="first")
    assert set(head.train.speakers) == {"bert", "cleo", "dora"}
    assert len(head.dev) == 0


def test_without_inner_folds_dev_is_that_of_the_protocol(dataset) -> None:
    fold = replace(dataset.folds[0], train=dataset.folds[0].train[:-5], dev=dataset.folds[0].train[-5:], inner=())
    head, selection = given(replace(dataset, folds=(fold,)), inner="first")
    assert head.dev.ids == fold.dev
    assert head.train.inner is None
    assert selection.inner_folds is None


def with_dev(dataset: Dataset, **changes: Any) -> Dataset:
    """The fold that tests anna, with a dev set instead of inner folds."""
    fold = dataset.folds[0]
    changes = {"train": fold.train[:-5], "dev": fold.train[-5:], "inner": (), **changes}
    return replace(dataset, folds=(replace(fold, **changes),))


def test_a_temperature_is_fitted_on_dev_which_is_predicted_after_test(dataset) -> None:
    head, found = scored(with_dev(dataset), likely="plain")
    assert head.asked == [dataset.folds[0].test, head.dev.ids]
    assert found.calibration is not None
    assert (found.calibration.on, found.calibration.without) == ("dev", None)
    assert list(found.calibration.before) == list(found.by_speaker) == ["anna"]
    assert found.calibration.after is not None
    assert found.calibration.temperature is not None


def test_a_head_that_gives_no_probabilities_has_no_sums_and_is_not_asked_of_dev(dataset) -> None:
    head, found = scored(with_dev(dataset))
    assert found.calibration is None
    assert head.asked == [dataset.folds[0].test]


def test_a_temperature_is_fitted_on_what_inner_folds_hold_out(dataset) -> None:
    _, found = scored(dataset, likely="plain", keeps=True)
    assert found.calibration is not None
    assert found.calibration.on == "inner folds"


@pytest.mark.parametrize(
    ("params", "dev", "why"),
    [
        ({"uses": "fit"}, True, "fitted on dev"),
        ({"uses": "no"}, False, "nothing held out"),
        ({"uses": "select"}, False, "nothing held out"),
    ],
)
def test_where_nothing_can_be_fitted_honestly_the_record_says_why(dataset, params: Any, dev: bool, why: str) -> None:
    _, found = scored(with_dev(dataset) if dev else dataset, likely="plain", **params)
    assert found.calibration is not None
    assert (found.calibration.without, found.calibration.temperature, found.calibration.after) == (why, None, None)
    assert list(found.calibration.before) == ["anna"]


def test_nothing_is_fitted_on_test(dataset) -> None:
    task = dataset.task.model_copy(update={"dev": DevTest(scheme="test")})
    test = dataset.folds[0].test
    _, found = scored(replace(with_dev(dataset, dev=test), task=task), likely="plain")
    assert found.calibration is not None
    assert (found.calibration.without, found.calibration.temperature) == ("dev is test", None)


def test_a_head_whose_probabilities_are_none_fails(dataset) -> None:
    encoded: Any = SimpleNamespace(
        features={one.id: np.ones((1, 2), np.float32) for one in dataset.utterances},
        shape=(1, 2),
        parts=(),
        upstream="flat",
    )
    found = fit_and_score(with_dev(dataset), encoded, lambda: Given(GivenParams(likely="log")), "anna", 0)
    assert isinstance(found, str)
    assert "says that its scores are probabilities" in found
