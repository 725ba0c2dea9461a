"""The leaderboard as files: the same records give the same bytes, on any machine and at any time.

`bench leaderboard` writes what `render` returns and prints the tables of `board`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterable

import tabulate

from benchmark.protocol.references import Reference
from benchmark.records import Record
from benchmark.text import clean, decimal
from leaderboard.board import Board, Table, board
from leaderboard.remarks import ELSEWHERE, WINS
from leaderboard.rows import Value

__all__ = ["board", "csv_text", "files", "markdown", "render"]

# What means something in GitHub's Markdown, mathematics included, written so that it means itself.
# Brackets alone are harmless, and intervals have them; a link needs one of ( [ : right after.
ENTITIES = {ord(character): f"&#{ord(character)};" for character in "\\`<>&|~$!#"} | {ord("*"): r"\*", ord("_"): r"\_"}
LINK = re.compile(r"(?<=\])[(\[:]|(?<=www)\.|:(?=//)", re.IGNORECASE)
CSV_PLACES = 6


def render(*sources: Iterable[Record], references: Iterable[Reference] = ()) -> dict[str, bytes]:
    """Make the files of the leaderboard from records, and from what was published elsewhere, which only Markdown shows.

    Args:
        sources: Records; of a unit that several sources have, the first one's counts.
        references: What was published elsewhere: set apart below the table of its task, neither ranked nor in the CSV.

    Returns:
        File name -> content: "LEADERBOARD.md" and "leaderboard.csv".

    Raises:
        BenchError: Records contradict each other or their task; the message names them.
    """
    return files(board(*sources, references=references))


def files(made: Board) -> dict[str, bytes]:
    """The files of a board that is already made: see `render`."""
    return {"LEADERBOARD.md": markdown(made).encode(), "leaderboard.csv": csv_text(made).encode()}


def markdown(made: Board) -> str:
    """Write the board as GitHub's Markdown; whatever names hold, they can neither break a table nor inject HTML."""
    parts = ["# Leaderboard", "Made by `bench leaderboard` from the records alone; do not edit it."]
    if made.legend:
        parts.append(_bullets(made.legend))
    parts.append("## Overview")
    if not made.tasks:
        parts.append("There is no record yet.")
    for track in made.overviews:
        parts += [f"### {_title(track.name)}", _table(track.overview), _bullets(track.notes)]
        if track.wins:
            parts += [escape(WINS), _table(track.wins)]
    if made.notes:
        parts.append(_bullets(made.notes))
    for task in made.tasks:
        parts += [f"## {escape(task.heading)}", escape(task.caption)]
        for name, table in task.tables:
            parts += [f"### {_title(name)}", _table(table)]
        if task.notes:
            parts.append(_bullets(task.notes))
        if task.references:
            parts += ["### Published elsewhere", escape(ELSEWHERE), _table(task.references.table)]
            parts.append(_bullets((*task.references.footnotes, *task.references.sources)))
    return "\n\n".join(parts) + "\n"


def _title(group: str) -> str:
    return escape(group[0].upper() + group[1:])


def csv_text(made: Board) -> str:
    """Write the values as CSV (RFC 4180, but with line feeds), one row for each cell and metric; see `Value`."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    columns = [field.name for field in dataclasses.fields(Value)]
    writer.writerow(columns)
    writer.writerows([_csv_cell(getattr(value, column)) for column in columns] for value in made.values)
    return content.getvalue()


def escape(text: str) -> str:
    """Text that Markdown shows as it is, without markup, HTML, links or mathematics."""
    return LINK.sub(lambda found: f"&#{ord(found[0])};", text.translate(ENTITIES))


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _table(table: Table) -> str:
    rows = [[escape(text) for text in row] for row in table.rows]
    # Otherwise the padding of wide characters depends on whether an optional package, wcwidth, is installed.
    tabulate.WIDE_CHARS_MODE = False
    return tabulate.tabulate(
        rows,
        headers=[escape(text) for text in table.header],
        tablefmt="pipe",
        colalign=["right" if numeric else "left" for numeric in table.numeric],
        disable_numparse=True,
    )


def _csv_cell(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return decimal(value, CSV_PLACES)
    text = clean(str(value))
    # A spreadsheet would run such a text as a formula (OWASP, "CSV Injection"); no honest name begins like that.
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
