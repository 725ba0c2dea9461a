"""The protocols of ShEMO to CMU-MOSEI, met with complete made corpora, and that of urdu-random."""

from __future__ import annotations

import functools
import importlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import meld, urdu

from benchmark.audit import audit
from benchmark.contracts import check_task
from benchmark.errors import BenchError
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.registry.registry import Registry
from benchmark.types import Fold

# Corpus -> module and function of its tree, and what it takes.
TREES: dict[str, tuple[str, str, dict[str, str]]] = {
    "shemo": ("shemo", "write", {}),
    "subesco": ("subesco", "write", {}),
    "resd": ("resd", "write", {}),
    "nemo": ("nemo", "write", {}),
    "ased": ("ased", "write", {}),
    "turev-db": ("turev_db", "write", {}),
    "baved": ("baved", "write", {}),
    "cmu-mosi": ("cmu", "write_mosi", {}),
    "cmu-mosei": ("cmu", "write_mosei", {"suffix": ".wav"}),
    "meld": ("meld", "write", {}),
    "m3ed": ("m3ed", "write", {}),
}
SLOW = ("meld", "m3ed", "mosei-sentiment")
INDEPENDENT = ("shemo", "subesco", "nemo", "ased", "turev-db", "baved")
RANDOM = ("shemo-random", "subesco-random")
OFFICIAL = ("resd", "mosi-sentiment", *SLOW)
TASKS = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in (*INDEPENDENT, *RANDOM, *OFFICIAL)
]
REGISTRY = Registry()
Load = Callable[[str], Dataset]
At = Callable[[str], Settings]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> At:
    """Settings that know the complete tree of a task's corpus, made when it is first asked for, and one cache."""
    top = tmp_path_factory.mktemp("open")

    @functools.cache
    def tree(corpus: str) -> Path:
        module, function, options = TREES[corpus]
        (top / corpus).mkdir()
        root: Path = getattr(importlib.import_module(f"trees.{module}"), function)(top / corpus, **options)
        return root

    def settings(name: str) -> Settings:
        corpus = str(REGISTRY.task(name).corpus)
        return Settings(top / "cache", top / "results", {corpus: tree(corpus)})

    return settings


@pytest.fixture(scope="module")
def load(at: At) -> Load:
    """Loads a task by its name, once."""

    @functools.cache
    def loaded(name: str) -> Dataset:
        task = REGISTRY.task(name)
        return load_dataset(task, REGISTRY.corpora_of(task), at(name))

    return loaded


def speakers(dataset: Dataset, ids: tuple[str, ...]) -> set[str]:
    """Who speaks the utterances."""
    return {str(dataset.by_id[name].speaker) for name in ids}


def sizes(fold: Fold) -> tuple[int, int, int]:
    """Utterances in train, dev and test."""
    return len(fold.train), len(fold.dev), len(fold.test)


def classes(dataset: Dataset, ids: tuple[str, ...]) -> dict[str, int]:
    """Utterances of each class."""
    return Counter(dataset.labels[name] for name in ids)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_keeps_its_contract(at: At, name: str) -> None:
    for check in check_task(name, REGISTRY, at(name)):
        check.run()


@pytest.mark.parametrize("name", [*INDEPENDENT, *RANDOM, *OFFICIAL])
def test_every_task_says_what_a_reader_must_know(name: str) -> None:
    task = REGISTRY.task(name)
    assert len(task.title) < 100
    assert task.note
    conversational = name in ("meld", "m3ed", "mosi-sentiment", "mosei-sentiment")
    assert task.primary == ("weighted_f1" if conversational else "uar")
    assert set(task.metrics) == {"uar", "wa", "macro_f1", "weighted_f1"}
    assert task.seeds == [0, 1, 2, 3, 4]
    assert task.downstream == "superb"
    assert task.pool == "utterances"
    assert task.labels == sorted(task.labels)
    (part,) = task.parts
    corpus = REGISTRY.corpus(part.corpus)
    assert task.licence == corpus.licence
    assert corpus.citation == " ".join(task.citation.split())
    assert sum(part.expect.per_class.values()) == part.expect.utterances
    assert set(part.expect.per_class) == set(task.labels)
    assert (part.expect.speakers is None) <= ("speakers" in task.note or "Who speaks" in task.note), "said why"


# -- speakers apart ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tested"),
    [
        ("shemo", [18, 18, 17, 17, 17]),
        ("subesco", [4] * 5),
        ("nemo", [1] * 9),
        ("ased", [13] * 5),
        ("turev-db", [1] * 6),
        ("baved", [12, 11, 11, 11, 11]),
    ],
)
def test_every_speaker_is_tested_once_and_the_next_fold_is_dev(load: Load, name: str, tested: list[int]) -> None:
    dataset = load(name)
    assert dataset.task.speaker_independent
    assert [len(speakers(dataset, fold.test)) for fold in dataset.folds] == tested
    for fold, following in zip(dataset.folds, [*dataset.folds[1:], dataset.folds[0]], strict=True):
        assert fold.dev == following.test
        train, dev, test = (speakers(dataset, ids) for ids in (fold.train, fold.dev, fold.test))
        assert train.isdisjoint(dev | test)
        assert dev.isdisjoint(test)
    everything = sorted(i for fold in dataset.folds for i in fold.test)
    assert everything == [utterance.id for utterance in dataset.utterances]


def test_shemo_leaves_fear_out_and_says_so(load: Load) -> None:
    for name in ("shemo", "shemo-random"):
        dataset = load(name)
        assert dataset.left_out == {"label fear": 38}
        assert "Fear is left out" in dataset.task.note


