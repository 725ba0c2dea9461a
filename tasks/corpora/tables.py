"""The tables that come with a corpus, read strictly: every row whole, every line known by its number."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.io.files import pointed_at

# Where a table was turned into UTF-8 as if it were Latin-1, Windows' quotes and dashes are control characters.
_WINDOWS = {code: bytes([code]).decode("cp1252", errors="ignore") or None for code in range(0x80, 0xA0)}


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        where: Corpus, table and line, for errors.
        values: By column, without spaces around them.
    """

    where: str
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The value of a column."""
        return self.values[column]


def read_rows(
    corpus: str,
    path: Path,
    columns: Collection[str],
    *,
    delimiter: str = ",",
    quoted: bool = True,
    windows: bool = False,
) -> list[Row]:
    """Read a table whose first line names its columns.

    Args:
        corpus: Name of the corpus, for errors.
        path: The table, in UTF-8.
        columns: Those that it must have; others are kept.
        delimiter: Between two values.
        quoted: Whether values may stand in quotes; else a quote is a letter like any other.
        windows: Whether it may be in the Western European code page of Windows, or hold remains of it.

    Raises:
        BenchError: It cannot be decoded, lacks a column, or a row has not as many values as there are columns.
    """
    if (pointer := pointed_at(path)) is not None:
        raise BenchError(f"corpus {corpus}: {path.name} {pointer}")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not windows:
            raise BenchError(f"corpus {corpus}: {path.name} is not in UTF-8: {error}") from error
        text = content.decode("cp1252", errors="replace")
    if windows:
        text = text.translate(_WINDOWS)
    handle = io.StringIO(text, newline="")
    reader = csv.DictReader(handle, delimiter=delimiter)
    if not quoted:
        reader = csv.DictReader(handle, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    rows = []
    try:
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise BenchError(f"corpus {corpus}: {path.name} has no column {', '.join(sorted(missing))}")
        for row in reader:
            where = f"corpus {corpus}: {path.name}, line {reader.line_num}"
            if None in row or None in row.values():
                raise BenchError(f"{where}: the number of values is not that of the columns")
            rows.append(Row(where, {column: value.strip() for column, value in row.items()}))
    except csv.Error as error:
        raise BenchError(f"corpus {corpus}: {path.name}, line {reader.line_num}: {error}") from error
    return rows
