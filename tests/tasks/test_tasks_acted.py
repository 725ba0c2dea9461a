"""The protocols of the openly obtainable acted corpora, met with complete made corpora."""

from __future__ import annotations

import functools
import importlib
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import urdu

from benchmark.audit import audit
from benchmark.contracts import check_task
from benchmark.errors import BenchError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.registry.registry import Registry
from benchmark.types import Fold

CORPORA = ("aesdd", "cafe", "crema-d", "emodb", "emovo", "ravdess", "savee", "tess")
ACTED = ("aesdd", "cafe", "emodb", "emovo", "savee")
INDEPENDENT = (*ACTED, "crema-d", "ravdess", "ravdess-7class", "ravdess-song")
RANDOM = (*(f"{name}-random" for name in ACTED), "ravdess-random", "ravdess-song-random")
CROSS = ("emodb-to-emovo", "emovo-to-ravdess", "ravdess-to-emovo", "ravdess-to-urdu")
TASKS = (*INDEPENDENT, *RANDOM, *CROSS, "tess")
# The groups of actors of EmoBox (Ma et al. 2024).
GROUPS = [[1, 11, 20, 21], [4, 10, 12, 14], [8, 9, 19, 23], [3, 5, 7, 24], [2, 15, 16, 18], [6, 13, 17, 22]]
REGISTRY = Registry()
Load = Callable[[str], Dataset]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Every corpus, complete, and one cache: a recording is decoded once for all tasks."""
    top = tmp_path_factory.mktemp("acted")
    data = {name: importlib.import_module(f"trees.{name.replace('-', '_')}").write(top / name) for name in CORPORA}
    return Settings(top / "cache", top / "results", {**data, "urdu": urdu.write(top / "urdu")})


@pytest.fixture(scope="module")
def load(settings: Settings) -> Load:
    """Loads a task by its name, once."""

    @functools.cache
    def loaded(name: str) -> Dataset:
        task = REGISTRY.task(name)
        return load_dataset(task, [REGISTRY.corpus(part.corpus) for part in task.parts], settings)

    return loaded


def speakers(dataset: Dataset, ids: tuple[str, ...]) -> set[str]:
    """Who speaks the utterances."""
    return {str(dataset.by_id[name].speaker) for name in ids}


def sizes(fold: Fold) -> tuple[int, int, int]:
    """Utterances in train, dev and test."""
    return len(fold.train), len(fold.dev), len(fold.test)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_keeps_its_contract(settings: Settings, name: str) -> None:
    for check in check_task(name, REGISTRY, settings):
        check.run()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_a_reader_must_know(name: str) -> None:
    task = REGISTRY.task(name)
    assert len(task.title) < 100
    assert task.note
    assert task.metrics == ["uar", "wa", "macro_f1", "weighted_f1"]
    assert task.seeds == [0, 1, 2, 3, 4]
    assert task.downstream == "superb"
    assert task.pool == "utterances"
    assert task.labels == sorted(task.labels)
    for part in task.parts:
        corpus = REGISTRY.corpus(part.corpus)
        assert corpus.licence in task.licence
        assert corpus.citation in " ".join(task.citation.split())
        assert sum(part.expect.per_class.values()) == part.expect.utterances
        assert set(part.expect.per_class) == set(task.labels)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_speakers_of_train_dev_and_test_differ(load: Load, name: str) -> None:
    dataset = load(name)
    assert dataset.task.speaker_independent
    for fold in dataset.folds:
        train, dev, test = (speakers(dataset, ids) for ids in (fold.train, fold.dev, fold.test))
        assert train.isdisjoint(dev)
        assert train.isdisjoint(test)
        assert dev.isdisjoint(test)
    if name != "ravdess-7class":
        tested = [utterance for fold in dataset.folds for utterance in fold.test]
        assert sorted(tested) == [utterance.id for utterance in dataset.utterances]


@pytest.mark.parametrize(("name", "number"), [("savee", 4), ("emodb", 10), ("emovo", 6), ("cafe", 12), ("aesdd", 6)])
def test_one_speaker_is_tested_and_the_next_is_dev(load: Load, name: str, number: int) -> None:
    dataset = load(name)
    everybody = sorted({str(utterance.speaker) for utterance in dataset.utterances})
    assert len(dataset.folds) == len(everybody) == number
    for position, fold in enumerate(dataset.folds):
        assert speakers(dataset, fold.test) == {everybody[position]}
        assert speakers(dataset, fold.dev) == {everybody[(position + 1) % number]}


def test_ravdess_has_the_listed_actors(load: Load) -> None:
    dataset = load("ravdess")
    assert [sorted(map(int, speakers(dataset, fold.test))) for fold in dataset.folds] == GROUPS
    # 1200 and 240 by the published folds; a fifth of the 1200 is dev, by whole actors.
    assert [sizes(fold) for fold in dataset.folds] == [(960, 240, 240)] * 6
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


@pytest.mark.parametrize("name", RANDOM)
def test_random_splits_are_flagged_and_of_the_stated_sizes(load: Load, name: str) -> None:
    dataset = load(name)
    assert not dataset.task.speaker_independent
    total, tenths = len(dataset.utterances), 2 if name == "ravdess-song-random" else 1
    assert len(dataset.folds) == 10 // tenths
    for fold in dataset.folds:
        assert len(fold.test) == pytest.approx(total * tenths / 10, abs=1)
        assert len(fold.dev) == pytest.approx(total * (0.08 if tenths == 2 else 0.1), abs=3)
        assert len(fold.train) == total - len(fold.dev) - len(fold.test)
        assert {dataset.labels[i] for i in fold.test} == set(dataset.task.labels)
    findings = [finding.text for finding in audit(dataset).findings if finding.severity == "warning"]
    assert any("test speakers are also in train or dev" in text for text in findings)


def test_crema_d_leaves_out_the_file_without_audio(load: Load) -> None:
    dataset = load("crema-d")
    assert "1076_MTI_SAD_XX" not in dataset.by_id
    assert len(dataset.utterances) == 7441
    assert [len(speakers(dataset, fold.test)) for fold in dataset.folds] == [19, 18, 18, 18, 18]


def test_tess_selects_on_its_one_training_speaker(load: Load) -> None:
    dataset = load("tess")
    assert [(fold.name, sizes(fold)) for fold in dataset.folds] == [
        ("OAF", (1120, 280, 1400)),
        ("YAF", (1120, 280, 1400)),
    ]
    for fold in dataset.folds:
        assert speakers(dataset, fold.train) == speakers(dataset, fold.dev) != speakers(dataset, fold.test)


@pytest.mark.parametrize(
    ("name", "number", "train", "dev", "test"),
    [
        ("ravdess-to-urdu", 5, 532, 140, 400),
        ("ravdess-to-emovo", 6, 988, 260, 588),
        ("emovo-to-ravdess", 6, 392, 196, 1248),
        ("emodb-to-emovo", 6, 323, 131, 504),
    ],
)
def test_the_source_teaches_and_selects_and_the_target_is_tested(
    load: Load, name: str, number: int, train: int, dev: int, test: int
) -> None:
    dataset = load(name)
    source, target = (f"{part.corpus}:" for part in dataset.task.parts)
    assert len(dataset.folds) == number
    assert sum(len(fold.test) for fold in dataset.folds) == test
    assert len({name for fold in dataset.folds for name in fold.test}) == test
    for fold in dataset.folds:
        assert (len(fold.train), len(fold.dev)) == (train, dev)
        assert len(fold.adapt) == test - len(fold.test)
        assert all(i.startswith(source) for i in fold.train + fold.dev)
        assert all(i.startswith(target) for i in fold.test + fold.adapt)
        assert speakers(dataset, fold.train).isdisjoint(speakers(dataset, fold.dev))
        assert speakers(dataset, fold.adapt).isdisjoint(speakers(dataset, fold.test))
        assert {dataset.labels[i] for i in fold.train} == set(dataset.task.labels)
        assert {dataset.labels[i] for i in fold.dev} == set(dataset.task.labels)


def test_emovo_to_ravdess_selects_on_a_woman_and_a_man_and_tests_the_groups_of_ravdess(load: Load) -> None:
    dataset = load("emovo-to-ravdess")
    tested = [{int(name.removeprefix("ravdess:")) for name in speakers(dataset, fold.test)} for fold in dataset.folds]
    assert tested == list(map(set, GROUPS))
    assert speakers(dataset, dataset.folds[0].dev) == {"emovo:f3", "emovo:m3"}


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
