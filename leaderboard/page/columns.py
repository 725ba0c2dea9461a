"""Columns of numbers in the tables of systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmark.metrics import METRICS, Metric, find
from benchmark.records import TaskPart
from benchmark.records.parts import MEASURES
from benchmark.statistics.fairness import Fairness
from benchmark.text import NONE, decimal, human, measured, with_spread
from leaderboard.calibration import Believed
from leaderboard.hours import duration, took
from leaderboard.rows import Row, encode_s_per_hour

# What columns are about; a reader may choose one of these.
SCORES, PEOPLE, COST, PROBABILITIES = ("scores", "people", "cost", "probabilities")
RANKS = "ranks"  # what the tests say of a place, and flags: of every table
KINDS = (RANKS, SCORES, PEOPLE, COST, PROBABILITIES)

UNBROKEN = "\N{NO-BREAK SPACE}"  # in a title that may stand in two lines


@dataclass(frozen=True)
class Shown:
    """A cell of a table: its text, and what it is sorted by where that is not the text."""

    text: str
    order: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
        title: What stands above it.
        value: The value of a row; None where it has none.
        text: How that is written.
        kind: One of `KINDS`.
        ascending: Whether the lowest is most often wanted first.
    """

    title: str
    value: Callable[[Row], float | None]
    text: Callable[[Row], str]
    kind: str
    ascending: bool = False

    def entry(self, row: Row) -> Shown:
        """A row's cell of the column."""
        value = self.value(row)
        return Shown(NONE, "") if value is None else Shown(self.text(row), order(value))


def number_columns(task: TaskPart) -> list[Column]:
    """All columns of numbers but that of the primary metric."""
    primary, *others = (find(name) for name in task.metrics)
    return [
        *(score_column(metric) for metric in others),
        _people_column("gender gap", lambda people: people.gap, primary),
        _people_column("worst speaker", lambda people: people.worst, primary),
        Column(
            "parameters",
            lambda row: row.cell.upstream.parameters,
            lambda row: human(row.cell.upstream.parameters),
            COST,
        ),
        Column(
            "encoding, s/h",
            lambda row: encode_s_per_hour(row.cell),
            lambda row: f"{encode_s_per_hour(row.cell) or 0:.3g}",
            COST,
        ),
        Column(
            "computing", lambda row: took(row.cell).total_s, lambda row: duration(took(row.cell).total_s or 0.0), COST
        ),
        *(_believed_column(METRICS[name], after=after) for after in (False, True) for name in MEASURES),
        Column("temperature", _temperature, lambda row: decimal(_temperature(row) or 0.0, 2), PROBABILITIES),
    ]


def score_column(metric: Metric) -> Column:
    """The column of a metric."""

    def value(row: Row) -> float | None:
        scores = row.scores.get(metric.name)
        return None if scores is None else scores.mean

    def text(row: Row) -> str:
        return with_spread(row.scores[metric.name].mean, row.scores[metric.name].sd, metric.percent)

    return Column(metric.title, value, text, SCORES)


def _people_column(title: str, of: Callable[[Fairness], float | None], primary: Metric) -> Column:
    def value(row: Row) -> float | None:
        return None if row.fairness is None else of(row.fairness)

    return Column(title, value, lambda row: measured(value(row) or 0.0, primary.percent), PEOPLE)


def _believed_column(metric: Metric, *, after: bool) -> Column:
    """How far probabilities can be believed by one measure, before the temperature or after it."""

    def value(row: Row) -> float | None:
        found: Believed | None = None
        if row.calibrated is not None:
            found = row.calibrated.after if after else row.calibrated.before
        return None if found is None else found.scores[metric.name].mean

    name = metric.title.replace(" ", UNBROKEN)
    title = f"{name} after" if after else name
    return Column(title, value, lambda row: measured(value(row) or 0.0, metric.percent), PROBABILITIES, ascending=True)


def _temperature(row: Row) -> float | None:
    return None if row.calibrated is None else row.calibrated.temperature


def order(value: float | None) -> str:
    """What a number is sorted by."""
    return "" if value is None else str(value) if isinstance(value, int) else decimal(value, 6)
