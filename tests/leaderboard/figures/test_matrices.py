"""Matrices of decisions, and the other figures of analyses: they draw what was found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmark.analyses import ConfusionShift, Decisions, Ratio, embedding_distance, error_by_value
from benchmark.analyses import mismatch as compared
from benchmark.analyses import neighbours as parted
from leaderboard import figures
from leaderboard.figures import analyses
from leaderboard.figures.canvas import INK

COMMAND = 'bench analyse <b>$x$</b> "q"'


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def decisions(name: str, *seeds: list[int]) -> Decisions:
    tests = tuple(("one", f"u{i}") for i in range(4))
    return Decisions(name, "toy", ("a", "b"), tests, ("x", "x", "y", "y"), np.zeros(4, int), np.array(seeds))


def test_mismatch_shows_shares_and_intervals() -> None:
    found = compared(decisions("A", [0, 0, 1, 1], [0, 1, 1, 1]), decisions("B", [0, 0, 0, 1]))
    figure = analyses.mismatch(found, COMMAND)
    assert texts(figure)[:4] == ["37.5", "0.0", "37.5", "25.0"]
    assert texts(figure)[4:] == ["37.5", "25.0", "12.5"]
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["A and B", "two seeds of A", "beyond seeds"]
    assert "Made by: bench analyse &lt;b&gt;$x$" in figures.svg(figure)


def test_a_significant_shift_is_framed_and_an_untested_one_hatched() -> None:
    none = Ratio(float("nan"), None, None, None, 0)
    shift = [[Ratio(0.2, 0.1, 0.3, 0.001, 5), Ratio(-0.2, -0.3, -0.1, 0.2, 5)], [none, none]]
    p = np.array([[0.002, 0.2], [np.nan, np.nan]])
    shares = np.full((2, 2), 0.5)
    rows = tuple(map(tuple, shift))
    found = ConfusionShift("A", "B", "toy", ("a", "b"), np.array([10.0, 0.0]), shares, shares, rows, p)
    figure = analyses.confusion_shift(found, COMMAND)
    assert texts(figure) == ["+20.0", "-20.0"]
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert [patch.get_linewidth() > 1 for patch in patches] == [True, False, False, False]
    assert [patch.get_hatch() for patch in patches] == [None, None, "////", "////"]
    assert f"stroke: {INK}" not in figures.svg(figure)  # it takes the colour of the page


def test_every_number_of_a_heat_map_is_there_where_it_fits() -> None:
    values = np.array([[0.1, 0.25], [np.nan, 1.0]])
    figure = analyses.heat_maps({"x": values}, COMMAND, title="t", note="n", across="head", down="block")
    assert texts(figure) == ["0.10", "0.25", "1.00"]
    assert len(figure.axes[0].patches) == 4
    large = analyses.heat_maps({"x": np.ones((24, 24))}, COMMAND, title="t", note="n", across="head", down="block")
    assert set(texts(large)) == {""}


def test_lines_of_layers_and_the_chosen_ones() -> None:
    similarity = np.array([[0.1, 0.5, 0.9], [0.2, 0.6, 0.8]])
    figure = analyses.layer_similarity(similarity, ["angry", "sad"], [1, 2], COMMAND, title="t", note="n")
    lines = figure.axes[0].lines
    np.testing.assert_allclose([line.get_ydata() for line in lines], similarity)
    assert len(figure.axes[0].patches) == 2


def test_the_histogram_has_its_threshold() -> None:
    found = embedding_distance(np.linspace(0.05, 0.95, 10))
    figure = analyses.embedding_distance(found, "A", "B", "toy", COMMAND)
    curve, threshold = figure.axes[0].lines
    assert sum(curve.get_ydata()) == pytest.approx(100)
    assert threshold.get_xdata()[0] == found.threshold


def test_points_are_all_there_with_their_numbers() -> None:
    places = np.random.default_rng(0).normal(0, 1, (20, 2))
    labels = {"emotion": ["angry", "sad"] * 10, "speaker": [f"s{i}" for i in range(20)]}
    measured = {name: parted(places, each, labels["speaker"], label=name) for name, each in labels.items()}
    figure = analyses.projection(places, labels, measured, COMMAND, title="t", note="n")
    assert [sum(len(one.get_offsets()) for one in axes.collections) for axes in figure.axes] == [20, 20]
    assert f"purity {100 * measured['emotion'].purity:.1f} %" in figure.axes[0].get_title()
    assert "too many to name" in figure.axes[1].get_xlabel()


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_what_is_said_of_panels_does_not_run_into_the_next(number: int) -> None:
    rng = np.random.default_rng(0)
    speakers = [f"s{i % 7}" for i in range(70)]
    labels = {f"label {place}": [f"k{i % (place + 2)}" for i in range(70)] for place in range(number)}
    places = rng.normal(0, 1, (70, 2))
    measured = {name: parted(places, each, speakers, label=name) for name, each in labels.items()}
    figure = analyses.projection(places, labels, measured, COMMAND, title="t", note="n")
    figure.canvas.draw()
    titles = [axes.title.get_window_extent() for axes in figure.axes[:number]]
    assert all("among other speakers" in axes.get_title() for axes in figure.axes[:number])
    assert not any(a.overlaps(b) for a, b in itertools.combinations(titles, 2))
    assert all(title.x0 >= 0 and title.x1 <= figure.bbox.x1 for title in titles)


def test_errors_stand_at_the_middle_of_their_interval() -> None:
    truth = np.array([[1.0], [2.0], [3.0], [4.0]])
    tests = tuple(("one", f"u{i}") for i in range(4))
    one = Decisions("A", "toy", ("valence",), tests, ("x", "x", "y", "y"), truth, truth[None] + 1)
    found = error_by_value(one, "valence", np.array([1.0, 3.0, 5.0]))
    figure = analyses.error_by_value({"valence": [found]}, "toy", COMMAND)
    line = figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(orig=False), [2, 4])
    np.testing.assert_allclose(line.get_ydata(orig=False), [1, 1])
