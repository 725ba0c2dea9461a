"""What an analysis leaves: numbers as JSON and CSV, a figure as SVG and PNG, and a table on stdout."""

from __future__ import annotations

import csv
import importlib
import io
import itertools
import math
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.terminal import print_json, print_table, stdout
from benchmark.errors import UsageError

if TYPE_CHECKING:
    from benchmark.analyses import Ratio

# The spoke that draws, named only as a string.
FIGURES = "leaderboard.figures.analyses"
CANVAS = "leaderboard.figures"
FOLDER = Path("analyses")
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder that numbers and figure are written into.")]
# What changes neither a number nor a figure.
ASIDE = ("out", "as_json")


@dataclass(frozen=True)
class Answer:
    """An analysis that is done.

    Attributes:
        stem: Name of its files, without a suffix.
        numbers: All of it, as plain values or what becomes some.
        columns: Headings of its table.
        rows: The table: numbers as they are, NaN and None where there is none.
        draw: Draws it, given the module with the figures and the command.
        remarks: Lines below the table on stdout.
        shown: Whether the table is on stdout too; one with a line for each utterance is not.
    """

    stem: str
    numbers: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    draw: Callable[[Any, str], Any]
    remarks: Sequence[str] = field(default_factory=tuple)
    shown: bool = True


def command_of(context: typer.Context) -> str:
    """The command that was given, without what changes neither a number nor a figure."""
    words = ["bench", "analyse", str(context.info_name)]
    for param in context.command.params:
        name = str(param.name)
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in ASIDE:
            continue
        value = context.params[name]
        flag = [] if param.param_type_name == "argument" else [param.opts[0]]
        if value is True:
            words += flag
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [*flag, str(getattr(one, "value", one))]
    return shlex.join(words)


def give(answer: Answer, context: typer.Context, out: Path, as_json: bool) -> None:
    """Write numbers, then the figure, and print the table, or all numbers as JSON.

    Raises:
        MissingError: matplotlib is not installed; the numbers are written then.
        UsageError: The folder is none.
    """
    from benchmark.io.files import safe_name, write_atomically

    command = command_of(context)
    numbers = plain({"command": command, **answer.numbers})
    stem = _stem(out, safe_name(answer.stem), command)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([["" if one is None else one for one in plain(list(row))] for row in answer.rows])
    import json

    written = []

    def write(suffix: str, content: bytes) -> None:
        path = out / f"{stem}{suffix}"
        write_atomically(path, content)
        written.append(path)

    write(".json", (json.dumps(numbers, indent=2, ensure_ascii=False) + "\n").encode())
    write(".csv", table.getvalue().encode())
    if as_json:
        print_json(numbers)
    else:
        if answer.shown:
            print_table("", answer.columns, [[text_of(one) for one in row] for row in answer.rows], answer.columns[1:])
        for line in answer.remarks:
            stdout().print(line, markup=False, style="dim", soft_wrap=True)
    canvas = importlib.import_module(CANVAS)
    figure = answer.draw(importlib.import_module(FIGURES), command)
    write(".svg", canvas.svg(figure, alone=True).encode())
    write(".png", canvas.png(figure))
    told = sys.stderr if as_json else sys.stdout
    told.writelines(f"written: {path}\n" for path in written)


def _stem(out: Path, stem: str, command: str) -> str:
    """Name of the files of a command: that of the analysis, with a number where another command has taken it.

    Raises:
        UsageError: The folder is none.
    """
    import json

    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder", "--out DIR")
    for number in itertools.count(1):
        found = stem if number == 1 else f"{stem}-{number}"
        path = out / f"{found}.json"
        if not path.exists():
            return found
        try:
            made_by = json.loads(path.read_text(encoding="utf-8"))["command"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if made_by == command:
            return found
    raise AssertionError("there is always a next number")


def plain(value: Any) -> Any:
    """A value as JSON can hold it: arrays as lists, NaN as None, dataclasses as objects."""
    import numpy as np

    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def text_of(value: Any) -> str:
    """A cell of a table for people."""
    from benchmark.text import NONE, decimal

    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if isinstance(value, float):
        if 0 < abs(value) < 0.0001:
            return "< 0.0001" if value > 0 else "> -0.0001"
        return decimal(value, 1 if abs(value) >= 1000 else 4)
    return str(value)


def ends(one: Ratio | None) -> list[float | None]:
    """Value, lower and upper end of a ratio, each None where there is none."""
    return [None, None, None] if one is None else [one.value, one.low, one.high]
