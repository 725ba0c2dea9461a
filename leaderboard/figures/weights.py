"""What systems weigh against what they score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics import find
from benchmark.text import decimal, some
from leaderboard.figures.canvas import BLUE, blank, drawn, made_by, shown, tip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.analyses import Size

LINE = 0.2  # inches for each system


@drawn
def sizes(found: Sequence[Size], command: str) -> Figure:
    """Systems from light to heavy: megabytes and real-time factor, logarithmic, and the score with its interval.

    Args:
        found: Of one task, in the order in which they are to stand.
        command: What made it.
    """
    metric = find(found[0].metric)
    factor = 100 if metric.percent else 1
    devices = some(sorted({shown(one.device, 16) for one in found}), 4)
    figure = blank(
        0.85 + LINE * len(found),
        f"Size, speed and {metric.title} on {shown(found[0].task)}",
        "Size: weights of upstream and head in float32, 1 MB = 10^6 bytes. Real-time factor: encoding time by duration "
        f"of the audio, once, as recorded ({devices}); times of different machines cannot be compared. "
        "Bars: 95 % intervals for new speakers and seeds.",
        made_by(command),
        width=7.2,
    )
    weight, time, score = figure.subplots(1, 3, sharey=True)
    for axes, values, label in (
        (weight, [one.megabytes for one in found], "size [MB]"),
        (time, [one.real_time for one in found], "real-time factor"),
    ):
        positive = [value for value in values if value]
        floor = 10.0 ** np.floor(np.log10(min(positive)) - 0.3) if positive else 0.1
        for place, value in enumerate(values):
            if value:
                axes.plot([value], [place], "o", color=BLUE, markersize=4.5)
            axes.annotate(
                _written(value), (value or floor, place), xytext=(6 if value else 1, 0), textcoords="offset points",
                va="center", fontsize=7,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(floor, 30 * max([*positive, floor]))
        first, last = (int(np.floor(np.log10(end))) for end in axes.get_xlim())
        powers = [power for power in range(first, last + 1, max(1, -(-(last - first) // 3))) if 10.0**power >= floor]
        ticks = [10.0**power for power in powers]
        axes.set_xticks(ticks, labels=[np.format_float_positional(tick, trim="-") for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel(label)
    for place, one in enumerate(found):
        if one.low is not None and one.high is not None:
            score.plot([factor * one.low, factor * one.high], [place, place], color=BLUE, linewidth=1.3)
        score.plot([factor * one.score], [place], "o", color=BLUE, markersize=4.5, gid=tip(one.system))
    score.set_xlabel(metric.title + (" [%]" if metric.percent else ""))
    for axes in (weight, time, score):
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    weight.set_yticks(range(len(found)), labels=[shown(one.system, 32) for one in found])
    weight.set_ylim(len(found) - 0.4, -0.6)
    return figure


def _written(value: float | None) -> str:
    """A size or a factor beside its dot; what is 0 has none on a logarithmic axis."""
    if value is None:
        return "not known"
    if 0 < value < 0.0001:
        return "< 0.0001"
    return decimal(value, 0 if value >= 100 or value == 0 else 1 if value >= 1 else 4)
