"""One contract over every registered task, met with complete corpora that are made (tests/tasks/trees).

On the demo and on real speech: tests/benchmark/contracts/test_task.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from trees.sets import Load, check_random_tenths, classes, declares_overlap, sizes, speakers

from benchmark.contracts import check_task
from benchmark.io.settings import Settings
from benchmark.metrics import METRICS
from benchmark.registry.registry import Registry

pytestmark = pytest.mark.usefixtures("small_releases")

REGISTRY = Registry()
# The folds of URDU are pinned to its real recordings.
ON_REAL_SPEECH = ("urdu", "urdu-random")
TASKS = [name for name in REGISTRY.tasks() if name not in ("demo", *ON_REAL_SPEECH)]
LICENSED = [name for name in TASKS if name.startswith(("iemocap", "msp-", "biic-"))]
# The protocols of other benchmarks: test_bridges.py.
BRIDGES = [name for name in TASKS if REGISTRY.task(name).bridge is not None]
FREE = [name for name in TASKS if name not in (*LICENSED, *BRIDGES)]
CONVERSATIONAL = ("meld", "m3ed", "mosi-sentiment", "mosei-sentiment")
# These decode thousands of recordings.
QUICK = [
    *(name for name in (*FREE, *BRIDGES) if name not in ("meld", "m3ed", "mosei-sentiment")),
    *("msp-podcast-8class", "msp-podcast-dims", "msp-podcast-dims-eval-1-3"),
]
# Leave-one-speaker-out: how many there are.
ONE_SPEAKER = {"savee": 4, "emodb": 10, "emovo": 6, "cafe": 12, "aesdd": 6}
# Groups of speakers: how many are tested in each fold.
GROUPS = {
    "shemo": [18, 18, 17, 17, 17],
    "subesco": [4] * 5,
    "nemo": [1] * 9,
    "ased": [13] * 5,
    "turev-db": [1] * 6,
    "baved": [12, 11, 11, 11, 11],
}
# Their dev sets would hold fewer than five speakers: how many inner folds of train select instead, by what.
INNER = {
    **dict.fromkeys(("aesdd", "cafe", "demo", "emodb", "emovo", "nemo", "turev-db"), (5, "speaker")),
    **dict.fromkeys(("subesco", "ravdess", "ravdess-song", "emodb-to-emovo", "emovo-to-ravdess"), (5, "speaker")),
    "savee": (3, "speaker"),
    **dict.fromkeys(("iemocap-dims", "iemocap-epc"), (4, "session")),
    **dict.fromkeys(("msp-improv", "msp-improv-dims"), (5, "session")),
}
# Whose dev set of fewer speakers is that of the papers that they follow; TESS has one speaker to train on.
FEW_BUT_THEIRS = ("iemocap-dev-session", "iemocap-improvised", "iemocap-speaker", "ravdess-7class", "tess")
INDEPENDENT = (*ONE_SPEAKER, "crema-d", "ravdess", "ravdess-7class", "ravdess-song")
TENTHS = ("shemo-random", "subesco-random")
# Whose protocol is of no paper but the corpus's own.
OF_THE_CORPUS_ALONE = (*GROUPS, *TENTHS, "resd", *CONVERSATIONAL)
RANDOM = [name for name in FREE if name.endswith("-random") and name not in TENTHS]


def marked(names: Iterable[str]) -> list[object]:
    """Names of tasks; those that decode much are slow."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", marked(TASKS))
def test_every_task_keeps_its_contract(spoken: Callable[[str], Settings], registry: Registry, name: str) -> None:
    for check in check_task(name, registry, spoken(name)):
        check.run()


def test_every_corpus_has_a_task() -> None:
    used = {part.corpus for name in REGISTRY.tasks() for part in REGISTRY.task(name).uses}
    assert {entry.name for entry in REGISTRY.corpora()} == used | {"csv"}


