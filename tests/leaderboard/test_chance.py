"""What guessing would score."""

from __future__ import annotations

import numpy as np
import pytest
from records_factory import record

from benchmark.metrics import METRICS
from leaderboard.chance import chance_level


@pytest.mark.parametrize("metric", ["uar", "wa"])
def test_guessing_each_class_alike_gives_that_share_whatever_the_sizes_of_the_classes(metric: str) -> None:
    level = chance_level(record(task__metrics=[metric], primary=metric).task)
    sizes = np.array([40, 8, 0, 1000])
    expected = np.repeat(sizes[:, None] / 4, 4, axis=1)  # decisions that are expected, of each true class
    assert METRICS[metric].compute(expected) == pytest.approx(level)


def test_correlations_are_nothing_and_the_rest_is_not_known() -> None:
    def level(metric: str) -> float | None:
        kind = METRICS[metric].kind
        outputs = ["arousal"] if kind == "regression" else ["a", "b"]
        return chance_level(
            record({}, task__metrics=[metric], primary=metric, task__kind=kind, task__outputs=outputs).task
        )

    assert [level(name) for name in ("ccc", "pearson", "rmse", "macro_f1", "weighted_f1")] == [
        0.0,
        0.0,
        None,
        None,
        None,
    ]
    assert chance_level(record().task, "macro_f1") is None
