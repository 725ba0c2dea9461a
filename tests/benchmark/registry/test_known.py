"""What this package's data tell: of every head and upstream, and without the registry."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import leaderboard
from benchmark.registry import known
from benchmark.registry.known import (
    known_corpus,
    known_entries,
    known_head,
    known_seeded,
    known_shape,
    known_task,
    known_trained_on,
    known_version,
)
from benchmark.registry.registry import Registry


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("logmel", "1"),
        ("logmel@last+mfcc", "1+1"),
        ("hf:facebook/hubert-base-ls960", "1"),
        ("mine", None),
        ("logmel+mine", None),
    ],
)
def test_the_version_of_an_upstream_is_that_of_its_rows(name: str, version: str | None) -> None:
    assert known_version(name) == version


def test_what_is_trained_on_is_known_by_name_hub_id_and_combination() -> None:
    hub = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
    for name in ("audeering-dim", f"hf:{hub}", f"hf:{hub.upper()}", "logmel+audeering-dim@last"):
        assert known_trained_on(name) == {"msp-podcast"}
    assert known_trained_on("logmel") == known_trained_on("nobody") == frozenset()


def test_a_name_stands_for_nothing_on_this_disk(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `a+logmel` is a folder, a run takes it for one upstream; the board of a record must not depend on that."""
    (tmp_path / "a+logmel").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(Registry().upstream_entries("hf:a+logmel")) == 1
    assert [entry.name for entry in known_entries("hf:a+logmel")] == ["hf:", "logmel"]


def test_of_a_head_facts_parameters_and_version_are_known() -> None:
    head = known_head("svm")
    assert head is not None
    assert (head.facts.stochastic, head.facts.needs, head.version) == (False, "mean", 2)
    assert head.params["pooling"] == "mean"  # which the recipe leaves to the class
    assert "pooling" not in head.recipe
    assert "kernel" in head.recipe
    assert known_head("my-head") is None


def test_tasks_and_corpora_are_known_by_name_alone() -> None:
    task, corpus = known_task("urdu"), known_corpus("urdu")
    assert task is not None
    assert corpus is not None
    assert (task.name, corpus.language) == ("urdu", "ur")
    assert known_task("mine") is None
    assert known_task("../tasks/urdu.yaml") is None
    assert known_corpus("mine") is None
    assert "urdu" in known.tasks().names()


def test_the_board_is_made_without_the_registry_and_without_torch(tmp_path: Path) -> None:
    """Of published cells: one of each upstream, one of each head and one of each task."""
    seen: set[tuple[str, str]] = set()
    for path in sorted((Path(leaderboard.__file__).parent / "results").glob("*/*.json")):
        upstream, _, head = path.stem.partition("--")
        told = {("upstream", upstream), ("head", head), ("task", path.parent.name)}
        if not told <= seen:
            seen |= told
            (tmp_path / path.parent.name).mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / path.parent.name)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from benchmark.records.grouping import group\n"
        "from benchmark.records.store import RecordStore\n"
        "from leaderboard.page import facts\n"
        "records = RecordStore(Path(sys.argv[1]))\n"
        "cells = group(records).cells\n"
        "assert cells and [(one.contaminated, one.flags(), facts.family(one.upstream.name)) for one in cells]\n"
        "heavy = {'benchmark.registry.registry', 'torch', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=120)


@pytest.mark.parametrize(
    ("name", "seeded"),
    [
        ("tuned:emodb/wav2vec2-base/lora", True),
        ("tuned:emodb/wav2vec2-base/finetune@last", False),
        ("mfcc+tuned:emodb/wav2vec2-base/lora@last", True),
        ("tuned:ravdess/tuned:emodb/wav2vec2-base/lora/finetune", True),
        ("wav2vec2-base", False),
        ("tuned:emodb/wav2vec2-base/unheard-of", False),
    ],
)
def test_what_is_trained_by_a_recipe_with_seeds_has_seeds(name: str, seeded: bool) -> None:
    assert known_seeded(name) == seeded


def test_what_is_trained_is_of_the_shape_and_the_past_of_what_it_started_from() -> None:
    assert known_shape("tuned:emodb/wav2vec2-base/lora@last") == (1, 768)
    assert known_trained_on("tuned:emodb/emotion2vec/lora") == known_trained_on("emotion2vec") != frozenset()
