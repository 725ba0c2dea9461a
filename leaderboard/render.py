"""The leaderboard as files: the same records give the same bytes, on any machine and at any time.

`bench leaderboard` writes what `render` returns and prints the tables of `board`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterable, Mapping, Sequence

import tabulate

from benchmark.protocol.references import Reference
from benchmark.records import Record
from benchmark.text import NONE, clean, count, decimal, interval, measured
from leaderboard.best import best
from leaderboard.board import Board, TrackTable, board
from leaderboard.bridge import Bridge, differences, overview
from leaderboard.chance import chance_level
from leaderboard.languages import shelf
from leaderboard.overview import tested_corpus
from leaderboard.picture import picture
from leaderboard.remarks import ELSEWHERE, WINS
from leaderboard.rows import Value
from leaderboard.summary import summary
from leaderboard.tables import Table, TaskTable

__all__ = ["board", "csv_text", "files", "markdown", "render"]

# What means something in GitHub's Markdown, mathematics included, written so that it means itself.
# Brackets alone are harmless, and intervals have them; a link needs one of ( [ : right after.
ENTITIES = {ord(character): f"&#{ord(character)};" for character in "\\`<>&|~$!#"} | {ord("*"): r"\*", ord("_"): r"\_"}
LINK = re.compile(r"(?<=\])[(\[:]|(?<=www)\.|:(?=//)", re.IGNORECASE)
CSV_PLACES = 6
PICTURE = "overview.svg"
LEGEND = "What the signs mean"
SCREEN = 120  # characters of a row that a screen shows
ROWS = 12  # of a long table, before the others are folded
NUMBERS = ("score", "not told apart", "known speakers", "guessing")  # columns that are set flush right
BEST = (
    "Not told apart: so many of the other systems of the track cannot be told apart from it. Known speakers: the same "
    "system where test speakers are in train too, as in random splits."
)
WRAPPED = 24  # a longer cell is shown as several lines


def render(*sources: Iterable[Record], references: Iterable[Reference] = ()) -> dict[str, bytes]:
    """Make the files of the leaderboard from records, and from what was published elsewhere, which only Markdown shows.

    Args:
        sources: Records; of a unit that several sources have, the first one's counts.
        references: What was published elsewhere: set apart below the table of its task, neither ranked nor in the CSV.

    Returns:
        File name -> content: "LEADERBOARD.md", "leaderboard.csv" and, where a cell is complete, "overview.svg".

    Raises:
        BenchError: Records contradict each other or their task; the message names them.
    """
    return files(board(*sources, references=references))


def files(made: Board) -> dict[str, bytes]:
    """The files of a board that is already made: see `render`."""
    made_files = {"LEADERBOARD.md": markdown(made), "leaderboard.csv": csv_text(made)}
    drawn = picture(made.sections)
    if drawn is not None:
        made_files[PICTURE] = drawn
    return {name: text.encode() for name, text in made_files.items()}


def markdown(made: Board) -> str:
    """Write the board as GitHub's Markdown; whatever names hold, they can neither break a table nor inject HTML.

    What matters first stands first; what is rarely needed is folded; the legend is last.
    """
    parts = ["# Leaderboard", "Made by `bench leaderboard` from the records alone; do not edit it."]
    if made.legend:
        parts[-1] += f" [{LEGEND}](#{LEGEND.lower().replace(' ', '-')}) stands at the end."
    if made.tasks:
        parts.insert(1, f"**{escape(summary(made.sections).counted)}.**")
    winners = best_table(made)
    if winners.rows:
        parts += ["## Best systems by corpus", escape(BEST), _table(winners)]
    parts.append("## Overview")
    if any(section.analysis.cells for section in made.sections):
        parts.append(f"![Every score with its interval]({PICTURE})")
    if not made.tasks:
        parts.append("There is no record yet.")
    for track in made.overviews:
        parts += _track(track)
    if made.notes:
        parts.append(_bullets(made.notes))
    for task in made.tasks:
        parts += _task(task)
    if made.legend:
        parts += [f"## {LEGEND}", _bullets(made.legend)]
    return "\n\n".join(parts) + "\n"


def best_table(made: Board) -> Table:
    """The best system of each corpus in each track, in reading order."""
    header = ("corpus", "language", "track", "best system", "score", "not told apart", "known speakers", "guessing")
    rows = []
    for one in best(made.sections):
        task, metric = one.section.task, one.section.analysis.metric
        row, level = one.place.row, chance_level(task)
        ends = row.intervals[metric.name]
        corpus, name = clean(tested_corpus(task)), clean(task.name)
        score = f"{metric.title} {measured(row.scores[metric.name].mean, metric.percent)}"
        rows.append(
            (
                name if corpus in name else f"{corpus} ({name})",
                shelf(task),
                one.track,
                clean(row.cell.name),
                score if ends is None else f"{score} {interval(ends.low, ends.high, metric.percent)}",
                f"{one.alike} of {one.ranked - 1}" if one.ranked > 1 else NONE,
                NONE if one.known is None else measured(one.known, metric.percent),
                NONE if level is None else measured(level, metric.percent),
            )
        )
    return Table(header, tuple(rows), tuple(title in NUMBERS for title in header))


def _track(track: TrackTable) -> list[str]:
    first, *further = fitted(track.overview, keys=2)
    parts = [f"### {_title(track.name)}", *_long(first), _bullets(track.notes)]
    if further:
        parts += _folded("Further tasks", [_table(piece) for piece in further])
    if track.wins:
        parts += _folded("System against system", [escape(WINS), *(_table(one) for one in fitted(track.wins, keys=1))])
    return parts


def _task(task: TaskTable) -> list[str]:
    parts = [f"## {escape(task.heading)}", escape(task.caption)]
    for group in task.tables:
        parts += [f"### {_title(group.name)}", *_long(group.ranking)]
    if task.notes:
        parts.append(_bullets(task.notes))
    details = [part for group in task.tables for part in (f"**{_title(group.name)}**", _table(group.details))]
    parts += _folded("Other metrics, people, sizes", details)
    if task.calibration:
        pieces = [_table(piece) for piece in fitted(task.calibration.table, keys=2)]
        parts += _folded("How far probabilities can be believed", [*pieces, _bullets(task.calibration.notes)])
    if task.references:
        parts += ["### Published elsewhere", escape(ELSEWHERE)]
        notes = _bullets((*task.references.footnotes, *task.references.sources))
        rows = count(len(task.references.table.rows), "row")
        parts += _folded(
            f"{rows} from {count(len(task.references.sources), 'source')}", [_table(task.references.table), notes]
        )
    return parts


def bridge_tables(found: Sequence[Bridge]) -> str:
    """The rows of other benchmarks' protocols as Markdown: by corpus and upstream, then one by one, to be opened."""
    return tables(overview(found), keys=3, folded={"Row by row": differences(found)})


