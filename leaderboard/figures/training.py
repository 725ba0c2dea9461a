"""How a pre-training went: losses, deviations, and what was set from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leaderboard.figures.canvas import BLUE, GREEN, VERMILION, blank, drawn, made_by, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Heading, and the figures of the log that stand in a panel with what they are called there.
PANELS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("loss of masked frames", (("frame_loss", ""),)),
    ("loss of utterances", (("utterance_loss", ""),)),
    ("standard deviation", (("target_deviation", "targets"), ("prediction_deviation", "predictions"))),
    ("learning rate", (("learning_rate", ""),)),
)


@drawn
def curves(lines: Sequence[Mapping[str, Any]], name: str, command: str) -> Figure:
    """Four panels over steps.

    Args:
        lines: Of the log; a figure that a recipe does not have is None.
        name: Of the recipe.
        command: What made it.
    """
    warnings = [f"Step {line['step']}: {shown(line['warning'], 120)}." for line in lines if "warning" in line]
    figure = blank(
        4.2,
        f"Pre-training with {shown(name)}",
        "Each value is the mean since the one before. Deviations are over frames, averaged over dimensions: they fall "
        "to 0 where a model says the same of every frame.",
        *warnings,
        made_by(command),
    )
    steps = [line["step"] for line in lines]
    for axes, (title, series) in zip(figure.subplots(2, 2, sharex=True).flat, PANELS, strict=True):
        for (key, label), colour, style in zip(series, (BLUE, VERMILION, GREEN), ("-", "--", ":"), strict=False):
            values = [line[key] for line in lines]
            if None not in values:
                axes.plot(steps, values, color=colour, linestyle=style, linewidth=1.3, label=label, marker=".", ms=3)
        if not axes.lines:
            axes.text(0.5, 0.5, "not in this recipe", ha="center", va="center", transform=axes.transAxes)
        if any(label for _, label in series) and axes.lines:
            axes.legend()
        axes.set_title(title)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
    for axes in figure.axes[2:]:
        axes.set_xlabel("step")
    return figure
