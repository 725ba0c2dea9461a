"""What a plan asks for: a run that hears nothing, and records of recordings that are not the published ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmark.errors import UsageError
from benchmark.io.settings import Settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.run.unit import NOTHING_HEARD
from benchmark.types import CorpusCounts, PublishedSound
from tasks.corpora.csv import CSV


def test_features_are_ranked_without_the_recordings_they_were_made_of_and_marked(
    own_toy_corpus: Path, toy_task: Path, tmp_path: Path, progress, plugin: Path
) -> None:
    settings = Settings(tmp_path / "cache", tmp_path / "results", {"toy": own_toy_corpus})
    ids = [path.relative_to(own_toy_corpus).as_posix() for path in sorted(own_toy_corpus.rglob("*.wav"))]
    np.savez(tmp_path / "x.npz", **{name: np.array([float("high" in name), 1.0], np.float32) for name in ids})
    for path in own_toy_corpus.rglob("*.wav"):
        path.unlink()
    registry, name = Registry([str(plugin)]), f"precomputed:{tmp_path / 'x.npz'}"
    (outcome,) = run(
        Request([name], [str(toy_task)], ["nearest"], without_audio=True), registry, settings, progress, "cpu"
    )
    assert outcome.score is not None
    assert (outcome.protocol, outcome.score.mean) == ("modified", 1.0)
    assert {record.task.corpus.audio_sha256 for record in RecordStore(settings.results)} == {NOTHING_HEARD}
    assert "toy: no recording is heard, so nothing shows of what the features are" in progress.notes
    request = Request([name, "spectrum"], [str(toy_task)], ["nearest"], without_audio=True)
    with pytest.raises(UsageError, match="--without-audio, and spectrum hears"):
        run(request, registry, settings, progress, "cpu")


def test_seeds_beside_those_of_the_task_leave_its_own_ranked(
    toy_task: Path, settings: Settings, progress, plugin: Path
) -> None:
    seeds = [*yaml.safe_load(toy_task.read_text())["seeds"], 77]
    request = Request(["spectrum"], [str(toy_task)], ["nearest"], seeds=seeds)
    (outcome,) = run(request, Registry([str(plugin)]), settings, progress, "cpu")
    records = RecordStore(settings.results).read().records
    assert {record.protocol for record in records if record.seed == 77} == {"modified"}
    assert {record.protocol for record in records if record.seed != 77} == {"official"}
    assert outcome.protocol == "official"
    assert outcome.score is not None


def test_what_a_head_lacks_is_asked_for_where_it_suits_the_task(
    toy_task: Path, settings: Settings, progress, plugin: Path
) -> None:
    """Nobody aligns the phones of a corpus for a task that the head cannot do."""
    request = Request(["spectrum"], [str(toy_task)], ["pc"])
    with pytest.raises(UsageError, match="'pc' adapts to a target corpus, and the task 'toy' has none"):
        run(request, Registry([str(plugin)]), settings, progress, "cpu")


def test_records_of_recordings_that_are_not_the_published_ones_are_modified(
    settings: Settings, toy_task: Path, progress, plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: Mapping[str, CorpusCounts] = {"all": CorpusCounts(40, 4, sound=PublishedSound(1.0, 0.4, 9.0, (16_000,)))}
    monkeypatch.setattr(CSV, "counts", published)
    registry = Registry([str(plugin)])
    (outcome,) = run(Request(["spectrum"], [str(toy_task)], ["nearest"]), registry, settings, progress, "cpu")
    assert outcome.protocol == "modified"
    told = [note for note in progress.notes if "not the published ones" in note]
    assert len(told) == 1
    assert "all 40 recordings last 0.500 s" in told[0]
    assert "no leaderboard shows them" in told[0]
