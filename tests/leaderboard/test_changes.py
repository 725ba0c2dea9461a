"""What a new result changes, in sentences."""

from __future__ import annotations

import re

import numpy as np
from boards_factory import alike as system
from records_factory import cell

from leaderboard.board import board
from leaderboard.changes import SHOWN, changes


def lines(before: list, after: list) -> list[str]:
    return [line[2:] for line in changes(board(before), board(after)).splitlines() if line.startswith("- ")]


def test_nothing_changes() -> None:
    records = system("ears", 0.5) + system("nose", 0.7)
    assert "Nothing: the same systems" in changes(board(records), board(records))


def test_a_new_system_arrives_with_what_it_beats() -> None:
    old = system("ears", 0.5) + system("nose", 0.6)
    found = lines(old, old + system("mouth", 0.55))
    assert found[0] == (
        "mouth + superb is new: rank 2 (possible 2–2) among fixed; it differs from 2 of 2 other systems"
    )
    assert [line.rsplit(",", 1)[0] for line in found[1:]] == [
        "mouth + superb beats ears + superb on toy",
        "nose + superb beats mouth + superb on toy",
    ]
    assert all(re.search(r", p (=|&#60;) 0\.0\d{3}$", line) for line in found[1:])


def test_a_verdict_that_turns_is_told_from_both_sides() -> None:
    worse, better = system("ears", 0.5) + system("nose", 0.5), system("ears", 0.5) + system("nose", 0.8)
    (score, verdict) = lines(worse, better)
    assert score == "nose + superb: UAR 82.5 (before: 52.5)"
    assert verdict.startswith("nose + superb now beats ears + superb on toy, p ")
    assert any(line.startswith("nose + superb no longer beats ears + superb on toy") for line in lines(better, worse))


def test_an_old_verdict_may_fall_because_a_new_system_adds_pairs() -> None:
    """Holm corrects for all pairs: whoever reads a changed letter must be told why."""
    rng = np.random.default_rng(5)
    luck = {(fold, index): rng.integers(-3, 5) for fold in ("one", "two") for index in range(6)}

    def uneven(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {
            f"{fold}{index}": (12 + luck[fold, index]) * np.eye(4)
            + (8 - luck[fold, index]) * np.roll(np.eye(4), 1, axis=1)
            for index in range(6)
        }

    old = system("ears", 0.5) + cell(uneven, upstream__name="nose", upstream__sha256="9" * 64)
    pair = board(old).sections[0].analysis.pairs["nose + superb", "ears + superb"]
    assert pair.p is not None
    assert 0.003 < pair.p < 0.05
    crowd = [record for number in range(6) for record in system(f"crowd{number}", 0.45 + number / 100)]
    assert any("nose + superb no longer beats ears + superb" in line for line in lines(old, old + crowd))


def test_rows_and_tasks_that_go_are_named() -> None:
    old = system("ears", 0.5) + system("nose", 0.7) + system("ears", 0.5, task__name="other")
    assert lines(old, system("ears", 0.5)) == ["no longer on the leaderboard", "nose + superb is no longer there"]


def test_another_protocol_is_said() -> None:
    (line, *_) = lines(system("ears", 0.5), system("ears", 0.5, task__sha256="1" * 64))
    assert line == "the protocol is another one: aaaaaaaaaaaa before, 111111111111 now"


def test_names_notify_nobody_and_format_nothing() -> None:
    name = "@team <b>[x](https://example.org)"
    text = changes(board(system("ears", 0.5)), board(system("ears", 0.5) + system(name, 0.9)))
    assert "@" not in text
    assert "<b>" not in text
    assert "](http" not in text


def test_a_thousand_changes_are_cut() -> None:
    new = [record for number in range(60) for record in system(f"s{number:02}", 0.4, n=1)]
    found = lines(system("ears", 0.5, n=1), system("ears", 0.5, n=1) + new)
    assert len(found) == SHOWN + 1
    assert found[-1] == "and 10 more"
