"""Any corpus that is described by one CSV file, so that anybody's data is a task with one YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.errors import BenchError
from benchmark.types import Utterance
from tasks.corpora.spreadsheets import Sheet, read_sheet

INDEX = "index.csv"
FIELDS = {"id", "file", "speaker", "label", "session", "split", "gender", "language", "start", "end"}
REQUIRED = ("file", "speaker")
SPLITS = ("", "train", "dev", "test")
# 90, 90.5 s, 1:30, 0:01:30.5, "0 days 00:01:30.500000" as pandas writes it.
CLOCK = re.compile(r"(?:(?P<days>\d+) days? )?(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d{1,2}(?:\.\d*)?)")


class CSV(Corpus):
    """Your own corpus: a folder with `index.csv` (file, speaker, label or dimensions, and optional columns)."""

    name: ClassVar[str] = "csv"
    licence: ClassVar[str] = "that of your data"
    citation: ClassVar[str] = "none"
    homepage: ClassVar[str] = "none"
    how_to_get: ClassVar[str] = (
        f"a folder with {INDEX}: columns file and speaker, label and/or one column for each dimension "
        "(arousal, valence, ...), optionally id, session, split, gender, language, start, end; a task may filter by "
        "speaker, session, split, gender, language and every column of your own, numbers included, as they are written"
    )

    def scan(self, root: Path) -> list[Utterance]:
        """List every row of `index.csv`.

        The id is the column `id`, else the file, with `#start-end` where the row is a part of it. Columns that are no
        field are kept in `extra`, as they are written; None is an empty value. Such a column is a dimension too where
        it holds numbers and nothing else; a row whose value is empty has no label of that dimension.

        Raises:
            MissingError: There is no `index.csv`.
            BenchError: It cannot be read, a column is missing or there twice, or a value is not what its column takes;
                the message names the line.
        """
        sheet = read_sheet(root / INDEX, FIELDS, self.how_to_get)
        for column in REQUIRED:
            if column not in sheet.columns:
                raise BenchError(f"{INDEX} has no column {column!r}", f"it has {', '.join(sheet.columns)}")
        others = [column for column in sheet.columns if column not in FIELDS]
        numeric = {column for column in others if _is_dimension([row[column] for _, row in sheet.rows], sheet)}
        utterances = [_utterance(row, number, numeric, others, sheet) for number, row in sheet.rows]
        seen: dict[str, int] = {}
        for (number, _), utterance in zip(sheet.rows, utterances, strict=True):
            if utterance.id in seen:
                raise BenchError(f"{INDEX} lists {utterance.id!r} twice: lines {seen[utterance.id]} and {number}")
            seen[utterance.id] = number
        if "label" not in sheet.columns and not numeric and utterances:
            raise BenchError(
                f"{INDEX} has no column 'label', and no column of numbers that could be a dimension",
                f"it has {', '.join(sheet.columns)}",
            )
        return sorted(utterances, key=lambda utterance: utterance.id)


def _number(text: str | None, sheet: Sheet) -> float | None:
    """A finite number; None for anything else."""
    try:
        value = float(sheet.number(text or ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _seconds(text: str, sheet: Sheet) -> float | None:
    """A time from 0 on [s], in seconds or as on a clock; None for anything else."""
    text = sheet.number(text.removesuffix("s").strip())
    if (clock := CLOCK.fullmatch(text)) is not None:
        days, hours, minutes, seconds = (float(clock[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
        if seconds >= 60 or (clock["hours"] and minutes >= 60):
            return None
        return 60 * (60 * (24 * days + hours) + minutes) + seconds
    value = _number(text, sheet)
    return value if value is not None and value >= 0 else None


def _is_dimension(values: Sequence[str], sheet: Sheet) -> bool:
    given = [value for value in values if value]
    return bool(given) and all(_number(value, sheet) is not None for value in given)


def _file(text: str | None, line: int) -> str:
    """The path of a recording as it is written on every system; Windows separates folders by backslashes."""
    if text is None:
        raise BenchError(f"{INDEX}, line {line}: the file is empty")
    path = PureWindowsPath(text)  # which takes both separators
    if path.drive or path.root or ".." in path.parts:
        raise BenchError(f"{INDEX}, line {line}: {text!r} leaves the folder", "give paths relative to the folder")
    return text.replace("\\", "/")


def _utterance(row: Mapping[str, str], line: int, numeric: set[str], others: list[str], sheet: Sheet) -> Utterance:
    def text(column: str) -> str | None:
        return row.get(column) or None

    def seconds(column: str) -> float | None:
        value = text(column)
        found = None if value is None else _seconds(value, sheet)
        if value is not None and found is None:
            raise BenchError(
                f"{INDEX}, line {line}: {column} is {value!r}", "seconds, for example 1.25, or minutes:seconds"
            )
        return found

    file, start, end = _file(text("file"), line), seconds("start"), seconds("end")
    if start is not None and end is not None and end <= start:
        raise BenchError(f"{INDEX}, line {line}: it ends at {end} s, where it starts at {start} s")
    split = row.get("split", "")
    if split not in SPLITS:
        raise BenchError(f"{INDEX}, line {line}: split is {split!r}", "train, dev, test or nothing")
    part = "" if start is None and end is None else f"#{'' if start is None else start}-{'' if end is None else end}"
    label = text("label")
    labels: dict[str, str | float] = {} if label is None else {"emotion": label}
    values = {column: _number(text(column), sheet) for column in sorted(numeric)}
    labels.update({column: value for column, value in values.items() if value is not None})
    return Utterance(
        id=text("id") or file + part,
        file=Path(file).as_posix(),
        start=start,
        end=end,
        speaker=text("speaker"),
        session=text("session"),
        gender=text("gender"),
        language=text("language"),
        labels=labels,
        split=split or None,
        extra={column: text(column) for column in others},
    )
