"""RAVDESS: the groups of actors that the literature lists, for speech, song and the seven classes."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from trees.sets import Load, sizes, speakers

from benchmark.errors import BenchError
from benchmark.io.settings import load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.registry.registry import Registry

REGISTRY = Registry()


GROUPS = [[1, 11, 20, 21], [4, 10, 12, 14], [8, 9, 19, 23], [3, 5, 7, 24], [2, 15, 16, 18], [6, 13, 17, 22]]


def test_ravdess_has_the_listed_actors(load: Load) -> None:
    dataset = load("ravdess")
    assert [sorted(map(int, speakers(dataset, fold.test))) for fold in dataset.folds] == GROUPS
    # 1200 and 240 by the published folds; every one of the 1200 is held out in one of five inner folds of four actors.
    assert [sizes(fold) for fold in dataset.folds] == [(1200, 0, 240)] * 6
    assert all([len(part) for part in fold.inner] == [240] * 5 for fold in dataset.folds)
    classes = Counter(dataset.labels[name] for name in dataset.folds[0].test)
    assert classes == {label: 16 if label == "neutral" else 32 for label in dataset.task.labels}


def test_ravdess_song_has_the_same_groups_without_actor_18(load: Load) -> None:
    dataset = load("ravdess-song")
    groups = [[actor for actor in group if actor != 18] for group in GROUPS]
    assert [sorted(map(int, speakers(dataset, fold.test))) for fold in dataset.folds] == groups
    assert [len(fold.test) for fold in dataset.folds] == [176, 176, 176, 176, 132, 176]
    assert {utterance.extra["channel"] for utterance in dataset.utterances} == {"song"}


def test_ravdess_7class_has_the_published_test_set(load: Load) -> None:
    dataset = load("ravdess-7class")
    (fold,) = dataset.folds
    assert sizes(fold) == (2036, 208, 208)
    assert sorted(map(int, speakers(dataset, fold.train))) == list(range(1, 21))
    assert sorted(map(int, speakers(dataset, fold.dev))) == [21, 22]
    assert sorted(map(int, speakers(dataset, fold.test))) == [23, 24]
    classes = Counter(dataset.labels[name] for name in fold.test)
    assert classes == {
        "neutral": 48, "happy": 32, "sad": 32, "angry": 32, "fearful": 32, "disgust": 16, "surprised": 16
    }  # fmt: skip


def test_emovo_to_ravdess_selects_on_speakers_of_emovo_alone_and_tests_the_groups_of_ravdess(load: Load) -> None:
    dataset = load("emovo-to-ravdess")
    tested = [{int(name.removeprefix("ravdess:")) for name in speakers(dataset, fold.test)} for fold in dataset.folds]
    assert tested == list(map(set, GROUPS))
    held_out = [speakers(dataset, ids) for ids in dataset.folds[0].inner]
    assert sorted(map(len, held_out)) == [1, 1, 1, 1, 2]
    assert set().union(*held_out) == {f"emovo:{name}" for name in ("f1", "f2", "f3", "m1", "m2", "m3")}


@pytest.mark.corpora
def test_three_real_actors_are_refused_with_what_is_missing() -> None:
    root = Path(os.environ.get("BENCH_DATA", "/nowhere")) / "ravdess-3-actors"
    if not root.is_dir():
        pytest.skip("the three actors of RAVDESS are not at hand: set BENCH_DATA")
    with pytest.raises(BenchError) as error:
        load_dataset(REGISTRY.task("ravdess"), [REGISTRY.corpus("ravdess")], load_settings([f"ravdess={root}"]))
    assert "180 utterances instead of 1440, 3 speakers instead of 24" in str(error.value)
    assert "12 neutral instead of 96" in str(error.value)
    assert "speech: 21 of 24 actors are missing: 02, 03, 04" in str(error.value)
