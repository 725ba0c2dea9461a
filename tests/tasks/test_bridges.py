"""Tasks that run the protocols of other benchmarks: what each gives away, and that it is marked."""

from __future__ import annotations

from collections import Counter

import pytest
from trees.sets import Load, speakers

from benchmark.errors import UsageError
from benchmark.io.yamls import validate
from benchmark.protocol.task import PART, Task
from benchmark.registry.registry import Registry

pytestmark = pytest.mark.usefixtures("small_releases")

REGISTRY = Registry()
WHOSE = {"maeb": "MAEB", "xares": "X-ARES", "emobox": "EmoBox", "superb": "SUPERB"}
CORPORA = ("emovo", "ravdess", "urdu")
BRIDGES = [f"{corpus}-{suffix}" for corpus in CORPORA for suffix in WHOSE]
HEADS = {"maeb": "maeb", "xares": "xares-mlp", "emobox": "emobox", "superb": "superb-s3prl"}


def of(suffix: str) -> list[str]:
    return [f"{corpus}-{suffix}" for corpus in CORPORA]


def test_these_are_all() -> None:
    assert [name for name in REGISTRY.tasks() if REGISTRY.task(name).bridge is not None] == sorted(BRIDGES)


@pytest.mark.parametrize("name", BRIDGES)
def test_a_bridge_is_the_honest_task_but_for_its_protocol(name: str) -> None:
    corpus, suffix = name.split("-")
    task, honest = REGISTRY.task(name), REGISTRY.task(corpus)
    assert (task.bridge, task.downstream) == (WHOSE[suffix], HEADS[suffix])
    assert WHOSE[suffix] in task.title
    assert f"Only for comparison with the task {corpus}." in task.note
    for key in (*PART, "kind", "labels", "licence", "citation"):
        one, other = getattr(task, key), getattr(honest, key)
        assert one == (other.model_copy(update={"index_sha256": None}) if key == "expect" else other)
    assert set(task.metrics) == set(honest.metrics)


@pytest.mark.parametrize("name", of("maeb"))
def test_maeb_fits_eight_utterances_a_class_of_speakers_who_are_tested(load: Load, name: str) -> None:
    dataset = load(name)
    assert not dataset.task.speaker_independent
    assert len(dataset.folds) == 5
    for fold in dataset.folds:
        assert Counter(dataset.labels[one] for one in fold.train) == dict.fromkeys(dataset.task.labels, 8)
        assert fold.dev == ()
    tested = sorted(one for fold in dataset.folds for one in fold.test)
    assert tested == [utterance.id for utterance in dataset.utterances]
    assert any(speakers(dataset, fold.train) & speakers(dataset, fold.test) for fold in dataset.folds)


@pytest.mark.parametrize("name", of("xares"))
def test_xares_selects_on_test(load: Load, name: str) -> None:
    dataset = load(name)
    assert dataset.task.dev.is_test
    assert len(dataset.folds) == 4
    for fold in dataset.folds:
        assert fold.dev == fold.test
        assert speakers(dataset, fold.train).isdisjoint(speakers(dataset, fold.test))


@pytest.mark.parametrize("name", [*of("emobox"), *of("superb")])
def test_a_random_fifth_of_train_is_dev_and_has_its_speakers(load: Load, name: str) -> None:
    dataset = load(name)
    for fold in dataset.folds:
        assert len(fold.dev) == pytest.approx(0.2 * (len(fold.train) + len(fold.dev)), abs=0.5)
        assert speakers(dataset, fold.dev) & speakers(dataset, fold.train)
        mixed = bool(speakers(dataset, fold.train) & speakers(dataset, fold.test))
        assert mixed == (name == "urdu-emobox") == (not dataset.task.speaker_independent)


def test_emobox_has_one_fold_of_urdu_of_300_and_100(load: Load) -> None:
    (fold,) = load("urdu-emobox").folds
    assert (len(fold.train) + len(fold.dev), len(fold.test)) == (300, 100)


def test_a_few_shots_of_tested_speakers_are_refused_unless_it_is_said_whose_protocol_it_is() -> None:
    content = REGISTRY.task("urdu-maeb").model_dump(exclude_unset=True)
    assert validate(Task, content, "x") == REGISTRY.task("urdu-maeb")
    del content["bridge"]
    with pytest.raises(UsageError, match="say whose protocol in bridge"):
        validate(Task, content, "x")


def test_whose_protocol_it_is_decides_no_number() -> None:
    task = REGISTRY.task("urdu-xares")
    assert task.model_copy(update={"bridge": None}).sha256 == task.sha256
