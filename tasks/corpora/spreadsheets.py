"""Tables as spreadsheets save them: commas, semicolons or tabs, UTF-8 or UTF-16, blanks and empty columns."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError, MissingError
from benchmark.io.files import pointed_at
from benchmark.text import some

log = logging.getLogger(__name__)

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MARKED = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}  # by how a file begins
SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>[,;\t|])"?\r?\n', re.IGNORECASE)  # what Excel begins with
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
NAMED = 5


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        columns: Their names, without blanks around them.
        rows: Of each the line where it ends, and its values by column, without blanks around them.
        has_decimal_commas: Whether 1,5 may be a number: where values are not separated by commas.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[int, Mapping[str, str]]]
    has_decimal_commas: bool

    def number(self, text: str) -> str:
        """A number as it is written elsewhere."""
        return text.replace(",", ".") if self.has_decimal_commas and DECIMAL_COMMA.fullmatch(text) else text


def read_sheet(path: Path, known: Collection[str], how_to_get: str) -> Sheet:
    """Read a table whose first line names its columns; rows and unnamed columns in which nothing stands are no rows.

    What separates its values, and whether it is in UTF-16, is found out and told.

    Args:
        path: The table.
        known: Columns whose names may be written in capitals.
        how_to_get: What it should be, for errors.

    Raises:
        MissingError: It is not there.
        BenchError: It cannot be read, a column has no name or is there twice, or a row has not as many values as there
            are columns; the message names the line.
    """
    if not path.is_file():
        raise MissingError(f"there is no {path.name} in {path.parent}", how_to_get)
    text = _decoded(path)
    separator = SEPARATOR_LINE.match(text)
    skipped = 0
    if separator is not None:
        text, skipped = text[separator.end() :], 1
    delimiter = separator["delimiter"] if separator is not None else _delimiter(text)
    if delimiter != ",":
        log.warning("%s is read as separated by %s", path.name, DELIMITERS[delimiter])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        # An empty line is no row, and a quoted value may hold line breaks: the reader knows the line.
        lines = [
            (reader.line_num + skipped, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise BenchError(f"{path.name}, line {reader.line_num + skipped}: not a CSV file: {error}") from error
    if not lines:
        raise BenchError(f"{path.name} is empty", how_to_get)
    (_, names), *rows = lines
    if not rows:
        raise BenchError(f"{path.name} has a header and no row", f"it lists the recordings in {path.parent}")
    for line, row in rows:
        if len(row) != len(names):
            raise BenchError(
                f"{path.name}, line {line}: the number of fields is not that of the header: {len(row)} instead of "
                f"{len(names)}",
                "a value that holds what separates values stands in quotes",
            )
    names = [title.lower() if title.lower() in known else title for title in names]
    kept = _named_columns(path.name, names, rows)
    return Sheet(
        [names[column] for column in kept],
        [(line, {names[column]: row[column] for column in kept}) for line, row in rows],
        has_decimal_commas=delimiter != ",",
    )


def _decoded(path: Path) -> str:
    try:
        if (pointer := pointed_at(path)) is not None:
            raise BenchError(f"{path.name} {pointer}")
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(f"cannot read {path.name}: {error.strerror or error}", f"it is in {path.parent}") from error
    encoding = next((name for mark, name in MARKED.items() if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and content[1:2] == b"\0":  # without a mark: a letter, and nothing above it
        encoding = "utf-16-le"
    if encoding.startswith("utf-16"):
        log.warning("%s is read as UTF-16", path.name)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{path.name} is not a CSV file in UTF-8: {error}",
            "save it as CSV in UTF-8; spreadsheets have a choice of it",
        ) from error


def _delimiter(text: str) -> str:
    """What separates values: the one by which the first line with anything in it has most columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader([first], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=columns)  # of several the first: a comma


def _named_columns(name: str, names: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> list[int]:
    """The columns that have a name, in their order."""
    kept = [column for column, title in enumerate(names) if title]
    unnamed = set(range(len(names))) - set(kept)
    for line, row in rows:
        if any(row[column] for column in unnamed):
            where = next(column for column in sorted(unnamed) if row[column])
            raise BenchError(f"{name}, line {line}: a value {row[where]!r} in column {where + 1}, which has no name")
    twice = [title for title, times in Counter(names[column] for column in kept).items() if times > 1]
    if twice:
        raise BenchError(
            f"{name} has two columns {some(list(map(repr, twice)), NAMED)}", "rename or remove one of them"
        )
    return kept
