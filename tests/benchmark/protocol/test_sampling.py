"""Draws by hash, and groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.protocol.sampling import (
    dealt_groups,
    group_of,
    grouped,
    random_fraction,
    random_groups,
    shuffled,
    stratified_order,
)
from benchmark.types import Utterance

IDS = [f"u{index:02}" for index in range(20)]
LABELS = {name: "rare" if index < 4 else "common" for index, name in enumerate(IDS)}


@given(st.permutations(IDS), st.integers(0, 5))
def test_an_order_depends_on_the_names_and_the_seed_alone(names: list[str], seed: int) -> None:
    assert shuffled(names, seed) == shuffled(IDS, seed)
    assert sorted(shuffled(names, seed)) == IDS
    assert shuffled(IDS, seed) != shuffled(IDS, seed + 1)


def test_dealing_a_stratified_order_in_turn_gives_every_fold_its_share() -> None:
    order = stratified_order(IDS, LABELS, 0)
    for fold in range(4):
        assert [LABELS[name] for name in order[fold::4]].count("rare") == 1


def test_a_fraction_is_of_each_class_where_there_are_classes_and_never_nothing() -> None:
    assert len(random_fraction(IDS, 0.25, 0, None)) == 5
    drawn = random_fraction(IDS, 0.25, 0, LABELS)
    assert sorted(LABELS[name] for name in drawn) == ["common"] * 4 + ["rare"]
    assert len(random_fraction(IDS[:3], 0.01, 0, None)) == 1


def test_whole_groups_are_taken_and_train_keeps_every_class() -> None:
    groups = {f"g{start}": IDS[start : start + 4] for start in range(0, 20, 4)}
    chosen = random_groups(groups, 0.4, 0, LABELS)
    assert chosen
    assert all(set(members) <= set(chosen) or not set(members) & set(chosen) for members in groups.values())
    assert not set(groups["g0"]) & set(chosen)  # the only group with the rare class


def test_groups_are_sorted_and_an_utterance_without_one_is_named() -> None:
    utterances = [Utterance("b", "", speaker="z", session="1"), Utterance("a", "", speaker="y")]
    assert list(grouped(utterances, "speaker")) == ["y", "z"]
    assert group_of(utterances[0], "session") == "1"
    with pytest.raises(BenchError, match=r"utterance 'a' has no session .*groups by session"):
        grouped(utterances, "session")


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12),
    k=st.integers(2, 6),
    seed=st.integers(0, 3),
    classes=st.integers(0, 3),
    order=st.randoms(use_true_random=False),
)
def test_dealt_groups_are_whole_and_no_part_is_empty(sizes: list[int], k: int, seed: int, classes: int, order) -> None:
    groups = {f"g{number}": [f"g{number}-{i}" for i in range(size)] for number, size in enumerate(sizes)}
    ids = [name for names in groups.values() for name in names]
    labels = {name: f"c{position % classes}" for position, name in enumerate(ids)} if classes else {}
    parts = dealt_groups(groups, k, seed, labels)
    assert len(parts) == min(k, len(groups))
    assert all(parts)
    assert sorted(name for part in parts for name in part) == sorted(ids)
    for names in groups.values():
        assert sum(not set(names).isdisjoint(part) for part in parts) == 1
    shuffled_groups = list(groups.items())
    order.shuffle(shuffled_groups)
    assert dealt_groups(dict(shuffled_groups), k, seed, labels) == parts


def test_dealt_groups_share_classes_that_groups_have_alone() -> None:
    """As in URDU: most speakers have one emotion, so that each part needs one of each."""
    groups = {f"{label}{i}": [f"{label}{i}-{j}" for j in range(5 + i)] for label in "abcd" for i in range(5)}
    labels = {name: name[0] for names in groups.values() for name in names}
    for seed in range(3):
        for part in dealt_groups(groups, 5, seed, labels):
            assert {labels[name] for name in part} == set("abcd")
    alike = {group: names[:5] for group, names in groups.items()}
    assert dealt_groups(alike, 5, 0, labels) != dealt_groups(alike, 5, 1, labels)


def test_one_group_cannot_be_dealt() -> None:
    with pytest.raises(BenchError, match="inner folds need two groups, and train has 1"):
        dealt_groups({"anna": ["a", "b"]}, 5, 0, {})
