"""The head `boaw-svm`: what its codebooks are learnt from, and that the rest is the head `svm`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from benchmark.types import Examples
from downstreams.heads.audio_words import Bags
from downstreams.heads.boaw_svm import BoAWSVM
from downstreams.heads.svm import SVM
from downstreams.params.boaw_svm import BoAWSVMParams

RECIPE: dict[str, Any] = {
    "layer": "last", "parts": 2, "words": 20, "codebook": "random++", "codebook_frames": None, "scaling": "standardise",
    "nearest": 3, "log": True, "idf": False, "norm": "none", "seed": None,
    "machine": {"kernel": "linear", "C": 1, "normalisation": "none", "layer": "last", "fit_on": "train+dev"},
}  # fmt: skip


def head(**changes: Any) -> BoAWSVM:
    return BoAWSVM(BoAWSVMParams.model_validate({**RECIPE, **changes}))


def frames(seed: int = 0, n: int = 30) -> Examples:
    return toy("frames", utterances=n, speakers=3, seed=seed)


def test_it_is_a_machine_on_bags_whose_words_are_of_train_alone() -> None:
    train, dev, test = frames(0), frames(1), replace(frames(2), y=None)
    fitted = head()
    selection = fitted.fit(train, dev, seed=7)
    bags = Bags.learn([x[-1] for x in train.x], fitted.params, 7)
    machine = SVM(fitted.params.machine)

    def bagged(part: Examples) -> Examples:
        return replace(part, x=bags.of([x[-1] for x in part.x]))

    assert machine.fit(bagged(train), bagged(dev), seed=0) == selection
    np.testing.assert_array_equal(fitted.predict(test), machine.predict(bagged(test)))
    assert fitted.parameters() == machine.parameters() + 2 * 20 * 4


def test_it_reads_the_layer_of_the_recipe() -> None:
    train, dev = frames(0), frames(1)
    test = frames(2)
    last, numbered, other = head(), head(layer=2), head(layer=0)
    for one in (last, numbered, other):
        one.fit(train, dev, seed=0)
    np.testing.assert_array_equal(last.predict(test), numbered.predict(test))
    changed = replace(test, x=tuple(np.concatenate([np.zeros_like(x[:2]), x[2:]]) for x in test.x))
    np.testing.assert_array_equal(last.predict(test), last.predict(changed))
    assert (other.predict(test) != other.predict(changed)).any()
    with pytest.raises(BenchError, match="the recipe reads layer 3"):
        head(layer=3).fit(train, dev, seed=0)


def test_a_fixed_seed_is_that_of_the_recipe() -> None:
    train, dev, test = frames(0), frames(1), frames(2)
    assert head().stochastic
    assert not head(seed=4).stochastic
    drawn = [head(seed=4), head(seed=4), head()]
    for one, seed in zip(drawn, (0, 1, 4), strict=True):
        one.fit(train, dev, seed=seed)
    assert len({one.predict(test).tobytes() for one in drawn}) == 1


def test_the_facts_of_its_machine_are_its_own() -> None:
    machine = {**RECIPE["machine"], "class_weight": "balanced", "fit_on": "train", "normalisation": "speaker"}
    one = head(machine=machine)
    assert (one.needs, one.kinds, one.uses_dev, one.transductive) == ("frames", ("classification",), "no", True)
    assert (head().kinds, head().uses_dev) == (("classification", "regression"), "fit")


def test_a_dev_set_may_be_empty() -> None:
    train = frames(0)
    none = replace(train, ids=(), x=(), y=train.y[:0], speakers=())
    head().fit(train, none, seed=0)
    with pytest.raises(BenchError, match="train holds no utterance"):
        head().fit(none, none, seed=0)


def test_what_is_not_as_what_it_was_fitted_on_is_refused() -> None:
    fitted, test = head(), frames(2)
    with pytest.raises(BenchError, match="boaw-svm predicts before it is fitted"):
        fitted.predict(test)
    fitted.fit(frames(0), frames(1), seed=0)
    with pytest.raises(BenchError, match="'toy2-000' in test have 1 layers of 8 values, others 3 of 8"):
        fitted.predict(replace(test, x=tuple(x[:1] for x in test.x)))
    with pytest.raises(BenchError, match="was fitted on 'toy1-000' of dev"):
        fitted.predict(frames(1))
