"""Targets: what a task asks of an utterance, a class or a value of each dimension, and how that is read and written."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.io.yamls import first_repeated
from benchmark.sufficient import STATISTICS, Outputs
from benchmark.types import Kind, Utterance

if TYPE_CHECKING:
    from benchmark.protocol.task import CorpusUse, Task


class Targets(ABC):
    """What is predicted of an utterance.

    Attributes:
        outputs: What they are called.
        are_classes: Whether an utterance has one of several classes, so that a decision is right or wrong.
    """

    outputs: ClassVar[Outputs]
    are_classes: ClassVar[bool]

    @abstractmethod
    def check(self, task: Task) -> None:
        """Refuse a protocol that says of its targets what does not go together.

        Raises:
            ValueError: It does; the message says what such a task has.
        """

    @abstractmethod
    def classes(self, task: Task, part: CorpusUse, utterances: Sequence[Utterance]) -> dict[str, str | None]:
        """The class of each utterance by its id, None for one that the task leaves out; empty where none has a class.

        Args:
            task: The protocol.
            part: What it says of the corpus of the utterances.
            utterances: Of one corpus.

        Raises:
            BenchError: An utterance has no target: its label is in no label map, or a dimension is no number.
        """

    @abstractmethod
    def array(
        self, task: Task, labels: Mapping[str, str], utterances: Sequence[Utterance]
    ) -> NDArray[np.int64] | NDArray[np.float32]:
        """Targets as heads are given them.

        Args:
            task: The protocol.
            labels: Class of each utterance id; empty where none has a class.
            utterances: n utterances of the task.

        Returns:
            Class indices (n,) int64, or values (n, k) float32 of k dimensions.
        """

    @abstractmethod
    def columns(self, outputs: Sequence[str]) -> list[str]:
        """The columns of `row` in a file of predictions, by the names of a task's outputs."""

    @abstractmethod
    def row(self, outputs: Sequence[str], truth: Any, scores: NDArray[np.float64]) -> list[Any]:
        """What a file of predictions says of an utterance beside its scores.

        Args:
            outputs: The names of a task's outputs.
            truth: A class index, or values (k,).
            scores: (K,) class scores, or values (k,).
        """


class _Classes(Targets):
    """One of the task's classes, mapped from a label of the corpus."""

    outputs = "classes"
    are_classes = True

    def check(self, task: Task) -> None:
        """See `Targets.check`."""
        twice = first_repeated(task.labels)
        if twice is not None:
            raise ValueError(f"a label is listed twice: {twice!r}")
        if len(task.labels) < 2 or task.dimensions:
            raise ValueError(f"a {task.kind} task lists two or more labels, and no dimensions")
        if task.auxiliary is not None:
            raise ValueError("auxiliary classes stand beside dimensions: this task has classes of its own")

    def classes(self, task: Task, part: CorpusUse, utterances: Sequence[Utterance]) -> dict[str, str | None]:
        """By the label map of the part, see `Targets.classes`."""
        return {one.id: class_of(one, task.label, part.label_map, task.name) for one in utterances}

    def array(self, task: Task, labels: Mapping[str, str], utterances: Sequence[Utterance]) -> NDArray[np.int64]:
        """Class indices (n,), in the order of the task's labels."""
        position = {label: index for index, label in enumerate(task.labels)}
        return np.array([position[labels[one.id]] for one in utterances], dtype=np.int64)

    def columns(self, outputs: Sequence[str]) -> list[str]:
        """Truth and decision."""
        return ["truth", "decision"]

    def row(self, outputs: Sequence[str], truth: Any, scores: NDArray[np.float64]) -> list[Any]:
        """The true class, and that of the largest score, the first of equals."""
        return [outputs[truth], outputs[int(scores.argmax())]]


class _Dimensions(Targets):
    """A number for each of the task's dimensions, as the corpus has it."""

    outputs = "dimensions"
    are_classes = False

    def check(self, task: Task) -> None:
        """See `Targets.check`."""
        if not task.dimensions or task.labels or any(part.label_map for part in task.uses):
            raise ValueError(f"a {task.kind} task lists dimensions, and no labels or label_map")

    def classes(self, task: Task, part: CorpusUse, utterances: Sequence[Utterance]) -> dict[str, str | None]:
        """Nothing, once every utterance has its numbers, see `Targets.classes`."""
        for name in task.dimensions:
            lacking = [utterance for utterance in utterances if not _is_value(utterance.labels.get(name))]
            if lacking:
                # A scanner may take a column that holds one word for words throughout: name the utterance that has it.
                worst = next((one for one in lacking if not _is_number(one.extra.get(name))), lacking[0])
                found = worst.labels.get(name, worst.extra.get(name))
                raise BenchError(
                    f"utterance {worst.id!r} has no number for {name!r}, a dimension of {task.name} (it has {found!r})"
                )
        return {}

    def array(self, task: Task, labels: Mapping[str, str], utterances: Sequence[Utterance]) -> NDArray[np.float32]:
        """Values (n, k), in the order of the task's dimensions."""
        return np.array([[one.labels[name] for name in task.dimensions] for one in utterances], dtype=np.float32)

    def columns(self, outputs: Sequence[str]) -> list[str]:
        """The true value of each dimension."""
        return [f"true_{name}" for name in outputs]

    def row(self, outputs: Sequence[str], truth: Any, scores: NDArray[np.float64]) -> list[Any]:
        """The true values."""
        return list(truth.tolist())


_TARGETS: dict[Outputs, Targets] = {one.outputs: one for one in (_Classes(), _Dimensions())}


def targets_of(kind: Kind) -> Targets:
    """The targets of the tasks of a kind."""
    return _TARGETS[STATISTICS[kind].outputs]


# In a label map: those without a label.
UNLABELLED = ""


def class_of(utterance: Utterance, key: str, label_map: Mapping[str, str | None], where: str) -> str | None:
    """The class that a label of an utterance is mapped to; None where the map leaves it out.

    Args:
        utterance: It.
        key: Which of its labels.
        label_map: Class of each label.
        where: Whose map it is, for the error.

    Raises:
        BenchError: The label is not in the map.
    """
    label = utterance.labels.get(key)
    if label is None and UNLABELLED in label_map:
        return label_map[UNLABELLED]
    if label is None:
        raise BenchError(
            f"utterance {utterance.id!r} has no {'label' if key == 'emotion' else key}, which {where} asks for",
            f'label it, or leave out all without one: "{UNLABELLED}": null in the label_map',
        )
    if not isinstance(label, str) or label not in label_map:
        what = "label" if key == "emotion" else key
        raise BenchError(
            f"utterance {utterance.id!r} has the {what} {label!r}, which is not in the label_map of {where}",
            "map it to a class, or to null to leave it out",
        )
    return label_map[label]


def _is_value(label: str | float | None) -> bool:
    return isinstance(label, float | int) and math.isfinite(label)


def _is_number(value: str | float | None) -> bool:
    try:
        return value is not None and math.isfinite(float(value))
    except ValueError:
        return False
