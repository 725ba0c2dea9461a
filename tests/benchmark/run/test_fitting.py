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
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.run.fitting import fit_and_score
from benchmark.types import Examples, Selection


class GivenParams(HeadParams):
    """A head of any facts."""

    uses: UsesDev = "select"
    inner: InnerFolds = "all"

    @property
    def uses_dev(self) -> UsesDev:
        """As it is told."""
        return self.uses

    @property
    def inner_selection(self) -> InnerFolds:
        """As it is told."""
        return self.inner


class Given(Downstream):
    """Remembers what it was given."""

    name = "given"
    Params: ClassVar[type[HeadParams]] = GivenParams

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Select nothing."""
        self.train, self.dev = train, dev
        return Selection(on="something", inner_folds=None if train.inner is None else len(set(train.inner.tolist())))

    def predict(self, examples: Examples) -> np.ndarray:
        """Always the first class."""
        assert examples.y is None
        return np.eye(len(examples.outputs))[np.zeros(len(examples), dtype=int)]


@pytest.fixture
def dataset(settings: Settings) -> Dataset:
    task = Task.model_validate({**TOY_TASK, "dev": {"scheme": "inner", "k": 5, "group": "speaker"}})
    return load_dataset(task, Registry().corpora_of(task), settings)


def given(dataset: Dataset, **params: Any) -> tuple[Given, Any]:
    """The head of the fold that tests anna, and what is recorded of its selection."""
    encoded: Any = SimpleNamespace(
        features={one.id: np.ones((1, 2), np.float32) for one in dataset.utterances}, shape=(1, 2)
    )
    head = Given(GivenParams(**params))
    found = fit_and_score(dataset, encoded, lambda: head, "anna", 0)
    assert not isinstance(found, str), found
    assert set(found.by_speaker) == {"anna"}
    return head, found.selection


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
