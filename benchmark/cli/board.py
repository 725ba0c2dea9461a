"""`bench leaderboard`, `bench compare` and `bench publish`: from records alone, without audio, torch or corpus."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.options import Json, Results, examples
from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import BenchError, MissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from benchmark.cells import Cell
    from benchmark.records import Record

LEADERBOARD_EPILOG = examples(
    "bench leaderboard",
    "bench leaderboard --published",
    "bench leaderboard --results leaderboard/results --out leaderboard",
)
COMPARE_EPILOG = examples("bench compare logmel mfcc --task demo", "bench compare egemaps+svm mfcc+superb --task demo")
PUBLISH_EPILOG = examples("bench publish --task demo", "bench publish --task demo --upstream logmel --out published")

# The spoke that renders, and the folder of published results in it; named only as strings.
RENDERER = "leaderboard.render"
PUBLISHED = ("leaderboard", "results")
DIFF_LINES = 40


def leaderboard(
    results: Annotated[
        list[Path] | None,
        typer.Option("--results", metavar="DIR", help="Folder of records; may be repeated, the first one wins."),
    ] = None,
    published: Annotated[bool, typer.Option("--published", help="Also the results published with serbench.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; beside the records where not given.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where the files in --out differ.")
    ] = False,
    references: Annotated[
        bool,
        typer.Option(
            "--references/--no-references", help="Below the table of a task, what was published elsewhere; not ranked."
        ),
    ] = True,
) -> None:
    """Make LEADERBOARD.md and leaderboard.csv from the records, and print the tables."""
    from benchmark.references import read_references
    from benchmark.settings import load_settings

    folders = _folders(results, published)
    folder = out or (results or [load_settings().results])[0] / "leaderboard"
    sources = [_records(path) for path in folders]
    renderer = importlib.import_module(RENDERER)
    made = renderer.board(*sources, references=read_references() if references else ())
    files: dict[str, bytes] = renderer.files(made)
    if check:
        _check(folder, files)
        return
    _print_board(made)
    from benchmark.files import write_atomically

    for name, content in files.items():
        write_atomically(folder / name, content)
        stdout().print(f"written: {folder / name}", markup=False, soft_wrap=True)


def _folders(given: list[Path] | None, published: bool) -> list[Path]:
    """The folders of records that are asked for; before the first run there may be only the published one."""
    from benchmark.registry import package_folder
    from benchmark.settings import load_settings

    folders = given or [load_settings().results]
    if not published:
        return folders
    own = folders if given or folders[0].is_dir() else []
    return [*own, package_folder(PUBLISHED[0]) / PUBLISHED[1]]


def _records(folder: Path) -> list[Record]:
    from benchmark.records import RecordStore

    if not folder.is_dir():
        raise MissingError(
            f"there are no records in {folder}", "bench run makes some; or give their folder by --results"
        )
    return list(RecordStore(folder))


def _check(folder: Path, files: dict[str, bytes]) -> None:
    differing = []
    for name, content in files.items():
        path = folder / name
        present = path.read_bytes() if path.is_file() else b""
        if present != content:
            differing.append(name)
            before, after = (text.decode(errors="replace").splitlines() for text in (present, content))
            diff = difflib.unified_diff(
                before, after, f"{name} (as it is)", f"{name} (from the records)", lineterm="", n=0
            )
            sys.stdout.write("\n".join(list(diff)[:DIFF_LINES]) + "\n")
    if differing:
        raise BenchError(f"{', '.join(differing)} in {folder} differ from the records", "run it without --check")
    stdout().print(f"{', '.join(files)} in {folder} are those of the records", markup=False)


def _print_board(board: Any) -> None:
    console = stdout()

    def show(title: str, table: Any) -> None:
        right = [name for name, numeric in zip(table.header, table.numeric, strict=True) if numeric]
        print_table(title, table.header, table.rows, right=right)

    if len(board.tasks) > 1:
        show("overview", board.overview)
        console.print()
    for task in board.tasks:
        show(task.heading, task.table)
        for line in (task.caption, *task.notes):
            console.print(line, markup=False, style="dim")
        console.print()
        if task.references:
            show(f"{task.heading}: published elsewhere, not ranked", task.references.table)
            for line in (*task.references.footnotes, *task.references.sources):
                console.print(line, markup=False, style="dim")
            console.print()
    for line in (*board.notes, *board.legend):
        console.print(line, markup=False, style="dim")


def compare(
    a: Annotated[str, typer.Argument(help="UPSTREAM, or UPSTREAM+DOWNSTREAM.")],
    b: Annotated[str, typer.Argument(help="The system to compare it with.")],
    task: Annotated[list[str], typer.Option("--task", "-t", help="Task; may be repeated.")],
    metric: Annotated[str | None, typer.Option("--metric", help="The task's primary one where not given.")] = None,
    as_json: Json = False,
    results: Results = None,
    published: Annotated[bool, typer.Option("--published", help="Also the results published with serbench.")] = False,
) -> None:
    """Compare two systems: their difference with its interval, resampling the same speakers for both."""
    from dataclasses import asdict

    from benchmark.cells import group
    from benchmark.metrics import find
    from benchmark.statistics import compare as compare_cells
    from benchmark.text import interval, measured

    cells = group(*(_records(folder) for folder in _folders([results] if results else None, published))).cells
    found = []
    for name in task:
        of_task = [cell for cell in cells if cell.task.name == name]
        if not of_task:
            raise UsageError(f"there are no records of the task {name!r}", "bench leaderboard shows what there is")
        first = _named(a, of_task)
        found.append(compare_cells(first, _named(b, of_task), metric or first.task.metrics[0]))
    if as_json:
        print_json([asdict(comparison) for comparison in found])
        return
    synthetic = {cell.task.name for cell in cells if cell.task.corpus.synthetic}
    columns = ["task", "metric", "difference", "95 % interval", "resampled", ""]
    rows = []
    for one in found:
        known = find(one.metric)
        ends, verdict = "", "no interval: a single speaker"
        if one.low is not None and one.high is not None:
            ends = interval(one.low, one.high, known.percent)
            verdict = "contains 0" if one.low <= 0 <= one.high else "does not contain 0"
        unit = f"{one.n_units} {one.unit}s, seeds"
        task_text = f"{one.task} (synthetic)" if one.task in synthetic else one.task
        rows.append([task_text, known.title, measured(one.delta, known.percent), ends, unit, verdict])
    print_table(f"{found[0].a} minus {found[0].b}", columns, rows, right=["difference", "95 % interval"])


def _named(name: str, cells: Sequence[Cell]) -> Cell:
    def plain(text: str) -> str:
        return text.replace(" ", "")

    exact = [cell for cell in cells if plain(cell.name) == plain(name)]
    fitting = exact or [cell for cell in cells if cell.upstream.name == name]
    known = ", ".join(sorted(plain(cell.name) for cell in (fitting or cells)))
    if len(fitting) > 1:
        raise UsageError(f"{name!r} is {len(fitting)} systems on {cells[0].task.name}", f"say which: {known}")
    if not fitting:
        raise UsageError(f"there is no system {name!r} on {cells[0].task.name}", f"there are {known}")
    return fitting[0]


def publish(
    task: Annotated[str, typer.Option("--task", "-t", help="Task.")],
    upstream: Annotated[list[str] | None, typer.Option("--upstream", "-u", help="Only these.")] = None,
    downstream: Annotated[list[str] | None, typer.Option("--downstream", "-d", help="Only these.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of published results.")] = Path(
        "leaderboard/results"
    ),
    results: Results = None,
) -> None:
    """Pack the records of complete cells, one file each, to be committed; predictions stay where they are."""
    from benchmark.cells import group
    from benchmark.files import safe_name, write_atomically
    from benchmark.records import pack
    from benchmark.settings import load_settings

    cells = [
        cell
        for cell in group(_records(results or load_settings().results)).cells
        if cell.task.name == task
        and cell.upstream.name in (upstream or [cell.upstream.name])
        and cell.downstream.name in (downstream or [cell.downstream.name])
    ]
    if not cells:
        raise UsageError(f"there are no such records of the task {task!r}", "bench leaderboard shows what there is")
    incomplete = [f"{cell.name} ({len(cell.completed)}/{len(cell.units)} units)" for cell in cells if not cell.complete]
    if incomplete:
        raise BenchError(f"incomplete on {task}: {', '.join(incomplete)}", "bench run completes them")
    for cell in cells:
        path = out / safe_name(task) / f"{safe_name(cell.upstream.name)}--{safe_name(cell.downstream.name)}.json"
        write_atomically(path, pack([cell.records[unit] for unit in cell.units]))
        stdout().print(f"written: {path}", markup=False, soft_wrap=True)