@pytest.mark.parametrize("name", REGISTRY.tasks())
def test_every_task_has_a_line_metrics_with_directions_and_a_mark_where_speakers_overlap(name: str) -> None:
    task = REGISTRY.task(name)
    assert len(task.title) <= 100
    assert all(METRICS[metric].higher_is_better in (True, False) for metric in task.metrics)
    assert len(task.seeds) >= 3
    assert task.licence
    assert task.citation
    if name.endswith("-random"):
        assert not task.speaker_independent
        assert "speakers overlap" in task.title


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_a_reader_must_know(name: str) -> None:
    task = REGISTRY.task(name)
    assert task.note
    assert len(task.title) < 100
    assert not any("\n" in text for text in (task.title, task.note, task.citation))


@pytest.mark.parametrize("name", FREE)
def test_every_task_on_a_free_corpus_is_run_and_judged_alike(name: str) -> None:
    task = REGISTRY.task(name)
    assert task.primary == ("weighted_f1" if name in CONVERSATIONAL else "uar")
    assert name in CONVERSATIONAL or task.metrics == ["uar", "wa", "macro_f1", "weighted_f1"]
    assert set(task.metrics) == {"uar", "wa", "macro_f1", "weighted_f1"}
    assert task.seeds == [0, 1, 2, 3, 4]
    assert task.downstream == "superb"
    assert task.pool == "utterances"
    assert task.labels == sorted(task.labels)
    for part in task.uses:
        corpus = REGISTRY.corpus(part.corpus)
        assert corpus.licence in task.licence
        assert corpus.citation in task.citation
        assert sum(part.expect.per_class.values()) == part.expect.utterances
        assert set(part.expect.per_class) == set(task.labels)
        if name in OF_THE_CORPUS_ALONE:
            assert (task.licence, task.citation) == (corpus.licence, corpus.citation)
            assert (part.expect.speakers is None) <= ("speakers" in task.note or "Who speaks" in task.note), "said why"


# -- speakers apart ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", ONE_SPEAKER)
def test_one_speaker_is_tested_and_no_other_is_left_out(load: Load, name: str) -> None:
    dataset = load(name)
    everybody = sorted({str(utterance.speaker) for utterance in dataset.utterances})
    assert len(dataset.folds) == len(everybody) == ONE_SPEAKER[name]
    for position, fold in enumerate(dataset.folds):
        assert speakers(dataset, fold.test) == {everybody[position]}
        assert speakers(dataset, fold.train) == set(everybody) - {everybody[position]}


@pytest.mark.parametrize("name", GROUPS)
def test_every_speaker_is_tested_once_and_dev_is_the_next_fold_or_none(load: Load, name: str) -> None:
    dataset = load(name)
    assert dataset.task.speaker_independent
    assert [len(speakers(dataset, fold.test)) for fold in dataset.folds] == GROUPS[name]
    for fold, following in zip(dataset.folds, [*dataset.folds[1:], dataset.folds[0]], strict=True):
        assert fold.dev == (() if name in INNER else following.test)
        train, dev, test = (speakers(dataset, ids) for ids in (fold.train, fold.dev, fold.test))
        assert train.isdisjoint(dev | test)
        assert dev.isdisjoint(test)
    everything = sorted(i for fold in dataset.folds for i in fold.test)
    assert everything == [utterance.id for utterance in dataset.utterances]


@pytest.mark.parametrize("name", [one for one in INNER if one != "demo"])
def test_inner_folds_hold_out_whole_speakers_of_train(load: Load, name: str) -> None:
    dataset, (most, group) = load(name), INNER[name]
    assert dataset.task.dev.model_dump() == {"scheme": "inner", "k": 5, "group": group, "seed": 0}
    for fold in dataset.folds:
        held_out = [speakers(dataset, ids) for ids in fold.inner]
        assert len(held_out) == most
        assert sum(map(len, held_out)) == len(set().union(*held_out)) == len(speakers(dataset, fold.train))
        assert set().union(*held_out).isdisjoint(speakers(dataset, fold.test))
        for label in dataset.task.labels:  # all classes can be learnt and, but for rare ones, are held out
            assert sum(label in classes(dataset, ids) for ids in fold.inner) >= 2


