"""The error of systems by the true value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from leaderboard.figures.canvas import GREY, LINES, MARKERS, PALETTE, blank, drawn, made_by, shown, tip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.analyses import ErrorByValue


@drawn
def error_by_value(found: Mapping[str, Sequence[ErrorByValue]], task: str, command: str) -> Figure:
    """RMSE in intervals of the true value, with the number of tests below, a panel for each dimension.

    Args:
        found: The systems by dimension, all with the same intervals.
        task: The task's name.
        command: What made it.
    """
    systems = len(next(iter(found.values())))
    figure = blank(
        2.75 * len(found) + 0.16 * systems,
        f"Error by true value on {shown(task)}",
        "Root mean squared error of the tests whose true value lies in each interval, the mean over seeds; bars: 95 % "
        "intervals for new speakers (none for one speaker). Grey: share of the tests in the interval.",
        made_by(command),
    )
    for axes, (dimension, each) in zip(figure.subplots(len(found), 1, squeeze=False)[:, 0], found.items(), strict=True):
        bins = each[0].bins
        middles, width = np.array([(one.start + one.end) / 2 for one in bins]), bins[0].end - bins[0].start
        tests = np.array([one.utterances for one in bins])
        behind = axes.twinx()
        behind.bar(middles, 100 * tests / tests.sum(), width=0.92 * width, color=GREY, alpha=0.25, linewidth=0)
        behind.set_ylabel("tests [%]")
        behind.spines["right"].set_visible(True)
        axes.set_zorder(behind.get_zorder() + 1)
        colours, markers = cycle(PALETTE[:4]), cycle(MARKERS)
        for index, one in enumerate(each):
            known = [(middle, part.rmse) for middle, part in zip(middles, one.bins, strict=True) if part.rmse]
            shift = 0.06 * width * (index - (len(each) - 1) / 2)
            x, y = [middle + shift for middle, _ in known], [rmse.value for _, rmse in known]
            low = [0 if rmse.low is None else rmse.value - rmse.low for _, rmse in known]
            high = [0 if rmse.high is None else rmse.high - rmse.value for _, rmse in known]
            axes.errorbar(
                x, y, yerr=[low, high], color=next(colours), marker=next(markers), markersize=4.5, linewidth=1.2,
                capsize=2.5, linestyle=LINES[index // 4 % len(LINES)], label=shown(one.system), gid=tip(one.system),
            )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"true {shown(dimension, 30)}")
        axes.set_ylabel("RMSE")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=2)
    return figure
