"""Reliability diagrams: the bins of the records, before and after."""

from __future__ import annotations

import numpy as np
import pytest
from records_factory import calibrated, cell

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from leaderboard.figures import has_probabilities, reliability, svg


def one(sure: float | None = 0.8, temperature: float | None = 2.0, **changes: object) -> Cell:
    made = cell(**changes)
    return group(made if sure is None else [calibrated(record, sure, temperature) for record in made]).cells[0]


def test_a_point_is_the_confidence_of_a_bin_and_the_share_that_is_right() -> None:
    found = one()
    (axes,) = reliability([found]).axes
    before, after = (line for line in axes.lines if line.get_color() in ("#0072b2", "#d55e00"))
    counts = found.statistics().sum(axis=(0, 1, 2))
    right = 100 * np.trace(counts) / counts.sum()
    np.testing.assert_allclose(before.get_xydata(), [[80, right]], atol=1e-6)
    np.testing.assert_allclose(after.get_xydata(), [[52.5, right]], atol=1e-6)


def test_systems_stand_side_by_side_and_those_without_a_temperature_have_one_line() -> None:
    cells = [one(upstream__name=name, temperature=None) for name in ("a", "b", "c", "d")]
    figure = reliability(cells)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title().split("\n")[0] for axes in shown] == [f"{name} + superb" for name in "abcd"]
    assert not any(line.get_color() == "#d55e00" for axes in shown for line in axes.lines)
    assert "80.0 % sure" in svg(figure)
    assert svg(figure) == svg(reliability(cells))


def test_no_line_goes_through_bins_of_a_few_decisions() -> None:
    def odd(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {f"{fold}-{number}": np.eye(4) * 30 for number in range(4)}

    records = [calibrated(record, 0.8, None) for record in cell(odd)]
    assert records[0].calibration is not None
    moved = [list(values) for values in records[0].calibration.before["one-0"]]
    for row, value in enumerate((2, 0, 600_000)):  # two decisions of a confidence of 0.3
        moved[row][4] += value
    moved[0][-1] += 2
    part = records[0].calibration.model_copy(update={"before": {**records[0].calibration.before, "one-0": moved}})
    found = group([records[0].model_copy(update={"calibration": part}), *records[1:]]).cells[0]
    (axes,) = reliability([found]).axes
    (line,) = (line for line in axes.lines if line.get_color() == "#0072b2")
    np.testing.assert_allclose(line.get_xydata(), [[80, 100]], atol=1e-6)
    assert "30.0 % sure, 0.0 % right, 2 decisions" in svg(reliability([found]))


@pytest.mark.parametrize(("systems", "across"), [(9, 3), (10, 5)])
def test_many_systems_fit_a_page_in_smaller_panels(systems: int, across: int) -> None:
    figure = reliability([one(upstream__name=f"u{number}", temperature=None) for number in range(systems)])
    assert len({round(axes.get_subplotspec().colspan.start) for axes in figure.axes}) == across
    width, height = figure.get_size_inches()
    assert height < 11.7
    assert width < 11.7


def test_what_has_no_sums_is_refused() -> None:
    bare = one(sure=None)
    assert not has_probabilities(bare)
    with pytest.raises(BenchError, match="no sums of probabilities: ears"):
        reliability([bare])
