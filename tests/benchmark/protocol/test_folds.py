"""Folds: disjoint, complete, repeatable, and as the protocol says."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import TOY_TASK

from benchmark.errors import BenchError
from benchmark.protocol.folds import check_folds, folds_digest, make_folds
from benchmark.protocol.task import Task
from benchmark.types import Fold, Utterance

GOLDEN_RANDOM_DIGEST = "85c9173567a3eae168c5836102bae6f188ef3841c7a1dd33894a2941265059bf"


def make_utterances(speakers: int = 6, takes: int = 4, sessions: int = 3) -> list[Utterance]:
    utterances = [
        Utterance(
            id=f"s{s}-t{t}",
            file=f"s{s}-t{t}.wav",
            speaker=f"s{s}",
            session=f"session{s % sessions}",
            labels={"emotion": "high" if t % 2 else "low"},
            split=("train", "train", "dev", "test")[s % 4],
        )
        for s in range(speakers)
        for t in range(takes)
    ]
    return sorted(utterances, key=lambda utterance: utterance.id)


def make_task(folds: dict, dev: dict, **changes: object) -> Task:
    return Task.model_validate({**copy.deepcopy(TOY_TASK), "folds": folds, "dev": dev, **changes})


def divide(folds: dict, dev: dict, utterances: list[Utterance] | None = None):
    utterances = make_utterances() if utterances is None else utterances
    labels = {utterance.id: str(utterance.labels["emotion"]) for utterance in utterances}
    return make_folds(make_task(folds, dev), utterances, labels), utterances, labels


SCHEMES = [
    {"scheme": "leave-one-group-out", "group": "speaker"},
    {"scheme": "leave-one-group-out", "group": "session"},
    {"scheme": "group-k-fold", "group": "speaker", "k": 3, "seed": 1},
    {"scheme": "random-k-fold", "k": 4, "seed": 1},
    {"scheme": "random-k-fold", "k": 4, "seed": 1, "stratified": True},
    {"scheme": "random-split", "test_fraction": 0.25},
    {"scheme": "official"},
    {"scheme": "listed", "by": "speaker", "folds": [{"name": "a", "test": ["s1", "s2"]}]},
]
DEVS = [
    {"scheme": "none"},
    {"scheme": "random", "fraction": 0.25, "seed": 3},
    {"scheme": "random", "fraction": 0.25, "seed": 3, "stratified": True},
    {"scheme": "random", "fraction": 0.25, "seed": 3, "group": "speaker", "stratified": True},
]


@pytest.mark.parametrize("dev", DEVS, ids=lambda dev: "-".join(map(str, dev.values())))
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: "-".join(str(v)[:20] for v in scheme.values()))
def test_every_utterance_is_in_exactly_one_set_of_a_fold(scheme: dict, dev: dict) -> None:
    folds, utterances, _ = divide(scheme, dev)
    for fold in folds:
        together = [*fold.train, *fold.dev, *fold.test]
        assert sorted(together) == [utterance.id for utterance in utterances]
        assert bool(fold.dev) == (dev["scheme"] != "none")


@pytest.mark.parametrize("scheme", SCHEMES[:5], ids=lambda scheme: scheme["scheme"])
def test_cross_validation_tests_every_utterance_once(scheme: dict) -> None:
    folds, utterances, _ = divide(scheme, {"scheme": "none"})
    tested = Counter(name for fold in folds for name in fold.test)
    assert tested == {utterance.id: 1 for utterance in utterances}


@pytest.mark.parametrize("scheme", SCHEMES[:3], ids=str)
def test_grouped_folds_share_no_group(scheme: dict) -> None:
    folds, utterances, _ = divide(scheme, {"scheme": "random", "fraction": 0.2})
    group = {utterance.id: getattr(utterance, scheme["group"]) for utterance in utterances}
    for fold in folds:
        assert not {group[i] for i in fold.test} & {group[i] for i in (*fold.train, *fold.dev)}


def test_dev_by_group_shares_no_speaker_with_train_and_leaves_every_class() -> None:
    dev = {"scheme": "random", "fraction": 0.3, "group": "speaker", "stratified": True}
    folds, utterances, labels = divide({"scheme": "leave-one-group-out", "group": "speaker"}, dev)
    speaker = {utterance.id: utterance.speaker for utterance in utterances}
    for fold in folds:
        assert not {speaker[i] for i in fold.dev} & {speaker[i] for i in fold.train}
        assert {labels[i] for i in fold.train} == {labels[i] for i in fold.dev} == {"high", "low"}


@pytest.mark.parametrize("scheme", SCHEMES[:3] + SCHEMES[6:], ids=lambda scheme: scheme["scheme"])
def test_inner_folds_divide_train_by_whole_speakers_and_never_hold_a_test_speaker(scheme: dict) -> None:
    folds, utterances, _ = divide(scheme, {"scheme": "inner", "k": 5, "group": "speaker"})
    speaker = {one.id: one.speaker for one in utterances}
    for fold in folds:
        assert fold.dev == ()
        assert len(fold.inner) == min(5, len({speaker[name] for name in fold.train}))
        assert sorted(name for held_out in fold.inner for name in held_out) == sorted(fold.train)
        by_fold = [{speaker[name] for name in held_out} for held_out in fold.inner]
        for number, speakers in enumerate(by_fold):
            assert speakers.isdisjoint(speaker[name] for name in fold.test)
            assert all(speakers.isdisjoint(others) for others in by_fold[number + 1 :])
        with_dev = fold.with_first_inner_as_dev()
        assert with_dev.dev == fold.inner[0]
        assert sorted(with_dev.train + with_dev.dev) == sorted(fold.train)
        assert with_dev.inner == ()


def test_inner_folds_are_part_of_the_digest_and_change_no_other() -> None:
    folds, _, _ = divide(SCHEMES[0], {"scheme": "inner", "k": 5, "group": "speaker"})
    plain = [replace(fold, inner=()) for fold in folds]
    assert folds_digest(folds) != folds_digest(plain)
    assert folds_digest(plain) == folds_digest(divide(SCHEMES[0], {"scheme": "none"})[0])


def test_a_speaker_of_two_sessions_is_in_no_two_inner_folds() -> None:
    utterances = [replace(one, session=f"session{index % 3}") for index, one in enumerate(make_utterances())]
    with pytest.raises(BenchError, match="the speaker 's0' would be in two inner folds"):
        divide(SCHEMES[7], {"scheme": "inner", "k": 2, "group": "session"}, utterances)


INNER = {"scheme": "inner", "k": 2, "group": "speaker"}


@pytest.mark.parametrize("inner", [(), (("1", "2"),), (("1",), ("2", "3")), (("1",), ()), (("1", "2"), ("2",))])
def test_inner_folds_that_do_not_divide_train_are_refused(inner: tuple[tuple[str, ...], ...]) -> None:
    check_folds(make_task(SCHEMES[0], INNER), [Fold("a", ("1", "2"), (), ("4",), inner=(("1",), ("2",)))])
    with pytest.raises(BenchError, match="the inner folds of fold 'a' do not divide its train set"):
        check_folds(make_task(SCHEMES[0], INNER), [Fold("a", ("1", "2"), (), ("4",), inner=inner)])


def test_dev_is_the_next_fold_or_the_last_group() -> None:
    scheme = {"scheme": "leave-one-group-out", "group": "speaker"}
    following, utterances, _ = divide(scheme, {"scheme": "next-fold"})
    speaker = {utterance.id: utterance.speaker for utterance in utterances}
    assert [{speaker[i] for i in fold.dev} for fold in following] == [
        {"s1"}, {"s2"}, {"s3"}, {"s4"}, {"s5"}, {"s0"}
    ]  # fmt: skip
    last, _, _ = divide(scheme, {"scheme": "one-group", "group": "speaker"})
    assert [{speaker[i] for i in fold.dev} for fold in last] == [{"s5"}] * 5 + [{"s4"}]


def test_ten_random_folds_with_the_next_as_dev_are_80_10_10() -> None:
    utterances = make_utterances(speakers=10, takes=10)
    scheme = {"scheme": "random-k-fold", "k": 10, "stratified": True}
    folds, _, _ = divide(scheme, {"scheme": "next-fold"}, utterances)
    assert {(len(fold.train), len(fold.dev), len(fold.test)) for fold in folds} == {(80, 10, 10)}
    assert all(fold.dev == folds[(number + 1) % 10].test for number, fold in enumerate(folds))


def test_stratified_folds_have_the_same_classes() -> None:
    folds, _, labels = divide({"scheme": "random-k-fold", "k": 4, "stratified": True}, {"scheme": "none"})
    assert {tuple(sorted(Counter(labels[i] for i in fold.test).items())) for fold in folds} == {
        (("high", 3), ("low", 3))
    }


def test_official_split_and_its_dev() -> None:
    folds, utterances, _ = divide({"scheme": "official"}, {"scheme": "official"})
    for part in ("train", "dev", "test"):
        assert list(getattr(folds[0], part)) == [u.id for u in utterances if u.split == part]


def test_dev_that_is_test_is_test() -> None:
    folds, _, _ = divide({"scheme": "leave-one-group-out", "group": "speaker"}, {"scheme": "test"})
    for fold in folds:
        assert fold.dev == fold.test
        assert not set(fold.train) & set(fold.test)


def test_listed_by_id_with_train() -> None:
    listed = [{"name": "only", "train": ["s0-t0"], "dev": ["s1-t0"], "test": ["s2-t0"]}]
    folds, _, _ = divide({"scheme": "listed", "by": "id", "folds": listed}, {"scheme": "listed"})
    assert (folds[0].train, folds[0].dev, folds[0].test) == (("s0-t0",), ("s1-t0",), ("s2-t0",))


def test_random_folds_are_these_on_every_machine() -> None:
    """The golden digest guards the published random splits: it must never change."""
    folds, _, _ = divide(SCHEMES[3], DEVS[1])
    assert folds_digest(folds) == GOLDEN_RANDOM_DIGEST


def test_another_seed_is_another_split() -> None:
    one, _, _ = divide({"scheme": "random-k-fold", "k": 4, "seed": 0}, {"scheme": "none"})
    two, _, _ = divide({"scheme": "random-k-fold", "k": 4, "seed": 1}, {"scheme": "none"})
    assert folds_digest(one) != folds_digest(two)


@given(st.permutations(range(24)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_utterances_does_not_matter(order: list[int]) -> None:
    utterances = make_utterances()
    scheme, dev = {"scheme": "random-k-fold", "k": 3, "stratified": True}, DEVS[3]
    expected, _, _ = divide(scheme, dev, utterances)
    found, _, _ = divide(scheme, dev, [utterances[i] for i in order])
    assert folds_digest(found) == folds_digest(expected)


@pytest.mark.parametrize(
    ("scheme", "dev", "message"),
    [
        ({"scheme": "group-k-fold", "group": "speaker", "k": 7}, {"scheme": "none"}, "6 speakers cannot be dealt"),
        (
            {"scheme": "listed", "by": "speaker", "folds": [{"name": "a", "test": ["nobody"]}]},
            {"scheme": "none"},
            "lists the speaker 'nobody'",
        ),
        (
            {
                "scheme": "listed",
                "by": "speaker",
                "folds": [{"name": "a", "test": ["s1"]}, {"name": "b", "test": ["s0", "s1"]}],
            },
            {"scheme": "none"},
            "'s1-t0' is in the test set of two folds that are pooled",
        ),
        ({"scheme": "random-k-fold", "k": 25}, {"scheme": "none"}, "24 utterances cannot be dealt into k = 25 folds"),
    ],
)
def test_a_scheme_that_does_not_fit_is_refused(scheme: dict, dev: dict, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        divide(scheme, dev)


def test_a_corpus_without_sessions_or_splits_is_refused() -> None:
    bare = [Utterance(id=f"u{i}", file="f", speaker="s", labels={"emotion": "high"}) for i in range(4)]
    with pytest.raises(BenchError, match="'u0' has no session"):
        divide({"scheme": "leave-one-group-out", "group": "session"}, {"scheme": "none"}, bare)
    with pytest.raises(BenchError, match="'u0' has the split None"):
        divide({"scheme": "official"}, {"scheme": "none"}, bare)


@pytest.mark.parametrize("dev", [{"scheme": "one-group", "group": "speaker"}, *DEVS], ids=str)
@pytest.mark.parametrize("group", ["speaker", "session"])
def test_one_group_cannot_be_left_out_of_itself(group: str, dev: dict) -> None:
    """Every utterance is of one group: nothing is left to fit on, whatever dev would have taken of it."""
    lonely = make_utterances(speakers=1)
    with pytest.raises(BenchError, match=r"task toy: fold '(s0|session0)' has an empty train set"):
        divide({"scheme": "leave-one-group-out", "group": group}, dev, lonely)


def test_a_dev_group_that_is_all_of_train_is_refused() -> None:
    scheme = {"scheme": "leave-one-group-out", "group": "speaker"}
    with pytest.raises(BenchError, match="fold 's0' has an empty train set"):
        divide(scheme, {"scheme": "one-group", "group": "speaker"}, make_utterances(speakers=2))


def test_an_official_split_without_a_dev_or_test_set_is_refused() -> None:
    utterances = [u for u in make_utterances() if u.split != "dev"]
    with pytest.raises(BenchError, match="fold 'official' has an empty dev set"):
        divide({"scheme": "official"}, {"scheme": "official"}, utterances)
    utterances = [u for u in make_utterances() if u.split != "test"]
    for dev in ({"scheme": "official"}, {"scheme": "test"}, {"scheme": "none"}):
        with pytest.raises(BenchError, match="fold 'official' has an empty test set"):
            divide({"scheme": "official"}, dev, utterances)


def test_an_utterance_that_the_corpus_gives_twice_is_refused() -> None:
    utterances = make_utterances()
    with pytest.raises(BenchError, match="has 's2-t1' twice in t"):
        divide(SCHEMES[0], DEVS[0], [*utterances, utterances[9]])


def test_an_utterance_may_be_tested_twice_where_folds_are_scored_apart() -> None:
    listed = [{"name": "a", "test": ["s1"]}, {"name": "b", "test": ["s0", "s1"]}]
    task = make_task({"scheme": "listed", "by": "speaker", "folds": listed}, {"scheme": "none"}, pool="folds")
    utterances = make_utterances()
    folds = make_folds(task, utterances, {u.id: str(u.labels["emotion"]) for u in utterances})
    assert [fold.name for fold in folds] == ["a", "b"]


GOOD = Fold("a", ("1", "2"), ("3",), ("4",))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([Fold("a", ("1", "1"), ("3",), ("4",))], "fold 'a' has '1' twice in train"),
        ([Fold("a", ("1",), ("3", "3"), ("4",))], "fold 'a' has '3' twice in dev"),
        ([Fold("a", ("1",), ("3",), ("4", "4"))], "fold 'a' has '4' twice in test"),
        ([GOOD, Fold("b", ("1", "5"), ("3",), ("5",))], "fold 'b' has '5' in two sets"),
        ([Fold("a", ("1", "3"), ("3",), ("4",))], "fold 'a' has '3' in two sets"),
        ([Fold("a", ("1",), ("4",), ("4",))], "fold 'a' has '4' in two sets"),
        ([Fold("a", ("1",), ("3",), ("4",), ("4",))], "fold 'a' has '4' in two sets"),
        ([Fold("a", (), ("3",), ("4",))], "fold 'a' has an empty train set"),
        ([Fold("a", ("1",), (), ("4",))], "fold 'a' has an empty dev set"),
        ([Fold("a", ("1",), ("3",), ())], "fold 'a' has an empty test set"),
        ([GOOD, Fold("b", ("1", "2"), ("3",), ("4",))], "'4' is in the test set of two folds that are pooled"),
        ([GOOD, Fold("a", ("4",), ("3",), ("1",))], "two folds are named 'a'"),
    ],
)
def test_folds_that_break_a_promise_are_refused(folds: list[Fold], message: str) -> None:
    task = make_task(SCHEMES[0], DEVS[1])
    check_folds(task, [GOOD])
    with pytest.raises(BenchError, match=message):
        check_folds(task, folds)


def test_what_the_protocol_declares_is_no_broken_promise() -> None:
    check_folds(make_task(SCHEMES[0], DEVS[0]), [Fold("a", ("1",), (), ("4",))])
    check_folds(make_task(SCHEMES[0], {"scheme": "test"}), [Fold("a", ("1",), ("4",), ("4",))])
    check_folds(make_task(SCHEMES[0], DEVS[1], pool="folds"), [GOOD, Fold("b", ("1", "2"), ("3",), ("4",))])
