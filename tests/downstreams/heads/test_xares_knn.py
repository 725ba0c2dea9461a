"""The head `xares-knn` against its definition, which is not that of cosines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize, one_hot

from benchmark.types import Examples
from downstreams.heads.xares_knn import XaresKNN
from downstreams.params.xares_knn import XaresKNNParams

RECIPE: dict[str, Any] = {
    "neighbours": 10, "temperature": 0.07, "normalisation": "none", "layer": "last", "fit_on": "train",
}  # fmt: skip


def predicted(train: Examples, test: Examples, **changes: Any) -> np.ndarray:
    fitted = XaresKNN(XaresKNNParams.model_validate({**RECIPE, **changes}))
    fitted.fit(train, replace(test, ids=(), x=test.x[:0], y=test.y[:0], speakers=()), seed=0)
    assert fitted.parameters() == 0
    return fitted.predict(replace(test, y=None))


def by_torch(train: Examples, test: Examples, neighbours: int, temperature: float) -> np.ndarray:
    """Features over the training set, and utterances of the test set, divided by their lengths by torch's own."""
    known = normalize(torch.tensor(train.x[:, -1], dtype=torch.float64), dim=0)
    asked = normalize(torch.tensor(test.x[:, -1], dtype=torch.float64), dim=1)
    nearest, rows = torch.topk(asked @ known.T, neighbours)
    votes = one_hot(torch.tensor(train.y)[rows], 3) * torch.softmax(nearest / temperature, dim=1).unsqueeze(-1)
    return votes.sum(dim=1).numpy()


@pytest.mark.parametrize(("neighbours", "temperature"), [(10, 0.07), (3, 1.0)])
def test_votes_are_those_of_x_ares(examples, neighbours: int, temperature: float) -> None:
    train, test = examples(45), examples(20, seed=1)
    found = predicted(train, test, neighbours=neighbours, temperature=temperature)
    np.testing.assert_allclose(found, by_torch(train, test, neighbours, temperature), atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_it_is_no_cosine(examples) -> None:
    """An utterance that is ten times as long is nearer to everything it points to."""
    train, test = examples(45), examples(20, seed=1)
    longer = train.x.copy()
    longer[train.y == 0] *= 10
    assert np.abs(predicted(train, test) - predicted(replace(train, x=longer), test)).max() > 0.1


def test_fewer_utterances_than_neighbours_all_vote(examples) -> None:
    train, test = examples(4), examples(6, seed=1)
    np.testing.assert_allclose(predicted(train, test, temperature=None), np.tile([0.5, 0.25, 0.25], (6, 1)))
