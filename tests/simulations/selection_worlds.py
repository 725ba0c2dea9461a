"""Print the table of worlds in leaderboard/SELECTION.md: on what heads are best selected, where truth is known.

    OMP_NUM_THREADS=1 python tests/simulations/selection_worlds.py --draws 40

A world has speakers, each with a voice and a way of his own to show four emotions, and three layers of which the middle
one tells most. A head is fitted on the speakers of a draw and scored on 200 others, who stand for all. Every way to
select sees the same speakers: one of them is dev, or a third of them, or they are dealt into inner folds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package of this checkout

import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.registry.registry import Registry
from benchmark.types import Examples, Selection

CLASSES, LAYERS, WIDTH = 4, 3, 24
TESTED = 200
FOLDS = 5
WAYS = ("one speaker", "third", "inner")


@dataclass(frozen=True)
class SelectionWorld:
    """Speech of whom nothing is known but what is drawn.

    Attributes:
        speakers: Who train and select in one draw.
        utterances: Of each class and speaker.
        signal: How far apart the classes are, in deviations of the noise.
        own: How far each speaker's classes are from everybody's.
        voice: How far each speaker is from the others, whatever the class.
    """

    speakers: int
    utterances: int = 6
    signal: float = 0.8
    own: float = 0.8
    voice: float = 1.5

    def draw(self, rng: np.random.Generator) -> tuple[Examples, Examples]:
        """Utterances of this world's speakers, and of `TESTED` others, from one set of true classes."""
        classes = self.signal * rng.standard_normal((CLASSES, WIDTH)) / np.sqrt(2)
        told = np.array([0.3, 1.0, 0.6])[:, None]  # by each layer
        return tuple(self._examples(rng, classes, told, count) for count in (self.speakers, TESTED))  # type: ignore[return-value]

    def _examples(
        self, rng: np.random.Generator, classes: NDArray[np.float64], told: NDArray[np.float64], speakers: int
    ) -> Examples:
        own = self.own * rng.standard_normal((speakers, CLASSES, WIDTH)) / np.sqrt(2)
        voices = self.voice * rng.standard_normal((speakers, LAYERS, WIDTH)) / np.sqrt(2)
        speaker = np.repeat(np.arange(speakers), CLASSES * self.utterances)
        y = np.tile(np.repeat(np.arange(CLASSES), self.utterances), speakers)
        known = (classes[None] + own)[speaker, y]
        x = told * known[:, None] + voices[speaker] + rng.standard_normal((len(y), LAYERS, WIDTH))
        return Examples(
            ids=tuple(f"{number:06d}" for number in range(len(y))),
            x=x.astype(np.float32),
            y=y,
            speakers=tuple(f"s{number:03d}" for number in speaker),
            outputs=tuple("abcd"),
            kind="classification",
            metric="uar",
        )


def taken(examples: Examples, chosen: NDArray[np.bool_]) -> Examples:
    """Those of the examples that are chosen."""
    where = np.flatnonzero(chosen)
    return replace(
        examples,
        ids=tuple(examples.ids[i] for i in where),
        x=np.asarray(examples.x)[where],
        y=None if examples.y is None else examples.y[where],
        speakers=tuple(examples.speakers[i] for i in where),
    )


def divided(examples: Examples, way: str) -> tuple[Examples, Examples]:
    """Train and dev of one way to select."""
    names = sorted(set(examples.speakers))
    number = np.array([names.index(name) for name in examples.speakers])
    if way == "inner":
        nobody = np.zeros(len(number), dtype=bool)
        return replace(examples, inner=number % min(FOLDS, len(names))), taken(examples, nobody)
    dev = number < (1 if way == "one speaker" else max(1, len(names) // 3))
    return taken(examples, ~dev), taken(examples, dev)


def uar(truth: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Mean recall of the classes."""
    right = scores.argmax(axis=1) == truth
    return float(np.mean([right[truth == k].mean() for k in range(CLASSES)]))


def scores_of(world: SelectionWorld, way: str, on: str, draws: int, seeds: int) -> NDArray[np.float64]:
    """UAR of the recipe `superb`: (draws, seeds); a draw is the same one for every way."""
    head = Registry().downstream("superb")
    found = np.empty((draws, seeds))
    for draw in range(draws):
        examples, others = world.draw(np.random.default_rng([draw, world.speakers]))
        train, dev = divided(examples, way)
        for seed in range(seeds):
            made = type(head)(head.params.model_copy(update={"select_on": on}))
            selection = made.fit(train, dev, seed=1000 * draw + seed)
            assert isinstance(selection, Selection)
            found[draw, seed] = uar(np.asarray(others.y), np.asarray(made.predict(replace(others, y=None))))
    return found


def rows(speakers: list[int], draws: int, seeds: int) -> Iterator[list[str]]:
    """One row for each number of speakers and way."""
    for count in speakers:
        first: NDArray[np.float64] | None = None
        for way in WAYS:
            if way == "third" and count // 3 < 2:
                continue
            for on in ("primary", "loss"):
                scores = 100 * scores_of(SelectionWorld(count), way, on, draws, seeds)
                means = scores.mean(axis=1)
                first = means if first is None else first
                more = means - first
                error = more.std(ddof=1) / np.sqrt(draws)
                within = np.sqrt(scores.var(axis=1, ddof=1).mean())
                difference = "" if way == WAYS[0] and on == "primary" else f"{more.mean():+.1f} ± {error:.1f}"
                yield [str(count), way, on, f"{means.mean():.1f}", difference, f"{within:.1f}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speakers", type=int, nargs="+", default=[3, 5, 9, 24])
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    header = ["speakers", "selected on", "by", "UAR", "against one speaker", "deviation of seeds"]
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))  # noqa: T201
    for row in rows(options.speakers, options.draws, options.seeds):
        print("| " + " | ".join(row) + " |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
