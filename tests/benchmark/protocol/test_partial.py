"""An incomplete corpus is refused with what is missing; where it is allowed, records say so and none is ranked."""

from __future__ import annotations

import pytest

from benchmark.errors import BenchError
from benchmark.io.settings import Settings
from benchmark.protocol.dataset import load_dataset
from benchmark.records import RecordStore
from benchmark.records.grouping import group
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from leaderboard.render import render


@pytest.fixture
def incomplete(toy_task):
    """The protocol of a larger corpus: a fifth speaker and ten more utterances are expected."""
    text = toy_task.read_text().replace("  per_class:\n    high: 20\n    low: 20\n", "")
    assert "per_class" not in text
    toy_task.write_text(text.replace("speakers: 4", "speakers: 5").replace("utterances: 40", "utterances: 50"))
    return toy_task


def go(task, settings: Settings, progress, plugin, **more: object):
    request = Request(upstreams=["spectrum"], tasks=[str(task)], downstreams=["nearest"], **more)
    return run(request, Registry([str(plugin)]), settings, progress, "cpu")


def test_it_is_refused_with_counts_and_told_how_to_try(incomplete, settings, progress, plugin) -> None:
    with pytest.raises(
        BenchError, match=r"40 utterances instead of 50, 4 speakers instead of 5 .*--allow-partial.*off the leaderboard"
    ):
        go(incomplete, settings, progress, plugin)
    assert not settings.results.exists()


def test_allowed_it_is_said_recorded_and_kept_off_the_leaderboard(incomplete, settings, progress, plugin) -> None:
    (outcome,) = go(incomplete, settings, progress, plugin, allow_partial=True)
    assert outcome.protocol == "partial"
    assert outcome.completed == 8
    assert outcome.score is not None
    assert (
        "toy: partial corpus, off the leaderboard: 40 utterances instead of 50, 4 speakers instead of 5"
        in progress.notes
    )
    records = list(RecordStore(settings.results))
    assert {record.protocol for record in records} == {"partial"}
    grouping = group(records)
    assert grouping.cells == ()
    assert grouping.partial == {"toy": 8}
    text = render(records)["LEADERBOARD.md"].decode()
    assert "There is no record yet." in text
    assert "Task toy: Not shown: 8 records of a part of the corpus." in text


def test_a_complete_corpus_stays_official_when_partial_ones_are_allowed(toy_task, settings, progress, plugin) -> None:
    (outcome,) = go(toy_task, settings, progress, plugin, allow_partial=True)
    assert outcome.protocol == "official"
    assert {record.protocol for record in RecordStore(settings.results)} == {"official"}


def test_folds_that_cannot_be_made_of_what_is_here_are_left_out(incomplete, settings) -> None:
    listed = """
folds:
  scheme: listed
  by: speaker
  folds:
  - {name: one, test: [anna, emil], dev: [bert]}
  - {name: two, test: [emil, finn], dev: [anna]}
  - {name: three, test: [cleo], dev: [finn]}
dev: {scheme: listed}
"""
    text = incomplete.read_text()
    for line in ("folds:\n  group: speaker\n  scheme: leave-one-group-out\n", "dev:\n  scheme: next-fold\n"):
        assert line in text
        text = text.replace(line, "")
    incomplete.write_text(text + listed)
    registry = Registry()
    task = registry.task(str(incomplete))
    dataset = load_dataset(task, registry.corpora_of(task), settings, allow_partial=True)
    assert [fold.name for fold in dataset.folds] == ["one"]
    assert dataset.differences == (
        "40 utterances instead of 50",
        "4 speakers instead of 5",
        "2 of 3 folds cannot be made of what is here (two, three)",
    )


def test_a_part_of_which_no_fold_can_be_made_is_refused(incomplete, settings) -> None:
    text = incomplete.read_text().replace(
        "group: speaker\n  scheme: leave-one-group-out",
        "by: speaker\n  scheme: listed\n  folds: [{name: a, test: [emil]}, {name: b, test: [finn]}]",
    )
    incomplete.write_text(text)
    registry = Registry()
    task = registry.task(str(incomplete))
    with pytest.raises(BenchError, match="no fold can be made of the part of the corpus that is here"):
        load_dataset(task, registry.corpora_of(task), settings, allow_partial=True)
