"""The head `knn` against cosines computed one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from benchmark.metrics import score
from benchmark.types import Examples
from downstreams.heads.knn import KNN
from downstreams.params.knn import KNNParams

RECIPE: dict[str, Any] = {
    "neighbours": 5, "temperature": 0.07, "normalisation": "global", "layer": "last", "fit_on": "train",
}  # fmt: skip


def head(**changes: Any) -> KNN:
    return KNN(KNNParams.model_validate({**RECIPE, **changes}))


def predicted(train: Examples, test: Examples, **changes: Any) -> np.ndarray:
    fitted = head(**changes)
    fitted.fit(train, replace(test, ids=(), x=test.x[:0], y=test.y[:0], speakers=()), seed=0)
    return fitted.predict(replace(test, y=None))


def by_hand(train: Examples, test: Examples, neighbours: int, temperature: float | None) -> np.ndarray:
    """Every cosine by its definition, every vote by itself."""
    known, asked = (part.x[:, -1].astype(float) for part in (train, test))
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    result = []
    for vector in (asked - mean) / deviation:
        cosines = []
        for other in (known - mean) / deviation:
            cosines.append(sum(vector * other) / (sum(vector**2) ** 0.5 * sum(other**2) ** 0.5))
        nearest = sorted(range(len(known)), key=lambda row: -cosines[row])[:neighbours]
        weights = [1.0 if temperature is None else np.exp(cosines[row] / temperature) for row in nearest]
        votes = [np.eye(3)[train.y[row]] if train.kind == "classification" else train.y[row] for row in nearest]
        result.append(sum(w * v for w, v in zip(weights, votes, strict=True)) / sum(weights))
    return np.array(result)


@pytest.mark.parametrize("temperature", [None, 0.07, 1.0])
@pytest.mark.parametrize("neighbours", [1, 5])
def test_votes_are_those_of_the_largest_cosines(examples, neighbours: int, temperature: float | None) -> None:
    train, test = examples(45), examples(20, seed=1)
    found = predicted(train, test, neighbours=neighbours, temperature=temperature)
    np.testing.assert_allclose(found, by_hand(train, test, neighbours, temperature), atol=1e-5)


def test_values_are_weighted_means_in_the_scale_of_the_corpus(value_examples) -> None:
    train, test = value_examples(60), value_examples(20, seed=1)
    found = predicted(train, test)
    np.testing.assert_allclose(found, by_hand(train, test, 5, 0.07), atol=1e-4)
    assert train.y.min() <= found.min() <= found.max() <= train.y.max()
    assert score("ccc", test.y, found) > 0.5


def test_length_says_nothing(examples) -> None:
    train, test = examples(45), examples(20, seed=1)
    centred = replace(train, x=train.x - train.x.mean(axis=0))
    found = predicted(centred, test, normalisation="none")
    longer = predicted(centred, replace(test, x=3 * test.x), normalisation="none")
    np.testing.assert_allclose(found, longer, atol=1e-5)


def test_fewer_utterances_than_neighbours_all_vote(examples) -> None:
    train, test = examples(4), examples(6, seed=1)
    found = predicted(train, test, neighbours=10, temperature=None)
    np.testing.assert_allclose(found, np.tile([0.5, 0.25, 0.25], (6, 1)))


def test_a_class_absent_from_train_has_no_vote(examples) -> None:
    train, test = examples(45), examples(9, seed=1)
    kept = [row for row in range(45) if train.y[row] != 1]
    part = replace(
        train,
        ids=tuple(train.ids[row] for row in kept),
        x=train.x[kept],
        y=train.y[kept],
        speakers=tuple(train.speakers[row] for row in kept),
    )
    assert (predicted(part, test)[:, 1] == 0).all()


def test_a_vector_of_zeros_is_similar_to_none(examples) -> None:
    train, test = examples(45), examples(9, seed=1)
    found = predicted(train, replace(test, x=np.zeros_like(test.x)), normalisation="none", neighbours=45)
    np.testing.assert_allclose(found, 1 / 3)


def test_nothing_is_learnt(examples) -> None:
    fitted = head()
    fitted.fit(examples(9), examples(9, seed=1), seed=0)
    assert fitted.parameters() == 0


@pytest.mark.parametrize("changes", [{"neighbours": 0}, {"temperature": 0}, {"temperature": float("inf")}])
def test_a_recipe_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        head(**changes)
