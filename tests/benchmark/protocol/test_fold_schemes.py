"""What fold schemes say of themselves must be what they do."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from pydantic import TypeAdapter
from submissions import folds_of

from benchmark.protocol.fold_schemes import AnyFoldScheme, FoldScheme
from benchmark.registry import known
from benchmark.types import Utterance

SPEAKERS, TAKES = 7, 6
UTTERANCES = [
    Utterance(
        id=f"s{speaker}-t{take}",
        file="",
        speaker=f"s{speaker}",
        session=f"session{speaker % 3}",
        split=("train", "dev", "test")[speaker % 3],
    )
    for speaker in range(SPEAKERS)
    for take in range(TAKES)
]
LABELS = {one.id: "high" if int(one.id[-1]) % 3 else "low" for one in UTTERANCES}
PER_CLASS = Counter(LABELS.values())
SCHEMES: list[dict[str, Any]] = [
    {"scheme": "leave-one-group-out", "group": "speaker"},
    {"scheme": "leave-one-group-out", "group": "session"},
    {"scheme": "group-k-fold", "group": "speaker", "k": 3, "seed": 1},
    {"scheme": "group-k-fold", "group": "session", "k": 2},
    {"scheme": "random-k-fold", "k": 4, "seed": 1},
    {"scheme": "random-k-fold", "k": 5, "seed": 1, "stratified": True},
    {"scheme": "random-split", "test_fraction": 0.3},
    {"scheme": "random-split", "test_fraction": 0.3, "stratified": True},
    {"scheme": "official"},
    {
        "scheme": "listed",
        "by": "speaker",
        "folds": [{"name": "a", "test": ["s1", "s2"]}, {"name": "b", "test": ["s3"]}],
    },
    {"scheme": "listed", "by": "id", "folds": [{"name": "a", "test": ["s1-t0"], "dev": ["s2-t0"], "train": ["s3-t0"]}]},
    {"scheme": "listed", "by": "session", "folds": [{"name": "a", "test": ["session1"]}]},
]


def scheme_of(content: dict[str, Any]) -> FoldScheme:
    return TypeAdapter(AnyFoldScheme).validate_python(content)


@pytest.mark.parametrize("content", SCHEMES, ids=str)
def test_what_is_known_without_the_corpus_is_what_comes_out(content: dict[str, Any]) -> None:
    scheme = scheme_of(content)
    divisions = scheme.divide(UTTERANCES, LABELS, partial=False)
    by_id = {one.id: one for one in UTTERANCES}
    names = tuple(one.name for one in divisions)
    assert scheme.fold_names() in (None, names)
    sizes, classes = scheme.test_utterances(len(UTTERANCES)), scheme.test_classes(PER_CLASS)
    speakers = scheme.test_speakers(SPEAKERS)
    assert {*sizes, *classes, *speakers} <= set(names)
    for one in divisions:
        assert sizes.get(one.name, len(one.test)) == len(one.test)
        found = Counter(LABELS[name] for name in one.test)
        assert classes.get(one.name, found) == found
        tested = {by_id[name].speaker for name in one.test}
        assert speakers.get(one.name, len(tested)) == len(tested)
        assert set(one.dev) <= set(one.train)
        assert not set(one.test) & set(one.train)
        assert scheme.uses_all == (len(one.test) + len(one.train) == len(UTTERANCES))
        if scheme.is_named_after_speakers:
            assert tested == {one.name}
        if scheme.kept_together is not None:
            test, train = ({getattr(by_id[i], scheme.kept_together) for i in ids} for ids in (one.test, one.train))
            assert not test & train
    times = Counter(name for one in divisions for name in one.test)
    assert scheme.tests_all_once == (times == Counter(list(by_id)))
    assert len(divisions) == 1 or not scheme.has_one_fold
    assert scheme.has_own_dev <= bool(divisions[0].dev)


@pytest.mark.parametrize("content", SCHEMES, ids=str)
def test_nothing_is_known_of_numbers_that_nobody_has_published(content: dict[str, Any]) -> None:
    scheme = scheme_of(content)
    counted_in_the_list = content["scheme"] == "listed"
    assert counted_in_the_list or scheme.test_utterances(None) == {}
    assert counted_in_the_list or scheme.test_speakers(None) == {}
    assert not any(scheme.test_classes({}).values())


def test_a_partial_corpus_gives_the_groups_that_are_there() -> None:
    few = [one for one in UTTERANCES if one.speaker in ("s0", "s1")]
    divide = scheme_of({"scheme": "group-k-fold", "group": "speaker", "k": 3}).divide
    assert [one.name for one in divide(few, LABELS, partial=True)] == ["0", "1"]


@pytest.mark.parametrize("name", known.tasks().names())
def test_every_registered_task_knows_its_folds_or_leaves_them_to_the_corpus(name: str) -> None:
    task = known.tasks().read(name)
    unknown = task.uses[-1].expect.speakers is None and task.folds.kept_together is None
    found = tuple(fold.name for fold in folds_of(task, unknown=unknown)[0])
    assert task.folds.fold_names() in (None, found)
    assert (task.folds.fold_names() is None) == (task.folds.scheme == "leave-one-group-out")
