"""`bench plot`: figures of systems, tasks and the whole board, from records alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import OnlyDownstreams, OnlyUpstreams, Published, RecordedTasks, ResultFolders, examples
from benchmark.cli.systems import no_records, of_names, refuse_superseded
from benchmark.cli.terminal import TerminalProgress, stdout
from benchmark.errors import BenchError, MissingError, UsageError

if TYPE_CHECKING:
    from benchmark.records.cells import Cell

PLOT_EPILOG = examples(
    "bench plot confusion --published --task urdu --upstream whisper-tiny --downstream superb",
    "bench plot recalls --published --task urdu --out recalls.png",
    "bench plot reliability --published --task urdu",
    "bench plot pareto --published",
    "bench plot all --published --out figures",
)

# The spoke that draws, and what it takes from its neighbours; named only as strings.
FIGURES, ROWS, OVERVIEW = "leaderboard.figures", "leaderboard.rows", "leaderboard.overview"
FORMATS = (".svg", ".png")
FOLDER = Path("figures")

# A file name without its suffix, and what draws.
Drawing = tuple[str, Callable[[], Any]]


class Kind(str, Enum):
    """What can be drawn."""

    CONFUSION = "confusion"
    RECALLS = "recalls"
    LAYERS = "layers"
    RELIABILITY = "reliability"
    SPEAKERS = "speakers"
    DIMENSIONS = "dimensions"
    INTERVALS = "intervals"
    HEAT_MAP = "heat-map"
    PARETO = "pareto"
    CRITICAL_DIFFERENCE = "critical-difference"
    ALL = "all"


OF_BOARD = (Kind.HEAT_MAP, Kind.PARETO, Kind.CRITICAL_DIFFERENCE)
OF_SYSTEMS = (Kind.CONFUSION, Kind.RECALLS, Kind.RELIABILITY, Kind.LAYERS, Kind.SPEAKERS, Kind.DIMENSIONS)

NEEDS = {
    Kind.CONFUSION: "classification",
    Kind.RECALLS: "classification",
    Kind.RELIABILITY: "classification",
    Kind.DIMENSIONS: "regression",
}


def plot(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND",
            help="Of one system: confusion, dimensions. Of some: recalls, reliability, layers, speakers. "
            "Of a task: intervals. Of tasks: heat-map, pareto, critical-difference. Or all.",
        ),
    ],
    task: RecordedTasks = None,
    upstream: OnlyUpstreams = None,
    downstream: OnlyDownstreams = None,
    results: ResultFolders = None,
    published: Published = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.svg|FILE.png|DIR", help="Where to write; here where not given."),
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="PNG where --out does not say it, not SVG.")] = False,
) -> None:
    """Draw figures as SVG or PNG. The same records give the same bytes."""
    from benchmark.records.grouping import group

    if kind not in (*OF_SYSTEMS, Kind.ALL) and (upstream or downstream):
        raise UsageError(f"{kind.value} shows all systems", "leave out --upstream and --downstream")
    if kind is Kind.CRITICAL_DIFFERENCE and task:
        raise UsageError(f"{kind.value} shows the tasks that all systems have", "leave out --task")
    folders = record_folders(results, published)
    sources = read_records(folders, task or ())
    if published:
        sources = sources.beside_published(every=False)
    grouping = group(*sources.records, published=sources.records[-1] if published else ())
    cells = _cells(grouping.cells, folders[0], task or [])
    chosen = {
        name: _chosen(name, of_task, upstream, downstream, grouping.superseded) for name, of_task in cells.items()
    }
    if kind is Kind.ALL:
        drawings = list(_everything(cells, chosen, folders, whole=not (task or upstream or downstream)))
    elif kind in OF_BOARD:
        drawings = list(_of_board(kind, cells))
    else:
        if len(cells) > 1 and not task:
            raise UsageError("which task?", f"--task with one of {', '.join(cells)}")
        drawings = [one for name in cells for one in _of_task(kind, cells[name], chosen[name], folders)]
    for path, draw in _placed(kind, drawings, out, ".png" if png else ".svg"):
        try:
            figure = draw()
        except BenchError as error:
            if kind is not Kind.ALL or isinstance(error, MissingError):
                raise
            _note(f"{path.stem} is left out: {error.message}")
        else:
            _write(path, figure)
    sources.fail_if_doubtful()


def _cells(shown: Sequence[Cell], folder: Path, tasks: Sequence[str]) -> dict[str, list[Cell]]:
    """The cells of each task that is asked for, in the order of the request, else by name."""
    found: dict[str, list[Cell]] = {}
    for cell in shown:
        found.setdefault(cell.task.name, []).append(cell)
    for name in tasks:
        if name not in found:
            raise no_records(name, found)
    if not found:
        raise UsageError(f"there are no records in {folder}", "bench run makes some; --published has others")
    return {name: found[name] for name in (dict.fromkeys(tasks) or sorted(found))}


def _chosen(
    task: str,
    cells: list[Cell],
    upstream: list[str] | None,
    downstream: list[str] | None,
    superseded: Sequence[Cell],
) -> list[Cell]:
    """The cells of the systems that are asked for."""
    found = of_names(cells, upstream, downstream)
    absent = [name for name in upstream or () if name not in {cell.upstream.name for cell in cells}]
    headless = [name for name in downstream or () if name not in {cell.downstream.name for cell in cells}]
    missing = absent + headless
    if missing or not found:
        refuse_superseded(of_names(superseded, absent or upstream, headless or downstream), cells)
        named = f"{', '.join(map(repr, missing))} " if missing else ""
        known = ", ".join(cell.name for cell in cells)
        raise UsageError(f"there is no system {named}on {task}", f"there are {known}")
    return found


def _everything(
    cells: dict[str, list[Cell]], chosen: dict[str, list[Cell]], folders: Sequence[Path], *, whole: bool
) -> Iterator[Drawing]:
    """All figures that suit the records; those of the whole board only where nothing was chosen."""
    for name, of_task in cells.items():
        suited = [kind for kind, needed in NEEDS.items() if needed == of_task[0].task.kind]
        if of_task[0].cluster == "speaker":
            suited.append(Kind.SPEAKERS)
        for kind in (*suited, Kind.LAYERS):
            try:
                yield from _of_task(kind, of_task, chosen[name], folders)
            except BenchError as error:
                _note(f"{kind.value} of {name} is left out: {error.message}")
        if any(cell.complete for cell in of_task):
            yield from _of_task(Kind.INTERVALS, of_task, of_task, folders)
    if whole:
        for kind in OF_BOARD:
            try:
                yield from _of_board(kind, cells)
            except BenchError as error:
                _note(f"{kind.value} is left out: {error.message}")


def _of_task(kind: Kind, cells: list[Cell], chosen: list[Cell], folders: Sequence[Path]) -> Iterator[Drawing]:
    """The figures of a kind on one task.

    Raises:
        BenchError: There is nothing to be drawn; the message says what is missing.
    """
    figures, task = importlib.import_module(FIGURES), cells[0].task.name
    if kind is Kind.INTERVALS:
        yield f"intervals-{task}", partial(_intervals, cells)
        return
    if kind in NEEDS and cells[0].task.kind != NEEDS[kind]:
        raise BenchError(
            f"no {kind.value} on {task}: it is a {cells[0].task.kind} task", f"{kind.value} needs a {NEEDS[kind]} task"
        )
    complete = _complete(task, chosen)
    if kind is Kind.CONFUSION:
        yield from ((f"confusion-{task}-{_file(cell)}", partial(figures.confusion, cell)) for cell in complete)
    elif kind is Kind.DIMENSIONS:
        yield from ((f"dimensions-{task}-{_file(cell)}", partial(_dimensions, cell, folders)) for cell in complete)
    elif kind is Kind.RELIABILITY:
        yield f"{kind.value}-{task}{_of_one(likely := _believed(complete))}", partial(figures.reliability, likely)
    elif kind is Kind.LAYERS:
        yield f"layers-{task}", partial(figures.layer_weights, _weighted(complete))
    else:
        draw = figures.recalls if kind is Kind.RECALLS else figures.speakers
        yield f"{kind.value}-{task}{_of_one(complete)}", partial(draw, complete)


def _of_board(kind: Kind, cells: dict[str, list[Cell]]) -> Iterator[Drawing]:
    """The figures of a kind over tasks.

    Raises:
        BenchError: There is nothing to be drawn.
    """
    figures, rows = importlib.import_module(FIGURES), importlib.import_module(ROWS)
    # Protocols of other benchmarks are beside no other task.
    sections = [rows.section(of_task) for of_task in cells.values() if of_task[0].task.bridge is None]
    if kind is Kind.CRITICAL_DIFFERENCE:
        tracks = [track for track in importlib.import_module(OVERVIEW).tracks(sections) if track.across is not None]
        if not tracks:
            figures.critical_difference(None)  # says what it needs
        for track in tracks:
            yield f"{kind.value}-{track.name}", partial(figures.critical_difference, track.across, track=track.name)
        return
    yield kind.value, partial(figures.heat_map if kind is Kind.HEAT_MAP else figures.pareto, sections)


def _intervals(cells: list[Cell]) -> Any:
    figures, rows = importlib.import_module(FIGURES), importlib.import_module(ROWS)
    return figures.intervals(rows.section(cells))


def _dimensions(cell: Cell, folders: Sequence[Path]) -> Any:
    """With the predictions of the first folder that has them."""
    figures = importlib.import_module(FIGURES)
    found = (figures.read_predictions(folder, cell) for folder in folders)
    return figures.predicted_true(cell, next((one for one in found if one is not None), None))


def _complete(task: str, cells: list[Cell]) -> list[Cell]:
    """The complete ones, the best first; the others are named."""
    from benchmark.metrics import find
    from benchmark.statistics import cell_scores

    metric = find(cells[0].task.metrics[0])
    complete = [cell for cell in cells if cell.complete]
    lacking = [f"{cell.name} ({len(cell.completed)}/{len(cell.units)} units)" for cell in cells if not cell.complete]
    if not complete:
        raise BenchError(f"incomplete on {task}: {', '.join(lacking)}", "bench run completes them")
    if lacking:
        _note(f"left out, because they are incomplete on {task}: {', '.join(lacking)}")
    sign = -1 if metric.higher_is_better else 1
    return sorted(complete, key=lambda cell: (sign * round(cell_scores(cell, metric.name).mean, 9), cell.name))


def _believed(cells: list[Cell]) -> list[Cell]:
    """The cells with sums of probabilities; the others are named, and refused where none has any."""
    figures = importlib.import_module(FIGURES)
    lacking = [cell for cell in cells if not figures.has_probabilities(cell)]
    names = ", ".join(cell.name for cell in lacking)
    if len(lacking) == len(cells):
        raise BenchError(f"no sums of probabilities on {cells[0].task.name}: {names}", "bench run makes records anew")
    if lacking:
        _note(f"left out, because their records have no sums of probabilities: {names}")
    return [cell for cell in cells if cell not in lacking]


def _weighted(cells: list[Cell]) -> list[Cell]:
    """The cells whose heads have layer weights; the others are named, and refused where none has any."""
    from benchmark.analyses import layer_weights

    found, reasons = [], []
    for cell in cells:
        try:
            layer_weights(cell)
        except BenchError as error:
            reasons.append(error.message)
        else:
            found.append(cell)
    if not found:
        raise BenchError("; ".join(reasons), "only heads that weight several layers have some")
    if reasons:
        _note("; ".join(reasons))
    return found


def _placed(kind: Kind, drawings: list[Drawing], out: Path | None, suffix: str) -> Iterator[tuple[Path, Any]]:
    """Where each figure goes.

    Raises:
        UsageError: `out` is a file of another format, or one file for several figures.
    """
    is_file = out is not None and out.suffix != "" and not out.is_dir()
    if out is not None and is_file:
        if out.suffix.lower() not in FORMATS:
            raise UsageError(f"--out {out} is neither SVG nor PNG", "its name ends in .svg or .png; or give a folder")
        if len(drawings) == 1 and kind is not Kind.ALL:
            yield out, drawings[0][1]
            return
    if is_file or (out is None and kind is not Kind.ALL and len(drawings) > 1):
        from benchmark.text import some

        raise UsageError(
            f"these are {len(drawings)} figures: {some([stem for stem, _ in drawings], 3)}",
            "choose by --task, --upstream and --downstream, or give a folder by --out",
        )
    from benchmark.io.files import safe_name

    folder = out or (FOLDER if kind is Kind.ALL else Path())
    for stem, draw in drawings:
        yield folder / f"{safe_name(stem)}{suffix}", draw


def _write(path: Path, figure: Any) -> None:
    from benchmark.io.files import write_atomically

    figures = importlib.import_module(FIGURES)
    is_png = path.suffix.lower() == ".png"
    write_atomically(path, figures.png(figure) if is_png else figures.svg(figure, alone=True).encode())
    stdout().print(f"written: {path}", markup=False, soft_wrap=True)


def _of_one(cells: list[Cell]) -> str:
    """What ends the name of a file that shows one system."""
    return f"-{_file(cells[0])}" if len(cells) == 1 else ""


def _file(cell: Cell) -> str:
    from benchmark.io.files import safe_name

    return f"{safe_name(cell.upstream.name)}--{safe_name(cell.downstream.name)}"


def _note(text: str) -> None:
    TerminalProgress().note(text)
