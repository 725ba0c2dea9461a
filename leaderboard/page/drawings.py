"""The figures that the page embeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from benchmark.errors import BenchError
from benchmark.sufficient import CONFUSION_COUNTS
from leaderboard.figures import (
    confusion,
    critical_difference,
    layer_weights,
    pareto,
    recalls,
    speakers,
    svg,
)
from leaderboard.overview import counts
from leaderboard.page.contents import Drawing, Figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.records.cells import Cell
    from leaderboard.overview import Track
    from leaderboard.rows import Section

FEW, MANY = 4, 12  # systems of a task whose details are drawn, and whose speakers are


def _confusion_of_best(cells: Sequence[Cell]) -> Figure:
    return confusion(cells[0])


# What is drawn of what the records of a kind of tasks hold; nothing of moments, which show little without predictions.
DETAILS: dict[str, tuple[Callable[[Sequence[Cell]], Figure], ...]] = {
    CONFUSION_COUNTS.kind: (recalls, _confusion_of_best)
}


def draw(sections: Sequence[Section], tracks: Sequence[Track]) -> Figures:
    """Draw what there is to be drawn; what cannot be drawn is said in the notes.

    Args:
        sections: The tasks of the board.
        tracks: Systems over tasks; those with enough of both have a diagram.
    """
    scored = [section for section in sections if section.analysis.cells]
    notes: dict[str, None] = {}

    def drawn(figures: Sequence[Callable[[], Figure]], name: str) -> tuple[str, ...]:
        made = []
        for figure in figures:
            try:
                made.append(svg(figure(), name=name))
            except BenchError as error:  # something is not installed, or records say what cannot be drawn
                notes[f"Not drawn: {error}"] = None
        return tuple(made)

    board = []
    for track in tracks:
        if track.across is not None:
            diagram = drawn([partial(critical_difference, track.across, track=track.name)], track.name)
            board += [Drawing(one) for one in diagram]
    for section in [one for one in scored if counts(one.task)] or scored:
        board += [Drawing(one, section.task.name) for one in drawn([partial(pareto, [section])], section.task.name)]
    of_tasks = {section.task.name: drawn(_of_task(section), section.task.name) for section in scored}
    return Figures(tuple(board), of_tasks, tuple(notes))


def _of_task(section: Section) -> list[Callable[[], Figure]]:
    """Recalls and confusions of a task of classes, the spread of its speakers, and the layers that heads read."""
    every = [place.row.cell for group in section.groups for place in group.places if place.row.scores]
    cells = every[:FEW]
    figures: list[Callable[[], Figure]] = [partial(draw, cells) for draw in DETAILS.get(section.task.kind, ())]
    if all(cell.cluster == "speaker" for cell in cells):
        figures.append(lambda: speakers(every[:MANY]))
    weighted = [cell for cell in cells if _learns_weights(cell)]
    if weighted:
        figures.append(lambda: layer_weights(weighted))
    return figures


def _learns_weights(cell: Cell) -> bool:
    selections = [record.selection for record in cell.records.values()]
    return cell.upstream.layers != 1 and all(one is not None and one.layer_weights is not None for one in selections)
