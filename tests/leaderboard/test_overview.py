"""Mean ranks, coverage and tests over tasks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from boards_factory import alike as system
from records_factory import cell

from leaderboard.board import board


def several(*tasks: str, systems: dict[str, float], **changes: object) -> list:
    return [
        record
        for number, task in enumerate(tasks)
        for name, accuracy in systems.items()
        for record in system(name, accuracy + number / 40, task__name=task, **changes)
    ]


SYSTEMS = {"low": 0.4, "middle": 0.55, "high": 0.7}


def test_mean_ranks_are_over_tasks_that_count() -> None:
    records = several("one", "two", systems=SYSTEMS)
    records += several("leaky", systems={"low": 0.9}, task__speaker_independent=False)
    records += several("made-up", systems={"low": 0.9}, task__corpus__synthetic=True)
    (track,) = board(records).tracks
    assert track.tasks == ("one", "two")
    assert [(one.upstream, one.mean_rank, one.best, one.worst, one.counted) for one in track.standings] == [
        ("high", 1, 1, 1, ("one", "two")),
        ("middle", 2, 2, 2, ("one", "two")),
        ("low", 3, 3, 3, ("one", "two")),
    ]
    assert set(track.standings[2].places) == {"one", "two", "leaky", "made-up"}


def test_a_task_that_tests_two_people_counts_for_no_rank() -> None:
    """A paper's split with two test speakers tells nothing apart: who is not on it keeps the mean rank."""
    few = [one for name in ("low", "high") for one in system(name, 0.5, 1, task__name="few")]
    (track,) = board([*several("one", "two", systems=SYSTEMS), *few]).tracks
    assert track.tasks == ("one", "two")
    assert [one.mean_rank for one in track.standings] == [1, 2, 3]
    assert "few" in track.standings[0].places


def test_systems_that_cover_less_come_last_and_say_so() -> None:
    records = several("one", "two", systems=SYSTEMS) + several("one", systems={"newcomer": 0.9})
    (shown,) = board(records).overviews
    assert [(row[0], row[2], row[4]) for row in shown.overview.rows] == [
        ("high", "1.0", "2/2"),
        ("middle", "2.0", "2/2"),
        ("low", "3.0", "2/2"),
        ("newcomer", "–", "1/2"),
    ]


def of_corpora(number: int, systems: dict[str, float], tasks: int = 1) -> list:
    """Complete cells on so many corpora, each with so many tasks."""
    return [
        record
        for corpus in range(number)
        for task in range(tasks)
        for record in several(f"t{corpus}-{task}", systems=systems, task__corpus__name=f"corpus{corpus}")
    ]


def test_tests_over_corpora_and_wins() -> None:
    made = board(of_corpora(5, SYSTEMS))
    (track,), (shown,) = made.tracks, made.overviews
    assert made.across is track.across
    assert track.across is not None
    assert track.across.systems == ("high + superb", "middle + superb", "low + superb")
    assert track.across.friedman_statistic == pytest.approx(10)  # five corpora that all agree: N (m - 1)
    assert shown.notes == (
        "Friedman's test over 5 corpora (5 tasks, each corpus one number) and 3 systems: chi-squared 10.00, "
        "p = 0.0067. Mean ranks there, of which Nemenyi's test tells those apart that differ by 1.48 or more: "
        "high + superb 1.00, middle + superb 2.00, low + superb 3.00.",
        "Wilcoxon's signed-rank test over the corpora of each pair, corrected by Holm for 3 pairs: with 5 corpora no "
        "corrected p can be below 0.188, so nothing can be told apart.",
    )
    assert shown.wins is not None
    wins = {row[0]: row[1:] for row in shown.wins.rows}
    assert wins == {
        "high + superb": ("–", "5/5", "5/5"),
        "middle + superb": ("0/5", "–", "5/5"),
        "low + superb": ("0/5", "0/5", "–"),
    }
    assert {one.claims for one in track.wins} == {6}


def test_tasks_of_one_corpus_are_one_block() -> None:
    (once,), (thrice,) = (board(of_corpora(5, SYSTEMS, tasks)).tracks for tasks in (1, 3))
    assert once.across is not None
    assert thrice.across is not None
    assert thrice.across.friedman_p == once.across.friedman_p
    assert [one.count for one in thrice.wins] == [one.count for one in once.wins]
    assert (len(thrice.tasks), len(thrice.corpora)) == (15, 5)


