"""Votes of several heads: who wins, and what must be known of the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from benchmark.base.identity import code_of, identity_of
from benchmark.registry.registry import Registry
from benchmark.types import Examples
from downstreams.heads.ensemble import Ensemble
from downstreams.params.ensemble import EnsembleParams

REGISTRY = Registry()
MACHINE = {"kernel": "linear", "C": 1, "normalisation": "global", "layer": "last", "fit_on": "train"}
NEAREST = {"neighbours": 3, "temperature": None, "normalisation": "global", "layer": "last", "fit_on": "train"}
LOGISTIC = {"C": 1, "max_iter": 1000, "normalisation": "global", "layer": "last", "fit_on": "train"}


def member(downstream: str, **params: Any) -> dict[str, Any]:
    return {"downstream": downstream, "params": params}


def ensemble(*members: dict[str, Any]) -> Ensemble:
    return Ensemble(EnsembleParams.model_validate({"members": members}))


THREE = (member("svm", **MACHINE), member("logistic", **LOGISTIC), member("knn", **NEAREST))


def test_it_decides_as_the_majority_of_heads_that_are_fitted_alone(examples) -> None:
    train, dev, test = examples(45), examples(9, seed=1), replace(examples(60, seed=2), y=None)
    whole = ensemble(*THREE)
    whole.fit(train, dev, seed=0)
    alone = [ensemble(one, one) for one in THREE]
    for one in alone:
        one.fit(train, dev, seed=0)
    decisions = np.stack([one.predict(test).argmax(axis=1) for one in alone])
    expected = []
    for votes in decisions.T:
        counts = [int((votes == label).sum()) for label in range(3)]
        expected.append(next(vote for vote in votes if counts[vote] == max(counts)))
    assert len(set(map(tuple, decisions.T))) > 5  # they do not always agree
    np.testing.assert_array_equal(whole.predict(test).argmax(axis=1), expected)
    assert whole.parameters() == sum(one.parameters() for one in whole.components)


class Fixed:
    """A member that decides as it is told."""

    def __init__(self, decision: int) -> None:
        self.decision = decision

    def predict(self, examples: Examples) -> np.ndarray:
        return np.eye(3)[[self.decision] * len(examples)]


@pytest.mark.parametrize(
    ("votes", "decided"),
    [((0, 1, 2), 0), ((2, 1, 0), 2), ((0, 1, 1), 1), ((0, 1, 1, 0), 0), ((0, 2, 2, 1, 1), 2), ((0, 0, 1, 1, 1), 1)],
)
def test_of_as_many_votes_the_earliest_member_decides(examples, votes: tuple[int, ...], decided: int) -> None:
    whole: Any = ensemble(*THREE)
    whole.components = [Fixed(vote) for vote in votes]
    assert whole.predict(examples(2)).argmax(axis=1).tolist() == [decided] * 2


def test_of_dimensions_it_is_the_mean(value_examples) -> None:
    train, dev, test = value_examples(60), value_examples(9, seed=1), replace(value_examples(9, seed=2), y=None)
    whole = ensemble(member("svm", **MACHINE), member("knn", **NEAREST))
    whole.fit(train, dev, seed=0)
    expected = np.mean([one.predict(test) for one in whole.components], axis=0)
    np.testing.assert_allclose(whole.predict(test), expected)


def test_what_must_be_known_of_it_follows_from_its_members() -> None:
    assert ensemble(*THREE).kinds == ("classification",)
    assert ensemble(*THREE).uses_dev == "no"
    assert not ensemble(*THREE).stochastic
    assert ensemble(THREE[0], member("knn", **{**NEAREST, "fit_on": "train+dev"})).uses_dev == "fit"
    assert ensemble(THREE[0], member("knn", **{**NEAREST, "normalisation": "speaker"})).transductive
    superb = member("superb", **REGISTRY.downstream("superb").params.model_dump())
    assert (ensemble(THREE[0], superb).uses_dev, ensemble(THREE[0], superb).stochastic) == ("select", True)


def test_its_identity_and_code_are_those_of_its_members_too() -> None:
    whole = ensemble(*THREE)
    assert [one["family"] for one in identity_of(whole)["components"]] == ["svm", "logistic", "knn"]
    assert identity_of(whole)["params"]["members"][0]["params"]["epsilon"] == 0.1  # a default that was not given
    assert "scikit-learn" in code_of(whole).libraries
    assert code_of(whole).sha256 != code_of(ensemble(*THREE[:2])).sha256
    assert "components" not in identity_of(REGISTRY.downstream("svm"))


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ((THREE[0],), "at least 2"),
        ((THREE[0], member("smv", **MACHINE)), "'smv' is none of"),
        ((THREE[0], member("svm", **{**MACHINE, "kernal": 1})), "kernal"),
        ((THREE[0], member("svm", **{**MACHINE, "pooling": "statistics"})), "different things: mean, statistics"),
        ((THREE[0], member("turn-gru", **REGISTRY.downstream("turn-gru").params.model_dump())), "different things"),
    ],
)
def test_members_that_do_not_suit_each_other_are_refused(members: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        ensemble(*members)
