"""Corrections: Shaffer and Holm against their definitions, and who is corrected with whom."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from records_factory import cell
from small_cells import made_up

from benchmark.records.grouping import group
from benchmark.statistics.families import (
    CONTROLS,
    PROTOCOLS,
    TABLE,
    TASK,
    against,
    corrected,
    equal_pairs,
    holm,
    shaffer,
)
from benchmark.statistics.pairs import Compared, Comparison, compare_all


def partitions(systems: int) -> set[int]:
    """By brute force: the numbers of equal pairs of all ways to say which systems are equal."""
    found = set()
    for names in itertools.product(range(systems), repeat=systems):
        found.add(sum(a == b for a, b in itertools.combinations(names, 2)))
    return found


@pytest.mark.parametrize("systems", [0, 1, 2, 3, 4, 5, 6])
def test_how_many_pairs_may_be_equal(systems: int) -> None:
    assert equal_pairs(systems) == (partitions(systems) if systems else {0})


def test_shaffers_own_example() -> None:
    """Four systems: six pairs, then three at most for the next three, then two and one (Shaffer 1986, section 3)."""
    assert sorted(equal_pairs(4)) == [0, 1, 2, 3, 6]
    p = np.array([0.001, 0.010, 0.012, 0.02, 0.03, 0.5])
    assert shaffer(p) == pytest.approx([0.006, 0.030, 0.036, 0.06, 0.06, 0.5])
    assert holm(p) == pytest.approx([0.006, 0.05, 0.05, 0.06, 0.06, 0.5])


@hypothesis.given(st.integers(2, 7), st.data())
def test_shaffer_is_never_below_p_nor_above_holm(systems: int, data: st.DataObject) -> None:
    pairs = systems * (systems - 1) // 2
    p = np.array(data.draw(st.lists(st.floats(0, 1), min_size=pairs, max_size=pairs)))
    found = shaffer(p)
    assert (found >= p).all()
    assert (found <= holm(p)).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    assert found.min() == pytest.approx(min(1, pairs * p.min()))


def test_shaffer_needs_all_pairs_of_some_systems() -> None:
    with pytest.raises(ValueError, match="4 is no number of pairs"):
        shaffer(np.full(4, 0.5))
    assert shaffer(np.array([])).size == 0


@pytest.mark.parametrize("groups", [[8], [4, 4], [2, 2, 2, 2], [5, 1, 1, 1]])
def test_some_equal_pair_is_called_different_in_five_percent_of_boards(groups: list[int]) -> None:
    """z tests of means of which those of a group are equal and groups are far apart: worst where p is the smallest."""
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(len(groups)), groups)
    first, second = np.triu_indices(8, 1)
    null = of[first] == of[second]
    means = rng.normal(size=(4000, 8)) + 20 * of
    from scipy import stats

    p = 2 * stats.norm.sf(np.abs(means[:, first] - means[:, second]) / 2**0.5)
    wrong = np.mean([(shaffer(one)[null] < 0.05).any() for one in p])
    assert wrong <= 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5


def test_the_family_of_a_board_of_many_systems_takes_no_time() -> None:
    assert {0, 1, 2, 3, 19900 - 199, 19900} < equal_pairs(200)
    assert not {19900 - 1, 19900 - 198} & equal_pairs(200)


def four(p: dict[str, float] | None) -> Compared:
    """Every two of four systems with these p-values, "ab" for a and b."""
    records = [
        one for name in "abcd" for one in cell(made_up(3), upstream__name=name, upstream__sha256=f"{ord(name):064x}")
    ]
    found = compare_all(group(records).cells, "uar")
    named = dataclasses.replace(found, systems=tuple("abcd"))
    return named.with_columns(p=None if p is None else np.array(list(p.values())), p_adjusted=None)


P = {"ab": 0.01, "ac": 0.02, "ad": 0.001, "bc": 0.04, "bd": 0.002, "cd": 0.03}


def adjusted(found: Iterable[Comparison]) -> dict[str, tuple[str, int, float | None]]:
    return {one.a + one.b: (one.family, one.pairs, one.p_adjusted) for one in found}


def test_a_table_is_a_family_and_controls_are_one_of_their_own() -> None:
    found = adjusted(corrected(four(P), dict.fromkeys("abcd", "fixed"), {"d"}))
    of_table = dict(zip(("ab", "ac", "bc"), shaffer(np.array([0.01, 0.02, 0.04])), strict=True))
    assert {pair: value for pair, value in found.items() if "d" not in pair} == {
        pair: (TABLE, 3, pytest.approx(value)) for pair, value in of_table.items()
    }
    of_control = dict(zip(("ad", "bd", "cd"), holm(np.array([0.001, 0.002, 0.03])), strict=True))
    assert {pair: value for pair, value in found.items() if "d" in pair} == {
        pair: (CONTROLS, 3, pytest.approx(value)) for pair, value in of_control.items()
    }


def test_pairs_of_two_tables_are_corrected_for_all_pairs_of_the_task() -> None:
    found = adjusted(corrected(four(P), {"a": "fixed", "b": "fixed", "c": "open head", "d": "open head"}, ()))
    assert found["ab"] == (TABLE, 1, pytest.approx(0.01))
    assert found["cd"] == (TABLE, 1, pytest.approx(0.03))
    every = dict(zip(P, shaffer(np.array(list(P.values()))), strict=True))
    for pair in ("ac", "ad", "bc", "bd"):
        assert found[pair] == (TASK, 6, pytest.approx(every[pair]))


def test_a_control_elsewhere_costs_a_table_nothing() -> None:
    tables = {"a": "fixed", "b": "fixed", "c": "fixed", "d": "open head"}
    found = adjusted(corrected(four(P), tables, {"d"}))
    assert found["ad"] == (CONTROLS, 3, pytest.approx(0.003))
    assert found["ab"][:2] == (TABLE, 3)


def test_without_a_test_nothing_is_corrected() -> None:
    found = corrected(four(None), dict.fromkeys("abcd", "fixed"), ())
    assert {one.p_adjusted for one in found} == {None}
    assert list(corrected(compare_all([], "uar"), {}, ())) == []


def test_all_against_one_is_a_small_family() -> None:
    some = [one for one in four(P) if one.a == "a"]
    found = against(some)
    assert [one.p_adjusted for one in found] == pytest.approx(holm(np.array([0.01, 0.02, 0.001])).tolist())
    assert {(one.family, one.pairs) for one in found} == {("baseline", 3)}
    assert {one.family for one in found} == {"baseline"}
    assert {one.family for one in against(some, PROTOCOLS)} == {"protocols"}
    untested = against([dataclasses.replace(one, p=None) for one in some])
    assert {one.p_adjusted for one in untested} == {None}
