"""What a task predicts: classes and dimensions, read from utterances and written to predictions."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from toy import TOY_TASK

from benchmark.errors import BenchError
from benchmark.protocol.targets import class_of, targets_of
from benchmark.protocol.task import Task
from benchmark.sufficient import STATISTICS
from benchmark.types import Utterance

DIMENSIONS = {"kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal", "valence"]}
RATED = {"arousal": 2.5, "valence": -1.0}
MAP = {"high": "high", "low": "low", "other": None}


def task(**changes: Any) -> Task:
    expect = {"utterances": None, "speakers": None}
    return Task.model_validate({**copy.deepcopy(TOY_TASK), "expect": expect, "label_map": MAP, **changes})


def utterance(name: str, **labels: Any) -> Utterance:
    return Utterance(name, "", labels=labels)


@pytest.mark.parametrize("kind", STATISTICS)
def test_targets_are_what_the_statistics_are_of(kind: Any) -> None:
    targets = targets_of(kind)
    assert targets.outputs == STATISTICS[kind].outputs
    assert targets.are_classes == (targets.outputs == "classes")


def test_classes_are_mapped_counted_and_written_by_name() -> None:
    toy = task()
    heard = [utterance("a", emotion="low"), utterance("b", emotion="other"), utterance("c", emotion="high")]
    assert toy.targets.classes(toy, toy.uses[0], heard) == {"a": "low", "b": None, "c": "high"}
    found = toy.targets.array(toy, {"a": "low", "c": "high"}, [heard[2], heard[0]])
    assert found.dtype == np.int64
    assert [toy.labels[index] for index in found] == ["high", "low"]
    assert toy.targets.columns(toy.outputs) == ["truth", "decision"]
    assert toy.targets.row(("x", "y", "z"), 2, np.array([0.1, 0.7, 0.7])) == ["z", "y"]


def test_dimensions_are_numbers_in_the_order_of_the_task() -> None:
    rated = task(**DIMENSIONS, metrics=["ccc"])
    one = utterance("a", valence=-1.0, arousal=2.5)
    assert rated.targets.classes(rated, rated.uses[0], [one]) == {}
    found = rated.targets.array(rated, {}, [one])
    assert (found.dtype, found.tolist()) == (np.float32, [[2.5, -1.0]])
    assert rated.targets.columns(rated.outputs) == ["true_arousal", "true_valence"]
    assert rated.targets.row(rated.outputs, found[0], np.zeros(2)) == [2.5, -1.0]


@pytest.mark.parametrize("value", [None, "often", float("nan"), float("inf")])
def test_what_is_no_number_is_refused_by_name(value: Any) -> None:
    rated = task(**DIMENSIONS, metrics=["ccc"])
    labels = {"arousal": 2.5} if value is None else {**RATED, "valence": value}
    with pytest.raises(BenchError, match=r"utterance 'a' has no number for 'valence', a dimension of toy"):
        rated.targets.classes(rated, rated.uses[0], [utterance("a", **labels)])


def test_a_label_that_no_map_has_is_refused() -> None:
    with pytest.raises(BenchError, match=r"'a' has the label 'odd', which is not in the label_map of toy"):
        class_of(utterance("a", emotion="odd"), "emotion", MAP, "toy")
    assert class_of(utterance("a", emotion="other"), "emotion", MAP, "toy") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["high"], "label_map": {"high": "high"}}, "a classification task lists two or more labels"),
        ({"dimensions": ["arousal"]}, "a classification task lists two or more labels, and no dimensions"),
        ({**DIMENSIONS, "metrics": ["ccc"], "dimensions": []}, "a regression task lists dimensions, and no labels"),
        ({**DIMENSIONS, "metrics": ["ccc"], "label_map": MAP}, "a regression task lists dimensions, and no labels"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task(**changes)
