"""Columns of numbers in the tables of systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmark.metrics import Metric, find
from benchmark.records import TaskPart
from benchmark.statistics.fairness import Fairness
from benchmark.text import NONE, decimal, human, measured, with_spread
from leaderboard.rows import Row, encode_s_per_hour


@dataclass(frozen=True)
class Entry:
    """A cell of a table: its text, and what it is sorted by where that is not the text."""

    text: str
    order: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of numbers: its title, the value of a row, and how that is written."""

    title: str
    value: Callable[[Row], float | None]
    text: Callable[[Row], str]

    def entry(self, row: Row) -> Entry:
        """A row's cell of the column."""
        value = self.value(row)
        return Entry(NONE, "") if value is None else Entry(self.text(row), order(value))


def number_columns(task: TaskPart) -> list[Column]:
    """All columns of numbers but that of the primary metric."""
    primary, *others = (find(name) for name in task.metrics)
    return [
        *(score_column(metric) for metric in others),
        _people_column("gender gap", lambda people: people.gap, primary),
        _people_column("worst speaker", lambda people: people.worst, primary),
        Column("parameters", lambda row: row.cell.upstream.parameters, lambda row: human(row.cell.upstream.parameters)),
        Column(
            "encoding, s/h",
            lambda row: encode_s_per_hour(row.cell),
            lambda row: f"{encode_s_per_hour(row.cell) or 0:.3g}",
        ),
    ]


def score_column(metric: Metric) -> Column:
    """The column of a metric."""

    def value(row: Row) -> float | None:
        scores = row.scores.get(metric.name)
        return None if scores is None else scores.mean

    def text(row: Row) -> str:
        return with_spread(row.scores[metric.name].mean, row.scores[metric.name].sd, metric.percent)

    return Column(metric.title, value, text)


def _people_column(title: str, of: Callable[[Fairness], float | None], primary: Metric) -> Column:
    def value(row: Row) -> float | None:
        return None if row.fairness is None else of(row.fairness)

    return Column(title, value, lambda row: measured(value(row) or 0.0, primary.percent))


def order(value: float | None) -> str:
    """What a number is sorted by."""
    return "" if value is None else str(value) if isinstance(value, int) else decimal(value, 6)
