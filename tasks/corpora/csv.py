"""Any corpus that is described by one CSV file, so that anybody's data is a task with one YAML."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.errors import BenchError, MissingError
from benchmark.types import Utterance

INDEX = "index.csv"
FIELDS = {"id", "file", "speaker", "label", "session", "split", "gender", "language", "start", "end"}
REQUIRED = ("file", "speaker")
SPLITS = ("", "train", "dev", "test")


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
        path = root / INDEX
        if not path.is_file():
            raise MissingError(f"there is no {INDEX} in {root}", self.how_to_get)
        try:
            with path.open(newline="", encoding="utf-8-sig") as handle:
                reader = csv.DictReader(handle, strict=True)
                columns = reader.fieldnames or []
                # An empty line is no row, and a quoted value may hold line breaks: the reader knows the line.
                rows = [(reader.line_num, row) for row in reader]
        except OSError as error:
            raise BenchError(f"cannot read {INDEX}: {error.strerror or error}", f"it is in {root}") from error
        except (csv.Error, UnicodeDecodeError) as error:
            raise BenchError(f"{INDEX} is not a CSV file in UTF-8: {error}") from error
        if not columns:
            raise BenchError(
                f"{INDEX} is empty", f"its first line names the columns: {', '.join(REQUIRED)}, label, ..."
            )
        if not rows:
            raise BenchError(f"{INDEX} has a header and no row", f"it lists the recordings in {root}")
        for column in columns:
            if columns.count(column) > 1:
                raise BenchError(f"{INDEX} has two columns {column!r}", "rename or remove one of them")
        for column in REQUIRED:
            if column not in columns:
                raise BenchError(f"{INDEX} has no column {column!r}", f"it has {', '.join(columns)}")
        others = [column for column in columns if column not in FIELDS]
        numeric = {column for column in others if _is_dimension([row[column] for _, row in rows])}
        utterances = [_utterance(row, number, numeric, others) for number, row in rows]
        seen: dict[str, int] = {}
        for (number, _), utterance in zip(rows, utterances, strict=True):
            if utterance.id in seen:
                raise BenchError(f"{INDEX} lists {utterance.id!r} twice: lines {seen[utterance.id]} and {number}")
            seen[utterance.id] = number
        return sorted(utterances, key=lambda utterance: utterance.id)


def _is_number(text: str | None) -> bool:
    try:
        return math.isfinite(float(text or ""))
    except ValueError:
        return False


def _is_dimension(values: Sequence[str | None]) -> bool:
    given = [value for value in values if value is not None and value.strip()]
    return bool(given) and all(_is_number(value) for value in given)


def _utterance(row: dict[str, str | None], line: int, numeric: set[str], others: list[str]) -> Utterance:
    if None in row or None in row.values():
        raise BenchError(f"{INDEX}, line {line}: the number of fields is not that of the header")

    def text(column: str) -> str | None:
        return (row.get(column) or "").strip() or None

    def seconds(column: str) -> float | None:
        value = text(column)
        if value is not None and not (_is_number(value) and float(value) >= 0):
            raise BenchError(f"{INDEX}, line {line}: {column} is {value!r}", "seconds, for example 1.25")
        return None if value is None else float(value)

    file, start, end = text("file"), seconds("start"), seconds("end")
    if file is None:
        raise BenchError(f"{INDEX}, line {line}: the file is empty")
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise BenchError(f"{INDEX}, line {line}: {file!r} leaves the folder", "give paths relative to the folder")
    split = (row.get("split") or "").strip()
    if split not in SPLITS:
        raise BenchError(f"{INDEX}, line {line}: split is {split!r}", "train, dev, test or nothing")
    part = "" if start is None and end is None else f"#{'' if start is None else start}-{'' if end is None else end}"
    label = text("label")
    labels: dict[str, str | float] = {} if label is None else {"emotion": label}
    labels.update({column: float(value) for column in sorted(numeric) if (value := text(column)) is not None})
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
