"""Draw what speakers in train do to the scores on URDU: `python docs/draw_urdu.py` writes docs/urdu.svg."""

from __future__ import annotations

from pathlib import Path

from benchmark.records import RecordStore
from leaderboard.board import board
from leaderboard.picture import picture

RESULTS = Path(__file__).parent.parent / "leaderboard" / "results"
SVG = Path(__file__).parent / "urdu.svg"
TASKS = ("urdu", "urdu-random")


def draw() -> str:
    """The picture as SVG, from the rows of the two tasks."""
    made = picture(board(record for record in RecordStore(RESULTS) if record.task.name in TASKS).sections)
    if made is None:
        raise ValueError(f"{RESULTS} has no complete row of {' or '.join(TASKS)}")
    return made


if __name__ == "__main__":
    SVG.write_text(draw(), encoding="utf-8")
