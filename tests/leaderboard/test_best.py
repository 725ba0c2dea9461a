"""The best of each corpus."""

from __future__ import annotations

import pytest
from boards_factory import alike, rated, system, task

from leaderboard.best import best
from leaderboard.board import board


def test_the_best_of_each_track_with_who_cannot_be_told_apart_from_it() -> None:
    fields = task("urdu", "urdu")
    records = [
        *alike("high", 0.9, **fields),
        *alike("nearly", 0.88, **fields),
        *alike("low", 0.4, **fields),
        *alike("high", 0.6, **fields, downstream__name="svm", downstream__sha256="3" * 64),
        *alike("chance", 0.95, **fields),
    ]
    fixed, opened = best(board(records).sections)
    assert (fixed.track, fixed.place.row.cell.upstream.name, fixed.alike, fixed.ranked) == ("fixed", "high", 1, 3)
    assert (opened.track, opened.place.row.cell.downstream.name, opened.alike, opened.ranked) == (
        "open head",
        "svm",
        0,
        1,
    )
    assert fixed.twin is None
    assert fixed.known is None


def test_it_says_what_known_speakers_give_on_the_same_corpus_and_classes() -> None:
    records = [
        *system("ears", 0.5, **task("urdu", "urdu")),
        *system("ears", 0.9, **task("urdu-random", "urdu", speaker_independent=False)),
        *system("ears", 0.9, **task("emovo-random", "emovo", speaker_independent=False)),
    ]
    made = board(records)
    (found,) = best(made.sections)
    assert found.twin is not None
    assert found.twin.name == "urdu-random"
    (twin,) = (one for one in made.sections if one.task.name == "urdu-random")
    assert found.known == pytest.approx(twin.groups[0].places[0].row.scores["uar"].mean)


def test_all_tasks_are_shown_where_none_counts() -> None:
    dependent = task("mine", "mine", speaker_independent=False)
    records = [one for name, noise in (("far", 2.0), ("near", 0.5)) for one in rated(name, noise, **dependent)]
    (found,) = best(board(records).sections)
    assert found.place.row.cell.upstream.name == "near"
    assert found.twin is None
