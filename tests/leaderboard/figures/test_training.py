"""The curves of a pre-training."""

from __future__ import annotations

from typing import Any

import pytest

from leaderboard.figures.canvas import png, svg
from leaderboard.figures.training import curves

pytest.importorskip("matplotlib")


def line(step: int, **changes: Any) -> dict[str, Any]:
    told = {"frame_loss": 9.0 - step, "utterance_loss": 1.0, "learning_rate": 0.1 * step}
    return {"step": step, **told, "target_deviation": 0.7, "prediction_deviation": 0.3, **changes}


def test_each_figure_of_the_log_is_a_curve() -> None:
    figure = curves([line(1), line(2), line(3)], "emotion2vec-small", "bench pretrain --out m")
    assert [len(axes.lines) for axes in figure.axes] == [1, 1, 2, 1]
    assert list(figure.axes[0].lines[0].get_ydata()) == [8.0, 7.0, 6.0]
    text = svg(figure, alone=True)
    assert "Made by: bench pretrain --out m" in text
    assert text == svg(curves([line(1), line(2), line(3)], "emotion2vec-small", "bench pretrain --out m"), alone=True)


def test_what_a_recipe_does_not_have_is_said_and_a_collapse_is_told() -> None:
    lines = [line(1, utterance_loss=None, warning="the model collapses"), line(2, utterance_loss=None)]
    figure = curves(lines, "x", "y")
    assert not figure.axes[1].lines
    text = svg(figure, alone=True)
    assert "not in this recipe" in text
    assert "Step 1: the model collapses." in text
    assert png(figure).startswith(b"\x89PNG")