@pytest.mark.parametrize("name", FREE)
def test_no_dev_set_has_fewer_than_five_speakers_but_that_of_a_paper(load: Load, name: str) -> None:
    dataset = load(name)
    if not dataset.task.speaker_independent or not dataset.task.dev.takes_some or name in FEW_BUT_THEIRS:
        return
    for fold in dataset.folds:
        found = speakers(dataset, fold.dev)
        assert None in found or len(found) >= 5


# -- random splits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RANDOM)
def test_random_splits_are_flagged_and_of_the_stated_sizes(load: Load, name: str) -> None:
    dataset = load(name)
    assert not dataset.task.speaker_independent
    total, tenths = len(dataset.utterances), 2 if name == "ravdess-song-random" else 1
    assert len(dataset.folds) == 10 // tenths
    for fold in dataset.folds:
        train, dev, test = sizes(fold)
        assert test == pytest.approx(total * tenths / 10, abs=1)
        assert dev == pytest.approx(total * (0.08 if tenths == 2 else 0.1), abs=3)
        assert train == total - dev - test
        assert {dataset.labels[i] for i in fold.test} == set(dataset.task.labels)
    assert declares_overlap(dataset)


@pytest.mark.parametrize("name", TENTHS)
def test_random_tenths_are_flagged_and_hold_a_tenth_of_every_class(load: Load, name: str) -> None:
    check_random_tenths(load(name))


# -- one corpus for another -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number", "train", "dev", "test"),
    [
        ("ravdess-to-urdu", 5, 532, 140, 400),
        ("ravdess-to-emovo", 6, 988, 260, 588),
        ("emovo-to-ravdess", 6, 588, 0, 1248),
        ("emodb-to-emovo", 6, 454, 0, 504),
    ],
)
def test_the_source_teaches_and_selects_and_the_target_is_tested(
    load: Load, name: str, number: int, train: int, dev: int, test: int
) -> None:
    dataset = load(name)
    source, target = (f"{part.corpus}:" for part in dataset.task.uses)
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
        assert all({dataset.labels[i] for i in part} == set(dataset.task.labels) for part in fold.inner or [fold.dev])


@pytest.mark.parametrize("name", ["ravdess-to-urdu", "emovo-to-ravdess"])
def test_a_few_shots_of_the_target_join_train_and_all_else_stays(load: Load, name: str) -> None:
    plain, few = load(name), load(f"{name}-10-shot")
    number = 10 * len(few.task.labels)
    for before, fold in zip(plain.folds, few.folds, strict=True):
        assert (fold.name, fold.test, fold.dev) == (before.name, before.test, before.dev)
        moved = set(fold.train) - set(before.train)
        assert len(moved) == number
        assert set(fold.train) - moved == set(before.train)
        assert set(before.adapt) - set(fold.adapt) == moved
        assert Counter(few.labels[i] for i in moved) == dict.fromkeys(few.task.labels, 10)
        assert speakers(few, fold.train).isdisjoint(speakers(few, fold.test))


@pytest.mark.parametrize("name", [name for name in REGISTRY.tasks() if name.endswith("-10-shot")])
def test_a_few_shot_task_says_so_and_differs_in_nothing_else(name: str) -> None:
    task, plain = REGISTRY.task(name), REGISTRY.task(name.removesuffix("-10-shot"))
    assert task.few_shot is not None
    assert "with 10 labelled utterances of each" in task.title
    assert "not comparable" in task.note
    told = {"name": plain.name, "title": plain.title, "note": plain.note, "few_shot": None}
    assert task.model_copy(update=told) == plain
    assert task.sha256 != plain.sha256
