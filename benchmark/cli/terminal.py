"""Tables on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from benchmark.text import clean, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

# Wide enough for a table that goes into a file or a pipe, where there is no terminal to ask.
PIPE_WIDTH = 160
HOUR = 3600
GAP = 2  # between columns
LEAST, WIDEST = 6, 32  # of a column: what is longer is folded
# What moves a terminal's cursor and is a space all the same.
SPACES = dict.fromkeys(map(ord, "\t\r\x0b\x0c\x1c\x1d\x1e\x1f\x85"), " ")
ROUNDING = 1e-9  # of shares of a whole that are added up


def stdout() -> Console:
    """A console for the answer."""
    return _console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _console(**options: Any) -> Console:
    """A console that shows text as it is: names hold what rich would take for numbers or for emoji, such as :moon:."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, **options)


def print_json(value: Any) -> None:
    """Print a plain value as JSON."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=not is_unicode) + "\n")


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    right: Sequence[str] = (),
    keys: Sequence[str] = (),
) -> None:
    """Print a table; cells are text, never markup.

    A table that is wider than the terminal is folded between words, where there is room for every word. Otherwise it is
    printed in pieces, one below the other, each of which names its rows.

    Args:
        title: Above the table; may be empty.
        columns: Headings.
        rows: Cells.
        right: Headings of the columns that are aligned to the right.
        keys: Headings of the columns that name a row. Where there are some, nothing is folded that fits a piece; where
            there are none, pieces are named by the first column.
    """
    from rich.table import Table
    from rich.text import Text

    width = stdout().width
    cells = [[_printable(str(cell)) for cell in row] for row in rows]
    for number, piece in enumerate(_pieces(columns, cells, keys, width)):
        if number:
            stdout().print()
        heading = "" if number else "\n".join(clean(line) for line in title.splitlines())
        table = Table(
            title=Text(heading) if heading else None,
            title_justify="left",
            header_style="bold",
            box=None,
            pad_edge=False,
        )
        headings = [columns[index] for index in piece]
        texts = [[row[index] for index in piece] for row in cells]
        widths = _widths(headings, texts, width)
        is_right = [heading in right for heading in headings]
        for heading, room, flush_right in zip(headings, widths, is_right, strict=True):
            justify: Literal["left", "right"] = "right" if flush_right else "left"
            table.add_column(Text(heading), justify=justify, overflow="fold", width=room)
        console = stdout()
        console.print(table)
        for row in texts:  # rich would take several times as long for those of a large table
            sys.stdout.writelines(_lines(row, widths, is_right, console))


def _printable(text: str) -> str:
    """A cell without control characters, which names may hold: they come from records that anybody has written."""
    return "\n".join(visible(line).translate(SPACES) for line in text.split("\n"))


def _pieces(
    columns: Sequence[str], rows: Sequence[Sequence[object]], keys: Sequence[str], width: int
) -> list[list[int]]:
    """Which columns stand beside each other: all, where they fit."""
    sizes = _sizes(columns, rows, broken=False) if keys else _least(columns, rows)
    if _width(sizes) <= width:
        return [list(range(len(columns)))]
    return fitted(columns, rows, keys or columns[:1], width)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> list[int]:
    """How wide each column of a piece is: as its longest line, or less, but as its longest word where that fits."""
    from rich.cells import cell_len

    whole = [
        max(cell_len(line) for text in (heading, *(str(row[index]) for row in rows)) for line in text.split("\n"))
        for index, heading in enumerate(columns)
    ]
    if _width(whole) <= width:
        return whole
    widths = [min(*both) for both in zip(_least(columns, rows), whole, strict=True)]
    left = width - _width(widths)
    if left < 0:
        widths[-1] = max(LEAST, widths[-1] + left)
    # who lacks least is served first, so that what is short stays whole
    lacking = sorted(range(len(widths)), key=lambda index: whole[index] - widths[index])
    for served, index in enumerate(lacking):
        more = min(whole[index] - widths[index], max(0, left) // (len(lacking) - served))
        widths[index] += more
        left -= more
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], is_right: Sequence[bool], console: Console) -> Iterator[str]:
    """A row as rich would print it: what is wider than its column is folded between words; lines with their breaks."""
    from rich.cells import cell_len

    folded = [
        [one for line in text.split("\n") for one in _folded(line, width, console)]
        for text, width in zip(row, widths, strict=True)
    ]
    for number in range(max(map(len, folded), default=0)):
        cells = []
        for lines, width, flush_right in zip(folded, widths, is_right, strict=True):
            text = lines[number] if number < len(lines) else ""
            text = text.rstrip() if flush_right else text
            room = " " * (width - cell_len(text))
            cells.append(room + text if flush_right else text + room)
        yield (" " * GAP).join(cells) + "\n"


def _folded(text: str, width: int, console: Console) -> list[str]:
    """A line as several that fit a column."""
    from rich.cells import cell_len
    from rich.text import Text

    if cell_len(text) <= width:
        return [text]
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold")]


def fitted(
    columns: Sequence[str], rows: Sequence[Sequence[object]], keys: Sequence[str], width: int
) -> list[list[int]]:
    """Which columns stand beside each other, as many as fit, so that none is broken.

    Args:
        columns: Headings; they may be broken between words.
        rows: Cells.
        keys: Headings of the columns that name a row: they stand in every piece.
        width: Of the terminal, in characters.

    Returns:
        The places of the columns of each piece, in their order; a piece has at least one beside the keys.
    """
    always = [index for index, column in enumerate(columns) if column in keys]
    sizes = _sizes(columns, rows)
    pieces: list[list[int]] = [[]]
    for index in (index for index in range(len(columns)) if index not in always):
        if pieces[-1] and _width([sizes[one] for one in {*always, *pieces[-1], index}]) > width:
            pieces.append([])
        pieces[-1].append(index)
    return [sorted({*always, *piece}) for piece in pieces]


def _sizes(columns: Sequence[str], rows: Sequence[Sequence[object]], *, broken: bool = True) -> list[int]:
    """The characters that each column needs; headings are broken between words, or not, and what is too long folded."""
    from rich.cells import cell_len

    sizes = []
    for index, heading in enumerate(columns):
        lines = (line for row in rows for line in str(row[index]).split("\n"))
        texts = [*(heading.split() if broken else [heading]), heading[:LEAST], *lines]
        sizes.append(min(WIDEST, max(map(cell_len, texts), default=1)))
    return sizes


def _least(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
    """The characters that each column needs for its words to stay whole; of very long ones, as many as a column has."""
    from rich.cells import cell_len

    words = (
        (word for text in (heading, *(str(row[index]) for row in rows)) for word in text.split())
        for index, heading in enumerate(columns)
    )
    return [min(WIDEST, max(map(cell_len, of_column), default=1)) for of_column in words]


def _width(sizes: Sequence[int]) -> int:
    return sum(sizes) + GAP * (len(sizes) - 1)


class TerminalProgress:
    """Progress of a run on stderr: bars on a terminal, else one line for each finished stage."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = _console(stderr=True, quiet=quiet)
        self._always = _console(stderr=True)
        self._noted: set[str] = set()
        self._bars: Progress | None = None

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[float], None]]:
        """A stage of known length."""
        started, done = time.perf_counter(), 0.0
        with self._bar(title, total) as update:

            def advance(count: float) -> None:
                nonlocal done
                done += count
                update(done, f"{int(done + ROUNDING)}/{total}")

            yield advance
        self._print(f"{title}: {total} in {time.perf_counter() - started:.1f} s")

    @contextmanager
    def encoding(self, title: str, utterances: int, seconds: float) -> Iterator[Callable[[int, float], None]]:
        """Encoding: the bar counts hours of audio, because that is what takes time."""
        started = time.perf_counter()
        count, audio = 0, 0.0

        def speed() -> str:
            minutes = max(time.perf_counter() - started, 1e-6) / 60
            return f"{audio / HOUR / minutes:.2f} h of audio a minute"

        with self._bar(title, seconds) as update:

            def advance(utterances_more: int, seconds_more: float) -> None:
                nonlocal count, audio
                count, audio = count + utterances_more, audio + seconds_more
                update(audio, f"{count}/{utterances} of {seconds / HOUR:.2f} h, {speed()}")

            yield advance
        self._print(f"{title}: {count} ({audio / HOUR:.2f} h) in {time.perf_counter() - started:.1f} s, {speed()}")

    @contextmanager
    def _bar(self, title: str, total: float) -> Iterator[Callable[[float, str], None]]:
        """A bar below those that are there already; on anything but a terminal there is none."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        if self._bars is None:
            named, state = (TextColumn(f"{{task.{of}}}", markup=False) for of in ("description", "fields[state]"))
            columns = (named, BarColumn(), state, TimeElapsedColumn(), TimeRemainingColumn())
            is_shown = self._console.is_terminal
            with Progress(*columns, console=self._console, transient=True, disable=not is_shown) as bars:
                self._bars = bars
                try:
                    with self._bar(title, total) as update:
                        yield update
                finally:
                    self._bars = None
            return
        bars = self._bars
        task = bars.add_task(title, total=total, state="")
        yield lambda done, state: bars.update(task, completed=done, state=state)
        bars.remove_task(task)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=not self._console.is_terminal)

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self._noted:
            self._noted.add(text)
            self._print(f"note: {visible(text)}")

    def problem(self, text: str) -> None:
        """Say once what went wrong, quiet or not."""
        if text not in self._noted:
            self._noted.add(text)
            self._always.print(visible(text), markup=False, soft_wrap=not self._always.is_terminal)
