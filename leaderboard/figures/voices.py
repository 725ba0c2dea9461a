"""How scores differ between speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.records.cells import Cell
from benchmark.statistics import cell_scores
from benchmark.text import clean, count, measured, some
from leaderboard.chance import chance_level
from leaderboard.figures.canvas import BLUE, GREEN, GREY, INK, VERMILION, blank, drawn, name_rows, shown, tip
from leaderboard.figures.marks import Look, area_of, key_below, mark
from leaderboard.figures.parts import of_one_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = {"female": ("o", VERMILION), "male": ("s", BLUE)}
OTHER, UNKNOWN = ("D", GREEN), ("o", GREY)
PANELS = 3  # systems with a panel each
MAX_SYSTEMS, SYSTEM = 36, 0.22  # systems that fit a page as lines, and inches of each
MAX_NAMES = 60  # more do not fit below the axis
DIGEST = 6  # letters of a hidden name
# Of one speaker another metric is shown where the primary one counts classes that a speaker does not have.
INSTEAD = {"macro_f1": "uar", "weighted_f1": "uar"}
DIMENSIONS = " within the speaker, mean over dimensions"
OVER = {"uar": " over the classes that the speaker has", "ccc": DIMENSIONS, "pearson": DIMENSIONS, "rmse": DIMENSIONS}
AREA = (8.0, 90.0)  # of a marker, in square points: of few utterances, and of the most


def scores_of_speakers(cell: Cell) -> tuple[Metric, NDArray[np.float64], NDArray[np.float64]]:
    """What each speaker alone would give.

    Classes: the UAR over the classes that the speaker has (the recall where it is one), or the WA where the task ranks
    by it. F1 is no choice: it counts classes that a speaker does not have. Dimensions: the primary metric.

    Args:
        cell: A complete cell.

    Returns:
        The metric; (S,) scores, of all folds together and the mean over seeds; (S,) test utterances, of one seed.
    """
    statistics, primary = cell.statistics().sum(axis=1), cell.task.metrics[0]
    metric = find(INSTEAD.get(primary, primary))
    total = cell.task.statistics.utterances(statistics[0])
    return metric, metric.compute(statistics).mean(axis=0), total


@drawn
def speakers(cells: Sequence[Cell]) -> Figure:
    """Each speaker's own score: one panel for each of a few systems, else a line of dots for each.

    Speakers stand in the same order in all panels: by the mean of their scores. A figure fits a page: of more systems
    than that, the first are drawn.

    Args:
        cells: Complete cells of one task.

    Raises:
        BenchError: They are not, or the corpus knows no speakers.
    """
    of_one_task(cells)
    task, everybody = cells[0].task, cells[0].speakers
    if cells[0].cluster == "utterance":
        raise BenchError(f"{task.name} has no speakers", "its corpus does not say who speaks")
    if any(cell.speakers != everybody for cell in cells):
        raise BenchError(
            f"the systems were not tested on the same speakers of {task.name}", "bench run makes them anew"
        )
    if len(cells) > PANELS:
        return _lines(cells)
    found = [scores_of_speakers(cell) for cell in cells]
    metric, sizes = found[0][0], found[0][2]
    order = np.argsort(_mean(found), kind="stable")
    names, gender = [everybody[place] for place in order], _gender(cells)
    named = len(everybody) <= MAX_NAMES
    title = shown(cells[0].name) if len(cells) == 1 else count(len(cells), "system")
    figure = blank(
        (0.9 if named else 0.45) + (2.0 if len(cells) == 1 else 1.25) * len(cells),
        f"{title} on {shown(task.name)}: each speaker's own score",
        *_notes(cells[0], metric, sizes, "Area: test utterances, {each} a speaker."),
    )
    panels = figure.subplots(len(cells), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    factor = 100 if metric.percent else 1
    for axes, cell, (_, values, _) in zip(panels, cells, found, strict=True):
        for place, speaker in enumerate(order):
            area = min(1.0, 50 / len(names)) * area_of(sizes[speaker], sizes.max(), AREA)
            _speaker(axes, (place, values[speaker]), area, metric, names[place], gender)
        axes.axhline(factor * cell_scores(cell, metric.name).mean, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        _guessing(axes.axhline, cell, metric)
        if len(cells) > 1:
            axes.set_title(shown(cell.name), loc="left", pad=2)
        axes.set_ylabel(f"{metric.title}{' in %' if metric.percent else ''}")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
    panels[-1].set_xlim(-0.8, len(names) - 0.2)
    panels[-1].set_xticks(
        range(len(names)) if named else [],
        labels=[label_of(cells[0], name) for name in names] if named else [],
        rotation=90,
        fontsize=7,
    )
    if not named:
        panels[-1].set_xlabel(f"{count(len(names), 'speaker')}, from the lowest score to the highest")
    if metric.percent:
        panels[-1].set_ylim(-4, 104)
    _legend(figure, [gender.get(name) for name in names])
    return figure


def _lines(cells: Sequence[Cell]) -> Figure:
    """A line of dots for each system, one dot a speaker: how far speakers lie apart, system by system."""
    drawn_cells = cells[:MAX_SYSTEMS]
    found = [scores_of_speakers(cell) for cell in drawn_cells]
    metric, sizes = found[0][0], found[0][2]
    gender = _gender(drawn_cells)
    more = f"; the best {len(drawn_cells)} of {count(len(cells), 'system')}" if len(cells) > len(drawn_cells) else ""
    figure = blank(
        0.75 + SYSTEM * len(drawn_cells),
        f"{count(len(cells), 'system')} on {shown(cells[0].task.name)}: each speaker's own score{more}",
        *_notes(cells[0], metric, sizes, "Bar: the speaker in the middle."),
    )
    axes, factor = figure.add_subplot(), 100 if metric.percent else 1
    for row, (cell, (_, values, _)) in enumerate(zip(drawn_cells, found, strict=True)):
        for kind in sorted({gender.get(name, "") for name in cell.speakers}):
            marker, colour = _mark(kind or None)
            own = [value for name, value in zip(cell.speakers, values, strict=True) if gender.get(name, "") == kind]
            axes.plot(
                factor * np.array(own), [row] * len(own), marker=marker, color=colour, linestyle="", markersize=4,
                alpha=0.55, markeredgewidth=0, gid=tip("", cell.name),
            )  # fmt: skip
        middle = factor * float(np.median(values))
        text = f"{cell.name}: {measured(middle / factor, metric.percent)}, the speaker in the middle"
        axes.plot([middle, middle], [row - 0.32, row + 0.32], color=INK, linewidth=1.6, gid=tip(text, cell.name))
    name_rows(axes, [shown(cell.name, 34) for cell in drawn_cells])
    _guessing(axes.axvline, cells[0], metric)
    axes.set_xlabel(f"{metric.title} of a speaker{' in %' if metric.percent else ''}")
    if metric.percent:
        axes.set_xlim(-3, 103)
    _legend(figure, [gender.get(name) for name in cells[0].speakers])
    return figure


def _guessing(line: Callable[..., object], cell: Cell, metric: Metric) -> None:
    """A dotted line where guessing would be, where that is known."""
    level = chance_level(cell.task, metric.name)
    if level is not None:
        line((100 if metric.percent else 1) * level, color=GREY, linewidth=0.9, linestyle=":")


def _mean(found: Sequence[tuple[Metric, NDArray[np.float64], NDArray[np.float64]]]) -> NDArray[np.float64]:
    """The mean over systems of each speaker's score, without rounding noise, which would decide between equals."""
    return np.asarray(np.round(np.mean([scores for _, scores, _ in found], axis=0), 9))


