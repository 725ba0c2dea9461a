"""Letters and rank ranges against their definitions, by brute force."""

from __future__ import annotations

import itertools
import time

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from benchmark.statistics import letters as module
from benchmark.statistics.letters import letters, rank_ranges


def graph(m: int, edges: list[bool]) -> np.ndarray:
    result = np.zeros((m, m), dtype=bool)
    result[np.triu_indices(m, 1)] = edges[: m * (m - 1) // 2]
    return result | result.T


graphs = st.integers(1, 7).flatmap(
    lambda m: st.lists(st.booleans(), min_size=21, max_size=21).map(lambda edges: graph(m, edges))
)


@hypothesis.given(graphs)
@hypothesis.settings(deadline=None, max_examples=300)
def test_systems_share_a_letter_exactly_where_they_do_not_differ(differs: np.ndarray) -> None:
    found = letters(differs)
    for i, j in itertools.combinations(range(len(differs)), 2):
        assert bool(set(found[i]) & set(found[j])) == (not differs[i, j])
    assert all(found)
    assert all(list(one) == sorted(set(one)) for one in found)


def groups_of(found: list[str]) -> list[frozenset[int]]:
    names = sorted({name for one in found for name in one})
    return [frozenset(i for i, one in enumerate(found) if name in one) for name in names]


@hypothesis.given(graphs)
@hypothesis.settings(deadline=None, max_examples=300)
def test_every_letter_is_a_largest_group_of_systems_that_do_not_differ(differs: np.ndarray) -> None:
    """No group that another system would fit into: by brute force over all systems."""
    found = letters(differs)
    groups = groups_of(found)
    for group in groups:
        others = set(range(len(differs))) - group
        assert not any(not differs[other, list(group)].any() for other in others)
    assert groups == sorted(groups, key=sorted)
    assert "a" in found[0]


@hypothesis.given(graphs)
@hypothesis.settings(deadline=None, max_examples=300)
def test_no_letter_can_be_left_out(differs: np.ndarray) -> None:
    groups = groups_of(letters(differs))
    for left in groups:
        others = [group for group in groups if group is not left]
        pairs = itertools.combinations_with_replacement(sorted(left), 2)
        assert any(not any(i in group and j in group for group in others) for i, j in pairs)


def test_a_letter_whose_pairs_all_have_others_is_left_out() -> None:
    """Six systems: the triangle 0, 1, 2 is alike, and each of its sides is in a triangle with 3, 4 or 5."""
    alike = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (1, 4), (2, 4), (0, 5), (2, 5)]
    differs = ~np.eye(6, dtype=bool)
    for i, j in alike:
        differs[i, j] = differs[j, i] = False
    assert sorted(map(sorted, groups_of(letters(differs)))) == [[0, 1, 3], [0, 2, 5], [1, 2, 4]]


@hypothesis.given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.05, 0.6))
def test_where_tests_agree_with_scores_letters_are_runs(scores: list[float], reach: float) -> None:
    place = np.sort(np.array(scores))[::-1]
    for group in groups_of(letters(np.abs(place[:, None] - place) > reach)):
        assert sorted(group) == list(range(min(group), max(group) + 1))


def test_a_case_by_hand() -> None:
    """1 differs from 3 and 4, and 2 from 4: {1, 2}, {2, 3}, {3, 4}."""
    differs = graph(4, [False, True, True, False, True, False])
    assert letters(differs) == ["a", "ab", "bc", "c"]


def test_all_alike_share_one_letter_and_all_different_have_their_own() -> None:
    assert letters(np.zeros((3, 3), dtype=bool)) == ["a", "a", "a"]
    assert letters(~np.eye(3, dtype=bool)) == ["a", "b", "c"]
    assert letters(np.zeros((0, 0), dtype=bool)) == []
    assert letters(np.zeros((1, 1), dtype=bool)) == ["a"]


def test_after_z_letters_are_set_apart() -> None:
    found = letters(~np.eye(28, dtype=bool))
    assert (found[0], found[25], found[26], found[27]) == ("a", "z", "aa", "ab")
    differs = ~np.eye(28, dtype=bool)
    differs[0, 1] = differs[1, 0] = False
    differs[0, 2] = differs[2, 0] = False
    assert letters(differs)[0] == "a b"


def test_very_many_letters_have_names_of_their_own() -> None:
    found = letters(~np.eye(60, dtype=bool))
    assert len(set(found)) == 60
    names = [module._name(number) for number in range(1000)]
    assert (names[26 + 26 * 26 - 1], names[26 + 26 * 26]) == ("zz", "aaa")
    assert len(set(names)) == 1000


def test_a_whole_board_takes_no_time() -> None:
    """200 systems of whom those near each other are alike, as scores make them: below 10 s on a busy machine."""
    place = np.sort(np.random.default_rng(0).random(200))
    began = time.process_time()
    letters(np.abs(place[:, None] - place) > 0.15)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_forty_systems_without_any_order_take_no_time(share: float) -> None:
    """Of 40 systems in groups of three, 3**13 largest groups would be to be made."""
    pattern = np.triu(np.random.default_rng(0).random((40, 40)) < share, 1)
    threes = np.kron(np.eye(13), 1 - np.eye(3)).astype(bool)
    began = time.process_time()
    for differs in (pattern | pattern.T, threes):
        found = [set(one.split()) if " " in one else set(one) for one in letters(differs)]
        for i, j in itertools.combinations(range(len(differs)), 2):
            assert bool(found[i] & found[j]) == (not differs[i, j])
    assert time.process_time() - began < 2


@hypothesis.given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), min_size=1, max_size=6))
@hypothesis.settings(deadline=None, max_examples=200)
def test_rank_ranges_are_the_places_in_all_orders_that_the_tests_allow(ends: list[tuple[int, int]]) -> None:
    """Systems as intervals: better where one lies wholly above the other. All orders are gone through."""
    m = len(ends)
    better = np.array([[low > other + reach for other, reach in ends] for low, _ in ends])
    allowed = [
        order
        for order in itertools.permutations(range(m))
        if not any(better[order[j], order[i]] for i, j in itertools.combinations(range(m), 2))
    ]
    places = np.array([np.argsort(order) + 1 for order in allowed])
    assert rank_ranges(better) == list(zip(places.min(axis=0).tolist(), places.max(axis=0).tolist(), strict=True))


def test_where_nothing_differs_every_rank_is_possible() -> None:
    assert rank_ranges(np.zeros((3, 3), dtype=bool)) == [(1, 3)] * 3
    assert rank_ranges(np.triu(np.ones((3, 3), dtype=bool), 1)) == [(1, 1), (2, 2), (3, 3)]
