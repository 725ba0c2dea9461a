"""Who is served worse: the gap between genders, and the speaker with the lowest score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.records.cells import Cell
from benchmark.statistics.scores import suited, weighted_scores
from benchmark.types import UNKNOWN_SPEAKER

MIN_UTTERANCES = 10  # of a speaker of his or her own score: with fewer it says next to nothing


@dataclass(frozen=True)
class Fairness:
    """How a system's score differs between people, as far as the corpus knows them.

    Attributes:
        by_gender: The score on the speakers of each gender, mean over seeds; empty where fewer than two are known.
        gap: The largest difference of two genders; None where fewer than two are known.
        worst: The score of the speaker with the worst one, mean over seeds, of those with enough utterances; for a
            speaker without utterances of some classes, over the classes that there are. None where the corpus knows
            no speakers.
        median: The score of the speaker in the middle, over the same speakers; None where the corpus knows none.
    """

    by_gender: dict[str, float]
    gap: float | None
    worst: float | None
    median: float | None


def fairness(cell: Cell, metric: str) -> Fairness:
    """How evenly the score is spread over speakers and genders.

    Args:
        cell: A complete cell.
        metric: A key of `benchmark.metrics.METRICS`, of the task's kind.

    Raises:
        BenchError: As `benchmark.statistics.cell_scores`.
    """
    found, statistics, task = suited(cell.task, metric), cell.statistics(), cell.task
    known_genders = cell.gender
    genders = [known_genders.get(speaker) for speaker in cell.speakers]
    names = sorted({gender for gender in genders if gender is not None})
    by_gender = {}
    if len(names) > 1:
        # one by one: a fold without a speaker of the gender must drop out, not count as nothing
        for name in names:
            weights = np.array([[float(gender == name)] for gender in genders])
            by_gender[name] = float(weighted_scores(statistics, weights, task, [found])[0, :, 0].mean())
    gap = max(by_gender.values()) - min(by_gender.values()) if by_gender else None
    if cell.cluster != "speaker":
        return Fairness(by_gender, gap, None, None)
    of_speakers = statistics.sum(axis=1)
    sizes = task.statistics.utterances(of_speakers[0])
    # utterances without a speaker are not one person's
    known = np.array([speaker != UNKNOWN_SPEAKER for speaker in cell.speakers])
    if not known.any():
        return Fairness(by_gender, gap, None, None)
    enough = known & (sizes >= min(MIN_UTTERANCES, sizes[known].max()))
    scores = found.compute(of_speakers[:, enough]).mean(axis=0)
    worst = scores.min() if found.higher_is_better else scores.max()
    return Fairness(by_gender, gap, float(worst), float(np.median(scores)))