def _speaker(
    axes: Axes, place: tuple[int, float], area: float, metric: Metric, name: str, gender: dict[str, str]
) -> None:
    factor = 100 if metric.percent else 1
    told = f"{name}: {measured(place[1], metric.percent)}"
    mark(axes, (place[0], factor * place[1]), area, _mark(gender.get(name)), told)


def _gender(cells: Sequence[Cell]) -> dict[str, str]:
    return {name: gender for cell in cells for name, gender in cell.gender.items()}


def _mark(gender: str | None) -> Look:
    return UNKNOWN if gender is None else MARKS.get(gender, OTHER)


def _notes(cell: Cell, metric: Metric, sizes: NDArray[np.float64], marks: str) -> list[str]:
    """What is shown, and who has not all classes; `marks` says what marks are, with a place for the utterances."""
    few, many = f"{sizes.min():.0f}", f"{sizes.max():.0f}"
    each = few if few == many else f"{few} to {many}"
    system = "" if "Bar" in marks else f" Dashed: {metric.title} of the system."
    guessing = "" if chance_level(cell.task, metric.name) is None else " Dotted: guessing."
    lines = f"mean over seeds.{system}{guessing} {marks.format(each=each)}"
    has = np.all(cell.task.statistics.sizes(cell.statistics()[0].sum(axis=0)) > 0, axis=-1).tolist()
    notes, classes = [f"{metric.title}{OVER.get(metric.name, '')}; {lines}"], f"all {len(cell.task.outputs)} classes"
    whole, partial = (
        [name for name, own in zip(cell.speakers, has, strict=True) if own == yes] for yes in (True, False)
    )
    if not whole:
        notes.append(f"No speaker has {classes}.")
    elif len(whole) < len(partial):
        notes.append(f"Only these speakers have {classes}: {some([label_of(cell, name) for name in whole], 12)}.")
    elif partial:
        notes.append(f"Without {classes}: {some([label_of(cell, name) for name in partial], 12)}.")
    return notes


def label_of(cell: Cell, name: str) -> str:
    """The name of a speaker; the beginning of its digest where names are hidden."""
    hidden = next(iter(cell.records.values())).clusters.salted
    return name[:DIGEST] if hidden else shown(name, 12)


def _legend(figure: Figure, genders: Sequence[str | None]) -> None:
    """What marks mean, where the corpus knows any gender."""
    if not any(genders):
        return
    kinds = sorted({one or "" for one in genders})
    looks = [(_mark(one or None), shown(clean(one), 16) if one else "gender not known") for one in kinds]
    key_below(figure, looks, joined=False)
