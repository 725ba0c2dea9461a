"""All systems of a task, compared with each other."""

from __future__ import annotations

import numpy as np
import pytest
from records_factory import cell
from small_cells import REGRESSION, made_up, only, rated

from benchmark.errors import BenchError
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import analyse, cell_scores, compare
from benchmark.statistics.power import power


def board(levels: list[float], n: int = 6, drop: int = 0, **changes) -> tuple[Cell, ...]:
    """Systems u0, u1, ... of these accuracies; the last `drop` records are missing."""
    records = [
        record
        for index, level in enumerate(levels)
        for record in cell(
            made_up(n, level, tag=index, per_class=10),
            upstream__name=f"u{index}",
            upstream__sha256=f"{index + 1:064x}",
            **changes,
        )
    ]
    return group(records[: len(records) - drop]).cells


def names(cells: tuple[Cell, ...], *order: int) -> list[str]:
    return [cells[index].name for index in order]


def test_two_groups_of_systems_have_two_letters_and_their_ranks() -> None:
    cells = board([0.3, 0.8, 0.32, 0.78])
    found = analyse(cells)
    order = names(cells, 1, 3, 2, 0)
    assert found.letters(order) == ["a", "a", "b", "b"]
    assert found.rank_ranges(order) == [(1, 2), (1, 2), (3, 4), (3, 4)]
    assert found.better(order[0], order[3])
    assert not found.better(order[3], order[0])
    assert not found.better(order[0], order[1])


def test_letters_of_some_systems_are_those_among_them() -> None:
    cells = board([0.3, 0.8, 0.32, 0.78])
    found = analyse(cells)
    assert found.letters(names(cells, 1, 2)) == ["a", "b"]
    assert found.rank_ranges(names(cells, 3, 0)) == [(1, 1), (2, 2)]
    assert found.letters([]) == []
    assert found.rank_ranges([]) == []


def test_every_pair_is_there_from_both_sides_and_corrected() -> None:
    cells = board([0.5, 0.6, 0.7])
    found = analyse(cells)
    assert len(found.pairs) == 6
    for (a, b), one in found.pairs.items():
        assert (one.a, one.b, one.family, one.pairs, one.metric) == (a, b, "table", 3, "uar")
        assert found.pairs[b, a] == one.mirrored()
        first, second = (next(cell for cell in cells if cell.name == name) for name in (a, b))
        assert one.delta == pytest.approx(cell_scores(first, "uar").mean - cell_scores(second, "uar").mean)
        assert one.p == compare(first, second, "uar").p
        assert one.p_adjusted is not None
        assert one.p_adjusted >= one.p


def test_what_is_no_system_costs_nothing_and_is_compared_all_the_same() -> None:
    records = list(cell(made_up(6, 0.25, tag=9, per_class=10), upstream__name="chance", upstream__sha256="c" * 64))
    for index, level in enumerate((0.5, 0.6)):
        records += cell(
            made_up(6, level, tag=index, per_class=10), upstream__name=f"u{index}", upstream__sha256=f"{index}" * 64
        )
    found = analyse(group(records).cells)
    assert found.pairs["u0 + superb", "u1 + superb"].pairs == 1
    assert found.pairs["u0 + superb", "chance + superb"].family == "controls"
    assert found.better("u1 + superb", "chance + superb")


def test_another_metric_than_the_primary_one() -> None:
    found = analyse(board([0.5, 0.6]), "wa")
    assert found.metric.name == "wa"
    assert {one.metric for one in found.pairs.values()} == {"wa"}


def test_what_is_significant_alone_need_not_be_among_many() -> None:
    alone = board([0.6, 0.73], n=4)
    among = board([0.6, 0.73, *np.linspace(0.5, 0.8, 10)], n=4)
    pair = analyse(alone).pairs[alone[0].name, alone[1].name]
    assert pair.significant
    same = analyse(among).pairs[alone[0].name, alone[1].name]
    assert same.p == pair.p
    assert not same.significant


def test_incomplete_cells_are_left_out() -> None:
    cells = board([0.5, 0.6, 0.7], drop=1)
    found = analyse(cells)
    assert found.cells == cells[:2]
    assert len(found.pairs) == 2


def test_a_task_of_one_system_or_one_speaker_compares_nothing() -> None:
    single = analyse([only()])
    assert (single.pairs, single.outlook([only().name])) == ({}, ())
    assert single.letters([only().name]) == ["a"]
    assert single.rank_ranges([only().name]) == [(1, 1)]
    lonely = board([0.2, 0.9], n=1, folds=["one"])
    found = analyse(lonely)
    assert found.outlook(names(lonely, 1, 0)) == ()
    assert found.letters(names(lonely, 1, 0)) == ["a", "a"]


def test_what_a_table_would_find_is_corrected_for_its_pairs() -> None:
    cells = board([0.5, 0.6, 0.7])
    found = analyse(cells)
    sizes = found.outlook(names(cells, 2, 1, 0))
    assert [one.difference for one in sizes] == [0.05, 0.1, 0.2]
    assert sizes[0].share < sizes[1].share < sizes[2].share
    middle = sorted((one for one in found.pairs.values()), key=lambda one: one.spread or 0)[2]
    assert middle.spread is not None
    assert middle.df is not None
    assert sizes[1].share == pytest.approx(power(0.1, middle.spread, middle.df, level=1 - 0.05 / 3), abs=1e-3)


def test_for_errors_lower_is_better() -> None:
    metrics = {**REGRESSION, "task__metrics": ["rmse", "ccc"]}
    records = cell(rated(5, 0.3, tag=1), upstream__name="close", upstream__sha256="1" * 64, **metrics)
    records += cell(rated(5, 2.0), upstream__name="wide", upstream__sha256="2" * 64, **metrics)
    found = analyse(group(records).cells)
    assert found.metric.name == "rmse"
    assert found.better("close + superb", "wide + superb")
    assert not found.better("wide + superb", "close + superb")
    assert found.rank_ranges(["close + superb", "wide + superb"]) == [(1, 1), (2, 2)]
    errors = [cell_scores(one, "rmse").mean for one in found.cells]
    expected = [share * np.median(errors) for share in (0.05, 0.1, 0.2)]
    assert found.differences(["close + superb", "wide + superb"]) == pytest.approx(expected)


def test_other_protocols_are_refused() -> None:
    with pytest.raises(BenchError, match="different protocols"):
        analyse([only(), only(task__sha256="9" * 64)])
