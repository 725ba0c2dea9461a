"""What the statistics of a board say, in sentences."""

from __future__ import annotations

import numpy as np
from boards_factory import alike, system
from records_factory import cell
from small_cells import counts

from leaderboard.board import board
from leaderboard.tables import TaskTable


def only(*records: list) -> TaskTable:
    (task,) = board(*records).tasks
    return task


def said(task: TaskTable, about: str) -> list[str]:
    return [note for note in task.notes if about in note]


def test_what_a_table_would_find_is_said_with_its_uncertainty() -> None:
    """Two equal tables of four and two systems: the larger one pays for six pairs."""
    records = [one for index in range(4) for one in system(f"u{index}", 0.5 + index / 20)]
    records += [one for index in range(2) for one in system(f"v{index}", 0.5 + index / 20, "mlp")]
    fixed, other = said(only(records), "would find about")
    assert fixed.startswith("Fixed: of true differences of 5.0, 10.0 and 20.0 UAR this table would find about ")
    assert fixed.endswith(" %, corrected for 6 pairs (16 speakers, worth 16.0 of equal weight).")
    assert other.startswith("Open head: ")
    assert "corrected for 1 pair (" in other


def test_nothing_is_said_of_one_system_and_no_test_made_with_two_speakers() -> None:
    assert said(only(system("alone", 0.5)), "find") == []
    task = only(alike("a", 0.5, n=1), alike("b", 0.9, n=1))
    assert task.notes == (
        "Nothing is tested: 2 speakers, worth 2.0 of equal weight, are too few to tell one system from another.",
    )
    table = task.tables[0].ranking
    letters, possible = (table.header.index(title) for title in ("letters", "possible"))
    assert [(row[letters], row[possible]) for row in table.rows] == [("a", "1–2"), ("a", "1–2")]


def test_who_is_no_better_than_a_control_is_named() -> None:
    records = system("good", 0.8) + system("poor", 0.26) + system("chance", 0.25)
    (told,) = said(only(records), "a control")
    assert told == (
        "Fixed, against chance + superb, a control, corrected for 2 pairs: no better than it, as far as can be told: "
        "poor + superb."
    )
    (every,) = said(only(system("good", 0.8) + system("chance", 0.25)), "a control")
    assert every.endswith(": every system is better.")


def test_a_control_stands_last_without_rank_and_letter() -> None:
    table = only(system("low", 0.1) + system("chance", 0.25)).tables[0].ranking
    shown = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    assert [(row["upstream"], row["rank"], row["letters"]) for row in shown] == [
        ("low", "1", "a"),
        ("chance", "–", "–"),
    ]
    assert shown[1]["flags"] == "control"
    assert shown[1]["UAR"] != "–"


def test_seeds_that_learnt_nothing_are_named() -> None:
    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {f"{fold}{index}": counts(3 if seed == 1 else 7, 10) for index in range(4)}

    (told,) = said(only(cell(by_speaker)), "did not learn")
    assert told.startswith("Seeds that did not learn: ears + superb, seed 1 (of 3), next to a constant answer;")
    assert said(only(system("fine", 0.7)), "did not learn") == []


def test_few_seeds_are_flagged() -> None:
    def flags(**changes: object) -> str:
        table = only(cell(**changes)).tables[0].ranking
        return table.rows[0][table.header.index("flags")]

    assert flags(seeds=[0]) == flags(seeds=[0, 1]) == "⚠ few seeds"
    assert flags(seeds=[0, 1, 2]) == flags(seeds=[0], downstream__stochastic=False) == "–"


def test_the_board_says_what_its_verdicts_are_worth() -> None:
    legend = " ".join(board(system("a", 0.5)).legend)
    assert "rows that are added later add pairs, and may undo a verdict" in legend
    assert "part of its lead is luck" in legend