def test_the_mean_rank_is_over_corpora() -> None:
    """Second on the one task of one corpus, first on three of another: 1.5, and not 1.25."""
    records = several("one", systems={"a": 0.4, "b": 0.7}, task__corpus__name="x")
    for task in ("two", "three", "four"):
        records += several(task, systems={"a": 0.7, "b": 0.4}, task__corpus__name="y")
    (track,) = board(records).tracks
    assert {one.upstream: (one.mean_rank, one.best, one.worst) for one in track.standings} == {
        "a": (1.5, 1.5, 1.5),
        "b": (1.5, 1.5, 1.5),
    }


def test_mean_ranks_are_those_of_the_test_where_all_cover_all() -> None:
    """Whoever lacks a task takes no place of the others, and equal scores share the mean of their ranks."""
    records = of_corpora(5, {"a": 0.7, "b": 0.6, "c": 0.6, "d": 0.4})
    records += several("t0-0", systems={"newcomer": 0.65}, task__corpus__name="corpus0")
    (track,) = board(records).tracks
    shown = {one.name: one.mean_rank for one in track.standings}
    assert track.across is not None
    assert dict(zip(track.across.systems, track.across.mean_ranks, strict=True)) == {
        name: rank for name, rank in shown.items() if rank is not None
    }
    assert sum(rank for rank in shown.values() if rank is not None) == 1 + 2 + 3 + 4
    assert shown["newcomer + superb"] is None


def test_a_control_has_no_rank_and_costs_the_others_none() -> None:
    records = of_corpora(5, SYSTEMS | {"chance": 0.25})
    (track,), (shown,) = board(records).tracks, board(records).overviews
    assert track.across is not None
    assert "chance + superb" not in track.across.systems
    assert [one.upstream for one in track.standings] == ["high", "middle", "low", "chance"]
    assert shown.overview.rows[3][2:5] == ("–", "–", "–")
    assert not any("chance" in name for one in track.wins for name in (one.a, one.b))


def test_one_corpus_has_no_tests_over_corpora() -> None:
    (shown,) = board(several("one", systems=SYSTEMS)).overviews
    assert shown.wins is None
    assert shown.notes == (
        "No tests over tasks: they need three systems on tasks of 5 corpora that count; here are 3 systems and "
        "1 corpus.",
    )


def test_tracks_are_ranked_apart() -> None:
    records = several("one", systems=SYSTEMS) + several("one", systems={"tuned": 0.9}, downstream__name="mlp")
    made = board(records)
    assert [(track.name, len(track.standings)) for track in made.tracks] == [("fixed", 3), ("open head", 1)]
    assert made.tracks[1].standings[0].mean_rank == 1
    (section,) = made.sections
    assert [group.name for group in section.groups] == ["fixed", "open head"]
    assert section.analysis.better("tuned + mlp", "high + superb")  # compared all the same


def test_contaminated_cells_count_in_no_mean_rank() -> None:
    records = several("one", systems=SYSTEMS) + system("knowing", 0.95, task__name="one", upstream__trained_on=["toys"])
    (track,) = board(records).tracks
    assert {one.upstream: one.mean_rank for one in track.standings} == {
        "high": 1,
        "middle": 2,
        "low": 3,
        "knowing": None,
    }


def test_gender_gap_and_worst_speaker_are_columns_where_known() -> None:
    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {
            f"{fold}-{name}": right * np.eye(4) + (20 - right) * np.roll(np.eye(4), 1, axis=1)
            for name, right in (("f", 16), ("m", 12))
        }

    gender = {f"{fold}-{name}": word for fold in ("one", "two") for name, word in (("f", "female"), ("m", "male"))}
    (task,) = board(cell(by_speaker, clusters__gender=gender)).tasks
    table = task.tables[0].details
    row = dict(zip(table.header, table.rows[0], strict=True))
    assert (row["gender gap"], row["worst speaker"]) == ("20.0", "60.0")
    plain = board(cell(by_speaker)).tasks[0].tables[0].details
    assert "gender gap" not in plain.header


def test_leaders_are_the_first_and_those_that_cannot_be_told_apart_from_it() -> None:
    (section,) = board(several("one", systems={"a": 0.7, "b": 0.7, "c": 0.4, "chance": 0.25})).sections
    (group,) = section.groups
    assert section.leaders(group) == {"a + superb", "b + superb"}
    assert section.leaders(replace(group, places=())) == set()