def tables(first: Table, *, keys: int, folded: Mapping[str, Table]) -> str:
    """Tables as Markdown: one that is seen, in pieces that fit a screen, and others that are opened by their titles.

    Args:
        first: What is seen; a piece leaves out rows of which it has no value.
        keys: So many of its first columns name a row.
        folded: The others by title.
    """
    parts = [_table(_with_values(piece, keys)) for piece in fitted(first, keys=keys)]
    for title, table in folded.items():
        parts += _folded(title, [_table(table)])
    return "\n\n".join(parts) + "\n"


def _with_values(table: Table, keys: int) -> Table:
    """Without rows that have no value beside what names them."""
    rows = tuple(row for row in table.rows if any(text != NONE for text in row[keys:]))
    return Table(table.header, rows, table.numeric)


def _long(table: Table) -> list[str]:
    """A table; of a long one the first rows, and the others folded."""
    if len(table.rows) <= ROWS + 2:
        return [_table(table)]
    rest = Table(table.header, table.rows[ROWS:], table.numeric)
    return [
        _table(Table(table.header, table.rows[:ROWS], table.numeric)),
        *_folded(f"{count(len(rest.rows), 'further row')}", [_table(rest)]),
    ]


def _folded(title: str, parts: Iterable[str]) -> list[str]:
    """Parts that a reader opens by their title."""
    return [f"<details>\n<summary>{escape(title)}</summary>", *parts, "</details>"]


def fitted(table: Table, *, keys: int) -> list[Table]:
    """A table as several, one after the other, whose rows fit a screen.

    Args:
        table: It.
        keys: So many of its first columns name a row: they stand in every piece.

    Returns:
        The columns in their order, as many in each piece as fit, but at least one.
    """
    widths = [min(max(map(len, column)), WRAPPED) + 3 for column in zip(table.header, *table.rows, strict=True)]
    named = list(range(keys))
    pieces = [list(named)]
    for column in range(keys, len(table.header)):
        if len(pieces[-1]) > keys and sum(widths[index] for index in [*pieces[-1], column]) > SCREEN:
            pieces.append(list(named))
        pieces[-1].append(column)
    return [
        Table(
            tuple(table.header[index] for index in piece),
            tuple(tuple(row[index] for index in piece) for row in table.rows),
            tuple(table.numeric[index] for index in piece),
        )
        for piece in pieces
    ]


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
