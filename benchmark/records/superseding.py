"""What of records is not shown, since others of the same names are: in what they differ, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.records.cells import Cell, same_protocol
from benchmark.text import clean, count


@dataclass(frozen=True, eq=False)
class Superseded:
    """A cell that is not shown, and what is shown in its place.

    Attributes:
        cell: The one that is not shown.
        by: The cell of its names that is shown; or, where the task is shown under another protocol or with other
            recordings, the cell that decides under which.
    """

    cell: Cell
    by: Cell

    @property
    def reason(self) -> str:
        """What supersedes it, in words: "superseded by ears + svm of 2026-01-02 03:04 (other weights)"."""
        when = self.by.created[:16].replace("T", " ")
        what = ", ".join(differences(self.cell, self.by))
        return f"superseded by {clean(self.by.name)} of {when} ({what})"

    def advice(self, command: str) -> str:
        """What to do to have it shown, by the command that runs it."""
        if self.by.complete and not self.cell.complete:
            again = f"{command} --rerun failed" if self.cell.failed else command
            return f"{again} completes it where protocol, code and recordings are still those that it was begun with"
        if self.cell.created > self.by.created:
            return "rows that are published come first: it is shown without --published"
        return f"{command} --rerun all makes it the newest; --results DIR keeps both"


def superseded_by(cell: Cell, shown: Sequence[Cell]) -> Superseded:
    """Which cell supersedes one that is not shown.

    Args:
        cell: It.
        shown: At least one cell of its task, as `benchmark.records.grouping.group` shows them.
    """
    of_task = [one for one in shown if one.task.name == cell.task.name]
    namesakes = [one for one in of_task if one.name == cell.name and same_protocol(one.task, cell.task)]
    return Superseded(cell, max(namesakes or of_task, key=lambda one: (one.complete, one.created, one.sha256)))


def differences(old: Cell, other: Cell) -> list[str]:
    """In what a cell differs from a shown one of its task, in words; where both have one name, in the system too."""
    found = {
        "another version of the protocol": old.task.sha256 != other.task.sha256,
        "other recordings": old.task.corpus.audio_sha256 != other.task.corpus.audio_sha256,
        "another reading of the corpus": old.task.corpus.index_sha256 != other.task.corpus.index_sha256,
        "other folds": old.task.folds_sha256 != other.task.folds_sha256,
    }
    if old.name == other.name:
        is_another = old.upstream.weights_sha256 != other.upstream.weights_sha256
        found |= {
            "other weights": is_another,
            "another version of the upstream": old.upstream.sha256 != other.upstream.sha256 and not is_another,
            "another version of the head": old.downstream.sha256 != other.downstream.sha256,
        }
    return [text for text, holds in found.items() if holds] or ["other code or libraries"]


def why_superseded(old: Cell, shown: Cell | None, any_of_task: Cell) -> str:
    """When a row that is not shown was made, how much of it there is, and in what it differs.

    Args:
        old: It.
        shown: The row of its name; None where there is none of the protocol that is shown.
        any_of_task: A row of its task that is shown.
    """
    state = "" if old.complete else f", {len(old.completed)} of {count(len(old.units), 'unit')}"
    return f"{old.created[:10]}{state}: {', '.join(differences(old, shown or any_of_task))}"
