"""A student that learns from a teacher: its losses, its phases, and that it sees its own upstream alone at test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.registry.registry import Registry
from benchmark.types import Examples, Taught
from downstreams.heads.distilled import confidence, distance

RANDOM = np.random.default_rng(0)
SMALL = ["downstream.hidden=8", "downstream.embedding=6", "downstream.depth=1"]


def test_confidence_falls_with_the_teachers_error() -> None:
    truth, taught = RANDOM.uniform(1, 7, size=(6, 3)), RANDOM.uniform(1, 7, size=(6, 3))
    taught[0] = truth[0]
    spread = truth.max() - truth.min()
    expected = [1 - np.mean([abs(t - p) for t, p in zip(one, other, strict=True)]) / spread
                for one, other in zip(truth, taught, strict=True)]  # fmt: skip
    found = confidence(torch.from_numpy(truth), torch.from_numpy(taught)).numpy()
    np.testing.assert_allclose(found, expected)
    assert found[0] == 1
    assert confidence(torch.from_numpy(truth), torch.from_numpy(truth + 100)).tolist() == [0.0] * 6
    assert confidence(torch.ones(2, 1), torch.zeros(2, 1)).tolist() == [1, 1]


def test_the_distance_is_the_weighted_mean_of_cosine_distances() -> None:
    own, taught, weights = RANDOM.normal(size=(5, 4)), RANDOM.normal(size=(5, 4)), RANDOM.uniform(size=5)
    cosines = [a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(own, taught, strict=True)]
    expected = np.mean((1 - np.array(cosines)) * weights)
    found = distance(*(torch.from_numpy(value) for value in (own, taught, weights)))
    assert float(found) == pytest.approx(float(expected))
    assert float(distance(torch.zeros(2, 3), torch.ones(2, 3), torch.ones(2))) == 1  # no direction


def lesson(data: Examples, embeddings: np.ndarray) -> Examples:
    return replace(data, taught=Taught(np.float32(embeddings), np.float64(data.y)))


def data(n: int, seed: int) -> Examples:
    return toy("frames", utterances=n, speakers=3, seed=seed, kind="regression")


def test_the_first_phase_learns_the_teachers_directions_and_the_second_the_targets() -> None:
    train, dev = data(90, 0), data(30, 1)
    directions = np.stack([x.mean(axis=(0, 1))[:6] for x in train.x])  # can be learnt from the student's upstream
    directions = np.maximum(directions, 0) + 0.1
    reached = {}
    for phase, first in (("first", 15), ("second", 1)):
        changes = [*SMALL, f"downstream.first_epochs={first}", "downstream.maximum=15"]
        head = Registry(changes=[*changes, "downstream.optimiser.learning_rate=0.01"]).downstream("tcgru-distilled")
        head.fit(lesson(train, directions), dev, seed=0)
        own = head.embeddings(replace(train, y=None))
        cosines = (own * directions).sum(axis=1) / np.linalg.norm(own, axis=1) / np.linalg.norm(directions, axis=1)
        reached[phase] = (cosines.mean(), score("ccc", dev.y, head.predict(replace(dev, y=None))))
    assert reached["first"][0] > reached["second"][0]
    assert reached["second"][1] > reached["first"][1]
    assert reached["second"][1] > 0.6


def test_a_student_without_a_fitting_teacher_is_refused() -> None:
    head = Registry(changes=SMALL).downstream("tcgru-distilled")
    with pytest.raises(BenchError, match="the head distilled needs a teacher"):
        head.fit(data(9, 0), data(9, 1), seed=0)
    with pytest.raises(BenchError, match=r"embeddings have shape \(9, 4\) .expected \(9, 6\)"):
        head.fit(lesson(data(9, 0), np.ones((9, 4))), data(9, 1), seed=0)
