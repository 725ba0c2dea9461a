"""Dev schemes choose from what they are given, and say with which folds they go."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from benchmark.errors import BenchError
from benchmark.protocol.dev_schemes import AnyDevScheme, DevScheme
from benchmark.protocol.fold_schemes import AnyFoldScheme, Division, FoldScheme
from benchmark.types import Utterance

TRAIN = [Utterance(f"u{index}", "", speaker=f"s{index % 3}", split=("train", "dev")[index % 2]) for index in range(12)]
LABELS = {one.id: "high" if index < 4 else "low" for index, one in enumerate(TRAIN)}
THIS = Division("0", test=["t0"], train=[one.id for one in TRAIN], dev=["u1"])
NEXT = Division("1", test=["u7", "u8"], train=["t0"])
LISTED = {"scheme": "listed", "by": "id", "folds": [{"name": "a", "test": ["t0"], "dev": ["u1"]}]}


def dev_scheme(**content: Any) -> DevScheme:
    return TypeAdapter(AnyDevScheme).validate_python(content)


def fold_scheme(**content: Any) -> FoldScheme:
    return TypeAdapter(AnyFoldScheme).validate_python(content)


@pytest.mark.parametrize(
    ("content", "chosen"),
    [
        ({"scheme": "none"}, []),
        ({"scheme": "next-fold"}, ["u7", "u8"]),
        ({"scheme": "one-group", "group": "speaker"}, ["u2", "u5", "u8", "u11"]),
        ({"scheme": "inner", "k": 5, "group": "speaker"}, []),
        ({"scheme": "official"}, ["u1"]),
        ({"scheme": "listed"}, ["u1"]),
        ({"scheme": "test"}, ["t0"]),
    ],
)
def test_what_is_chosen(content: dict[str, Any], chosen: list[str]) -> None:
    scheme = dev_scheme(**content)
    found = scheme.choose(TRAIN, LABELS, THIS, NEXT)
    assert list(found) == chosen
    assert scheme.takes_some == bool(chosen)
    assert scheme.is_test == (chosen == THIS.test)
    assert ("dev" in scheme.needed_sets) == scheme.takes_some


def test_a_random_fraction_is_of_utterances_classes_or_groups() -> None:
    assert len(dev_scheme(scheme="random", fraction=0.25).choose(TRAIN, LABELS, THIS, NEXT)) == 3
    by_class = dev_scheme(scheme="random", fraction=0.25, stratified=True)
    assert by_class.is_stratified
    assert sorted(LABELS[name] for name in by_class.choose(TRAIN, LABELS, THIS, NEXT)) == ["high", "low", "low"]
    by_speaker = dev_scheme(scheme="random", fraction=0.3, group="speaker")
    assert len(set(by_speaker.choose(TRAIN, LABELS, THIS, NEXT))) == 4


def test_inner_folds_hold_out_whole_groups_of_train_in_turn() -> None:
    scheme = dev_scheme(scheme="inner", k=5, group="speaker")
    assert scheme.is_inner
    assert not scheme.takes_some
    folds = scheme.inner(TRAIN, LABELS)
    assert sorted(map(sorted, folds)) == sorted(sorted(f"u{i}" for i in range(s, 12, 3)) for s in range(3))
    assert len(dev_scheme(scheme="inner", k=2, group="speaker").inner(TRAIN, {})) == 2
    assert dev_scheme(scheme="none").inner(TRAIN, LABELS) == []
    with pytest.raises(BenchError, match="'u0' has no session"):
        dev_scheme(scheme="inner", k=2, group="session").inner(TRAIN, LABELS)
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        dev_scheme(scheme="inner", k=1, group="speaker")


def test_of_a_source_its_own_dev_is_taken_where_the_scheme_says_so() -> None:
    assert list(dev_scheme(scheme="official").of_source(TRAIN).dev) == [f"u{index}" for index in range(1, 12, 2)]
    assert dev_scheme(scheme="none").of_source(TRAIN) == Division("source", [], [one.id for one in TRAIN])
    with pytest.raises(BenchError, match=r"'x' has the split None"):
        dev_scheme(scheme="official").of_source([Utterance("x", "")])


@pytest.mark.parametrize(
    ("dev", "folds", "between", "message"),
    [
        ("listed", {"scheme": "official"}, False, "dev can be listed only where the folds are listed"),
        ("none", LISTED, False, "fold 'a' lists dev, but dev has the scheme 'none'"),
        ("next-fold", {"scheme": "official"}, False, "the scheme 'official' has only one"),
        ("next-fold", {"scheme": "random-split", "test_fraction": 0.2}, False, "'random-split' has only one"),
        ("test", {"scheme": "official"}, True, "dev has the scheme 'test', but here the folds divide the target alone"),
        ("official", {"scheme": "random-k-fold", "k": 2}, False, "dev can be official only where the folds are"),
    ],
)
def test_what_does_not_go_together_is_refused(dev: str, folds: dict[str, Any], between: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dev_scheme(scheme=dev).check_suits(fold_scheme(**folds), between=between)


def test_what_goes_together_is_not_refused() -> None:
    dev_scheme(scheme="listed").check_suits(fold_scheme(**LISTED), between=False)
    dev_scheme(scheme="official").check_suits(fold_scheme(scheme="random-k-fold", k=2), between=True)
    dev_scheme(scheme="next-fold").check_suits(fold_scheme(scheme="random-k-fold", k=2), between=False)
