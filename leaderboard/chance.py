"""What guessing alone would score, for the line that every drawing of scores has."""

from __future__ import annotations

from benchmark.records import TaskPart

SHARES, CORRELATIONS = ("uar", "wa"), ("ccc", "pearson")


def chance_level(task: TaskPart, metric: str | None = None) -> float | None:
    """What a metric is expected to be where each class is decided with equal chance.

    Of K classes each recall is then 1/K, whichever of them a fold or a speaker has: so are UAR and WA. Values that know
    nothing of the truth have a CCC and a correlation of 0. None for F1 and errors, which depend on the sizes of the
    classes and the spread of the values: there the rows of the control say it.

    Args:
        task: The protocol.
        metric: Name of the metric; the primary one where not given.
    """
    name = metric or task.metrics[0]
    if name in SHARES and task.outputs:
        return 1 / len(task.outputs)
    return 0.0 if name in CORRELATIONS else None