def test_subesco_has_as_many_women_as_men_in_every_fold(load: Load) -> None:
    dataset = load("subesco")
    assert [sizes(fold) for fold in dataset.folds] == [(4200, 1400, 1400)] * 5
    for fold in dataset.folds:
        assert Counter(name[0] for name in speakers(dataset, fold.test)) == {"F": 2, "M": 2}


@pytest.mark.parametrize(
    ("one", "other"), [("46-", "53-"), ("39-f-6-", "100-f-6-"), ("41-f-40-", "102-f-40-"), ("42-f-22-", "103-f-22-")]
)
def test_baved_counts_two_speakers_who_may_be_one_as_one(load: Load, one: str, other: str) -> None:
    dataset = load("baved")
    assert all(any(u.id.startswith(start) for u in dataset.utterances) for start in (one, other))
    joined = {u.id for u in dataset.utterances if u.id.startswith((one, other))}
    assert {u.speaker for u in dataset.utterances if u.id in joined} == {one.partition("-")[0]}
    for fold in dataset.folds:
        assert any(joined <= set(ids) for ids in (fold.train, fold.dev, fold.test))


# -- random splits ----------------------------------------------------------------------------------------------------


def check_random(dataset: Dataset) -> None:
    """Ten folds of a tenth each, the next one is dev, every class in every part; the overlap is declared."""
    task, total = dataset.task, len(dataset.utterances)
    assert not task.speaker_independent
    assert "random 80/10/10 splits (speakers overlap)" in task.title
    assert len(dataset.folds) == 10
    for fold, following in zip(dataset.folds, [*dataset.folds[1:], dataset.folds[0]], strict=True):
        assert fold.dev == following.test
        assert len(fold.test) in (total // 10, total // 10 + 1)
        assert sum(sizes(fold)) == total
        for label, number in classes(dataset, tuple(dataset.labels)).items():
            assert classes(dataset, fold.test)[label] in (number // 10, number // 10 + 1)
    assert sorted(i for fold in dataset.folds for i in fold.test) == [u.id for u in dataset.utterances]
    findings = [finding.text for finding in audit(dataset).findings if finding.severity == "warning"]
    assert any("test speakers are also in train or dev" in text for text in findings)


@pytest.mark.parametrize("name", RANDOM)
def test_random_splits_are_flagged_and_of_the_stated_sizes(load: Load, name: str) -> None:
    check_random(load(name))


def test_urdu_random_follows_the_protocol_of_the_literature(tmp_path: Path) -> None:
    task, corpora = REGISTRY.task("urdu-random"), [REGISTRY.corpus("urdu")]
    settings = Settings(tmp_path / "cache", tmp_path / "results", {"urdu": urdu.write(tmp_path / "urdu")})
    with pytest.raises(BenchError, match="the same counts but another index"):
        load_dataset(task, corpora, settings)
    dataset = load_dataset(task, corpora, settings, allow_partial=True)
    check_random(dataset)
    assert [sizes(fold) for fold in dataset.folds] == [(320, 40, 40)] * 10


# -- official splits --------------------------------------------------------------------------------------------------


def test_resd_takes_a_tenth_of_train_as_dev(load: Load) -> None:
    dataset = load("resd")
    (fold,) = dataset.folds
    train, dev, test = sizes(fold)
    assert (train + dev, test) == (1116, 280)
    assert dev == pytest.approx(111.6, abs=4)
    assert not dataset.task.speaker_independent
    assert {dataset.by_id[i].split for i in fold.dev} == {"train"}


def test_mosi_is_binary_without_zero_on_its_own_folds(load: Load) -> None:
    dataset = load("mosi-sentiment")
    (fold,) = dataset.folds
    assert sizes(fold) == (1231, 216, 656)
    assert classes(dataset, fold.test) == {"negative": 379, "positive": 277}
    assert dataset.left_out == {"label zero": 96}
    videos = [{dataset.by_id[i].session for i in ids} for ids in (fold.train, fold.dev, fold.test)]
    assert [len(names) for names in videos] == [52, 10, 31]
    assert all(float(dataset.by_id[i].labels["sentiment"]) > 0 for i in fold.test if dataset.labels[i] == "positive")


@pytest.mark.slow
def test_mosei_is_binary_without_zero_on_its_own_folds(load: Load) -> None:
    dataset = load("mosei-sentiment")
    (fold,) = dataset.folds
    assert sizes(fold) == (12786, 1438, 3634)
    assert dataset.left_out == {"split is not train or dev or test": 403, "label zero": 4998}
    videos = [{dataset.by_id[i].session for i in ids} for ids in (fold.train, fold.dev, fold.test)]
    assert [len(names) for names in videos] == [2249, 300, 678]


@pytest.mark.slow
def test_meld_has_its_own_folds_without_the_two_broken_clips(load: Load) -> None:
    dataset = load("meld")
    (fold,) = dataset.folds
    assert sizes(fold) == (9988, 1108, 2610)
    assert {meld.DAMAGED, meld.ABSENT}.isdisjoint(dataset.by_id)
    assert dataset.left_out == {"broken in the release, without sound that can be read": 2}
    assert classes(dataset, fold.test) == dict(zip(meld.EMOTIONS, meld.SPLITS["test"][3], strict=True))
    assert not dataset.task.speaker_independent


@pytest.mark.slow
def test_m3ed_has_its_own_folds_of_different_series(load: Load) -> None:
    dataset = load("m3ed")
    (fold,) = dataset.folds
    assert sizes(fold) == (17420, 2819, 4198)
    assert dataset.left_out == {"recording is not full": 12}
    series = [{dataset.by_id[i].extra["drama"] for i in ids} for ids in (fold.train, fold.dev, fold.test)]
    assert [len(names) for names in series] == [38, 7, 11]
    assert dataset.task.speaker_independent
    assert len({utterance.speaker for utterance in dataset.utterances}) == 626
