"""MSP-Podcast and BIIC-Podcast: releases, test sets, and one for the other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from trees import podcasts
from trees.sets import Load

from benchmark.errors import BenchError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.registry.registry import Registry
from benchmark.types import CorpusCounts
from tasks.corpora.msp_podcast import MSPPodcast

pytestmark = pytest.mark.usefixtures("small_releases")
REGISTRY = Registry()


@pytest.mark.parametrize(
    ("task", "sets"),
    [
        ("msp-podcast", {None, "Test1", "Test2"}),
        ("biic-podcast-to-msp-podcast", {None, "Test1", "Test2"}),
        ("msp-podcast-to-biic-podcast", {None}),
    ],
)
def test_a_test_set_without_labels_or_use_is_left_out(tmp_path: Path, task: str, sets: set[str | None]) -> None:
    protocol = REGISTRY.task(task)
    data = {
        "msp-podcast": podcasts.write(tmp_path / "msp", hidden=4, audio=False),
        "biic-podcast": podcasts.write(tmp_path / "biic", prefix="BIIC-PODCAST", release="1.0", audio=False),
    }
    settings = Settings(tmp_path / "cache", tmp_path / "results", data)
    dataset = load_dataset(protocol, REGISTRY.corpora_of(protocol), settings)
    used = [u for u in dataset.utterances if u.file.startswith("Audios/MSP-PODCAST")]
    assert {u.extra["test_set"] for u in used} == sets
    (fold,) = dataset.folds
    assert all((fold.train, fold.dev, fold.test))


@pytest.mark.slow
def test_msp_podcast_tests_its_test_sets_together(load: Load) -> None:
    dataset = load("msp-podcast")
    four = {split: sum(counts.get(code, 0) for code in "NHAS") for split, counts in podcasts.FULL_MSP.items()}
    (fold,) = dataset.folds
    assert (len(fold.train), len(fold.dev)) == (four["Train"], four["Development"])
    assert len(fold.test) == four["Test1"] + four["Test2"]


def test_msp_podcast_8class_leaves_the_other_test_sets_out(load: Load) -> None:
    dataset = load("msp-podcast-8class")
    assert {u.extra["test_set"] for u in dataset.utterances} == {None, "Test1"}
    assert len(set(dataset.labels.values())) == 8
    # Test2 has 30 utterances, of Test3 there are 8 without labels; other and undecided are three in each split.
    assert dataset.left_out["test_set is not unknown or Test1"] == 30 + 8
    assert (dataset.left_out["label other"], dataset.left_out["label undecided"]) == (9, 9)


def test_msp_podcast_dims_has_an_auxiliary_class_where_there_is_one(load: Load) -> None:
    dataset = load("msp-podcast-dims")
    (fold,) = dataset.folds
    assert (len(fold.train), len(fold.dev), len(fold.test)) == (30, 30, 30)
    found = Counter(dataset.auxiliary.values())
    assert found.pop(None) == 18  # other and undecided stay in the task
    assert set(found.values()) == {9}
    assert len(found) == 8


def test_the_evaluation_set_of_release_1_3_is_a_part_of_the_other(load: Load) -> None:
    (fold,) = load("msp-podcast-dims").folds
    (other,) = load("msp-podcast-dims-eval-1-3").folds
    assert (other.train, other.dev) == (fold.train, fold.dev)
    assert len(other.test) == 15
    assert set(other.test) < set(fold.test)


def test_without_the_list_of_release_1_3_nothing_is_tested(tmp_path: Path) -> None:
    root = podcasts.write(tmp_path / "root", release="1.6", audio=False)
    task = REGISTRY.task("msp-podcast-dims-eval-1-3")
    with pytest.raises(BenchError, match="empty test set"):
        load_dataset(task, REGISTRY.corpora_of(task), load_settings([f"msp-podcast={root}"]))


def test_another_release_is_refused(tmp_path: Path) -> None:
    root = podcasts.write(tmp_path / "root", release="1.11", audio=False)
    task = REGISTRY.task("msp-podcast")
    with pytest.raises(
        BenchError, match=r"uses none of the \d+ utterances of the corpus 'msp-podcast' .release is not 1.10"
    ):
        load_dataset(task, REGISTRY.corpora_of(task), load_settings([f"msp-podcast={root}"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "source", "target"),
    [
        ("msp-podcast-to-biic-podcast", "msp-podcast", "biic-podcast"),
        ("biic-podcast-to-msp-podcast", "biic-podcast", "msp-podcast"),
    ],
)
def test_between_the_podcasts_the_source_teaches_and_the_target_is_tested(
    load: Load, task: str, source: str, target: str
) -> None:
    dataset = load(task)
    (across,) = dataset.folds
    (taught,) = load(source).folds
    (tested,) = load(target).folds
    assert across.train == tuple(f"{source}:{name}" for name in taught.train)
    assert across.dev == tuple(f"{source}:{name}" for name in taught.dev)
    assert across.adapt == tuple(f"{target}:{name}" for name in tested.train)
    assert across.test == tuple(f"{target}:{name}" for name in tested.test)


def test_a_part_of_a_release_is_not_taken_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a task expects no number of its classes, the corpus's own is asked."""
    monkeypatch.setattr(MSPPodcast, "counts", {"1.11": CorpusCounts(151_654, None)})
    root = podcasts.write(tmp_path / "root", release="1.11", audio=False)
    task = REGISTRY.task("msp-podcast-8class")
    with pytest.raises(BenchError, match=r"\d+ utterances of the corpus instead of 151654"):
        load_dataset(task, REGISTRY.corpora_of(task), load_settings([f"msp-podcast={root}"]))
