"""Cells of a few speakers for the tests of the statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from records_factory import cell, decisions

from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.sufficient import MOMENTS

OTHER = "9" * 64
REGRESSION = {"task__kind": "regression", "task__outputs": ["arousal", "valence"], "task__metrics": ["ccc", "rmse"]}
BySpeaker = Callable[[str, int], Mapping[str, np.ndarray]]


def only(*args, **changes) -> Cell:
    """The cell of these records."""
    return group(cell(*args, **changes)).cells[0]


def two(first: BySpeaker, second: BySpeaker, **changes) -> tuple[Cell, Cell]:
    """Two systems, "better" and "ears", on one task."""
    cells = group(
        cell(first, upstream__name="better", upstream__sha256=OTHER, **changes) + cell(second, **changes)
    ).cells
    return cells[0], cells[1]


def made_up(n: int, correct: float = 0.6, tag: int = 0, per_class: int = 3) -> BySpeaker:
    """Speakers with accuracies of their own, `n` in each fold."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        result = {}
        for index in range(n):
            own = np.random.default_rng([ord(fold[0]), index]).normal(0, 0.15)
            rng = np.random.default_rng([ord(fold[0]), seed, index, tag])
            result[f"{fold}{index:03}"] = decisions(rng, float(np.clip(correct + own, 0.05, 0.95)), per_class)
        return result

    return by_speaker


def rated(n: int = 3, noise: float = 1.0, tag: int = 0) -> BySpeaker:
    """Moments of two dimensions for `n` speakers a fold; the truth depends on neither seed nor system."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        result = {}
        for index in range(n):
            truth = np.random.default_rng([ord(fold[0]), index]).integers(1, 8, (20, 2)).astype(float)
            own = np.random.default_rng([ord(fold[0]), index, seed, tag]).normal(0, noise * (1 + index / 2), (20, 2))
            result[f"{fold}{index:03}"] = MOMENTS.of(truth, truth + own)
        return result

    return by_speaker


def right(share: Sequence[float], of: int = 10) -> BySpeaker:
    """Speakers who are right so often in each class, whatever fold and seed: `share` of `of` utterances."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        return {f"{fold}{index:03}": counts(round(one * of), of) for index, one in enumerate(share)}

    return by_speaker


def counts(hits: int, of: int) -> np.ndarray:
    """Confusion counts: in each class so many right of so many."""
    return hits * np.eye(4) + (of - hits) * np.roll(np.eye(4), 1, axis=1)


def single_decisions(is_right: Sequence[bool]) -> BySpeaker:
    """Speakers of one utterance each, all of the first class."""

    def by_speaker(fold: str, seed: int) -> Mapping[str, np.ndarray]:
        result = {}
        for index, one in enumerate(is_right):
            result[f"{fold}{index:03}"] = np.zeros((4, 4))
            result[f"{fold}{index:03}"][0, 0 if one else 1] = 1
        return result

    return by_speaker


def accuracies(found: Cell) -> npt.NDArray[np.float64]:
    """(S,) of the first seed."""
    confusions = found.statistics()[0].sum(axis=0)
    return confusions.trace(axis1=1, axis2=2) / confusions.sum(axis=(1, 2))


def utterances(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Truth and decision of each utterance."""
    rows, columns = np.indices(confusion.shape)
    times = confusion.ravel().astype(int)
    return np.repeat(rows.ravel(), times), np.repeat(columns.ravel(), times)
