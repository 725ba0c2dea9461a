"""A published table line by line: its values, ours with their intervals, and what became of its cell here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.metrics import METRICS
from benchmark.protocol.references import Figure, Reference
from benchmark.records.cells import Cell
from benchmark.records.parts import of_dimension
from benchmark.statistics import cell_interval, cell_scores

LineState = Literal["done", "incomplete", "not run", "not pre-trained", "no head", "no cell"]


@dataclass(frozen=True)
class Value:
    """One published number beside ours.

    Attributes:
        metric: As a table heads it: "UAR", "CCC arousal".
        published: In percent where the metric is a percentage, as the source prints it.
        sd: Its standard deviation over seeds or runs, where the source gives it.
        places: Decimals that the source prints.
        ours: The mean over seeds, in the same unit; None where it was not run.
        low: Lower end of its 95 % interval for new speakers and seeds; None where there is none.
        high: Upper end.
    """

    metric: str
    published: float
    sd: float | None
    places: int
    ours: float | None
    low: float | None
    high: float | None

    @property
    def difference(self) -> float | None:
        """Ours less what was published."""
        return None if self.ours is None else self.ours - self.published

    @property
    def inside(self) -> bool | None:
        """Whether what was published lies in our interval; None where there is none."""
        return None if self.low is None or self.high is None else self.low <= self.published <= self.high


@dataclass(frozen=True)
class Line:
    """One row of a published table.

    Attributes:
        reference: What was published.
        state: "done"; "incomplete" or "not run": what `--run` does; "not pre-trained": its model must be made first;
            "no head": the head that it names is not registered; "no cell": other people's system, see `reason`.
        reason: Why it is not done; empty where it is.
        values: One for each number of the row.
    """

    reference: Reference
    state: LineState
    reason: str
    values: tuple[Value, ...]


def name_of(source: str) -> str:
    """How a source is named on the command line: "Pepino 2021" is "pepino-2021"."""
    return "-".join(source.lower().split())


def lines_of(references: Iterable[Reference], cells: Iterable[Cell], heads: Collection[str]) -> list[Line]:
    """Published rows beside what there is of their cells.

    Args:
        references: The rows.
        cells: Of any records.
        heads: Names of the downstreams that are registered.
    """
    known = {(cell.task.name, cell.upstream.name, cell.downstream.name): cell for cell in cells}
    return [_line(reference, known, heads) for reference in references]


def counted(lines: Sequence[Line], state: LineState) -> int:
    """How many lines are in a state."""
    return sum(line.state == state for line in lines)


def _line(reference: Reference, cells: Mapping[tuple[str, str, str], Cell], heads: Collection[str]) -> Line:
    state, reason, cell = _state(reference, cells, heads)
    return Line(reference, state, reason, tuple(_value(figure, cell) for figure in reference.figures))


def _state(
    reference: Reference, cells: Mapping[tuple[str, str, str], Cell], heads: Collection[str]
) -> tuple[LineState, str, Cell | None]:
    if reference.cell is None:
        return "no cell", reference.why, None
    cell = cells.get((reference.runs_on, *reference.cell))
    if cell is not None and cell.complete:
        return "done", "", cell
    if reference.cell[1] not in heads:
        return "no head", f"no head is registered as {reference.cell[1]!r}", None
    if cell is not None:
        return "incomplete", f"{len(cell.completed)} of {len(cell.units)} units", None
    if reference.recipes:
        made = "; ".join(f"bench pretrain --recipe {one} --out {one}" for one in reference.recipes)
        return "not pre-trained", made, None
    return "not run", "no records", None


def _value(figure: Figure, cell: Cell | None) -> Value:
    ours = low = high = None
    if cell is not None and (figure.dimension is None or figure.dimension in cell.task.outputs):
        part = cell if figure.dimension is None else of_dimension(cell, figure.dimension)
        factor = 100 if METRICS[figure.metric].percent else 1
        ours = factor * cell_scores(part, figure.metric).mean
        ends = cell_interval(part, figure.metric)
        low, high = (None, None) if ends is None else (factor * ends.low, factor * ends.high)
    return Value(figure.title, figure.value, figure.sd, figure.places, ours, low, high)
