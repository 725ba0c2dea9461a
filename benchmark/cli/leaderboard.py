"""`bench leaderboard`: from records alone, without audio, torch or corpus."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.folders import ReadFolders, read_records, record_folders
from benchmark.cli.options import Published, ResultFolders, examples
from benchmark.cli.terminal import fitted, print_table, stdout
from benchmark.errors import BenchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


LEADERBOARD_EPILOG = examples(
    "bench leaderboard",
    "bench leaderboard --published",
    "bench leaderboard --page --out my-board",
    "bench leaderboard --results leaderboard/results --out leaderboard --check",
    "bench leaderboard --results leaderboard/results --since ../before/leaderboard/results",
)

# The spoke that renders, named only as strings.
RENDERER = "leaderboard.render"
KEPT = "leaderboard.kept_tasks"
PAGE = "leaderboard.page"
CHANGES = "leaderboard.changes"
DIFF_LINES = 40


def leaderboard(
    results: ResultFolders = None,
    published: Published = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; beside the records where not given.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 where a file differs.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Also site/index.html: sortable, with figures.")] = False,
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar="DIR", help="Print only what changed against these records, as Markdown."),
    ] = None,
    references: Annotated[
        bool,
        typer.Option(
            "--references/--no-references", help="Below the table of a task, what was published elsewhere; not ranked."
        ),
    ] = True,
) -> None:
    """Make LEADERBOARD.md and leaderboard.csv from the records. The tables are printed, too."""
    from benchmark.io.files import check_writable, write_atomically
    from benchmark.io.settings import load_settings
    from benchmark.protocol.references import read_references

    if since is not None and (check or page):
        raise UsageError("--since prints what changed and writes nothing", "leave --check and --page out")
    folder = out or (results or [load_settings().results])[0] / "leaderboard"
    if not check and since is None:
        check_writable(folder, "--out DIR names another folder")
    renderer = importlib.import_module(RENDERER)
    folders, elsewhere = record_folders(results, published), read_references() if references else ()
    sources = ReadFolders(records=(), problems=0, left_out=())
    made = None
    if not (published or page or since):
        made = importlib.import_module(KEPT).kept_board(folders, load_settings().cache, elsewhere)
    if made is None:
        sources = read_records(folders)
        if published:
            sources = sources.beside_published(every=True)
        made = renderer.board(
            *sources.records, references=elsewhere, published=sources.records[-1] if published else ()
        )
    if since is not None:
        earlier = read_records([since])
        sys.stdout.write(importlib.import_module(CHANGES).changes(renderer.board(*earlier.records), made))
        earlier.fail_if_doubtful()
        sources.fail_if_doubtful()
        return
    files: dict[str, bytes] = renderer.files(made)
    if page:
        files["site/index.html"] = importlib.import_module(PAGE).page(made)
    if check:
        _check(folder, files)
        sources.fail_if_doubtful()
        return
    for name, content in files.items():  # before the tables, which may be read by somebody who stops early
        write_atomically(folder / name, content)
    _print_board(made)
    for name in files:
        stdout().print(f"written: {folder / name}", markup=False, soft_wrap=True)
    sources.fail_if_doubtful()


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

    def show(title: str, table: Any, keys: Sequence[str] = ("upstream", "downstream")) -> None:
        right = [name for name, numeric in zip(table.header, table.numeric, strict=True) if numeric]
        print_table(title, table.header, table.rows, right, keys)

    def dim(lines: Sequence[str]) -> None:
        for line in lines:
            console.print(line, markup=False, style="dim")
        console.print()

    if len(board.tasks) > 1:
        for track in board.overviews:
            show(f"overview: {track.name}", track.overview)
            wins, told = track.wins, f"{track.name}: on how many corpora the row is better than the column"
            notes = list(track.notes)
            if wins and len(fitted(wins.header, wins.rows, wins.header[:1], console.width)) > 1:
                notes.append(f"{told}: too wide for this terminal; it stands in the files")
            elif wins:
                console.print()
                show(told, wins, wins.header[:1])
            dim(notes)
    for task in board.tasks:
        for group in task.tables:
            show(f"{task.heading}: {group.name}", group.ranking)
            console.print()
        dim((task.caption, *task.notes))
        if task.references:
            show(f"{task.heading}: published elsewhere, not ranked", task.references.table)
            dim((*task.references.footnotes, *task.references.sources))
    dim((*board.notes, *board.legend, "Other metrics and columns stand in the files."))
