"""Tables on terminals of any width: no cell is broken, every piece names its rows."""

from __future__ import annotations

import io
import itertools
import json
import re
from pathlib import Path

import pytest
from boards_factory import system, task
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text
from typer.testing import CliRunner

from benchmark.cli import terminal
from benchmark.cli.app import app
from benchmark.cli.terminal import TerminalProgress, fitted, print_table, stdout
from benchmark.records import RecordStore
from benchmark.text import visible

COLUMNS = ("rank", "upstream", "a long heading", "score", "flags")
ROWS = [("1", "moonshine-base", "72.4 ± 0.3", "0.123", "none"), ("2", "mfcc", "5.0", "0.456", "x" * 50)]
KEYS = ("upstream",)


def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, *keys: str) -> list[str]:
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    print_table("a title", COLUMNS, ROWS, right=("rank", "score"), keys=keys)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_names_are_never_emoji_nor_markup(monkeypatch: pytest.MonkeyPatch, capsys, is_terminal: bool) -> None:
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    name = "hf:moon:[b]x"
    progress = TerminalProgress()
    with progress.stage(f"stage {name}", 1) as advance:
        advance(1)
    with progress.encoding(f"encode {name}", 1, 1.0) as encoded:
        encoded(1, 1.0)
    progress.note(f"note {name}")
    progress.problem(f"problem {name}")
    print_table(f"title {name}", [f"column {name}"], [[f"cell {name}"]])
    stdout().print(f"line {name}", markup=False)
    out, err = capsys.readouterr()
    for text, places in ((out, ("title", "column", "cell", "line")), (err, ("stage", "encode", "note", "problem"))):
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
        assert [place for place in places if f"{place} {name}" not in plain] == []
        assert "\N{CRESCENT MOON}" not in plain
        assert plain.isascii() or is_terminal


def test_what_fits_is_one_table_with_whole_headings(monkeypatch, capsys) -> None:
    lines = printed(monkeypatch, capsys, 100, *KEYS)
    assert lines[0] == "a title"
    assert lines[1].split("  ") == ["rank", "upstream", "", "", "", "a long heading", "score", "flags"]
    assert printed(monkeypatch, capsys, 100, *KEYS) == printed(monkeypatch, capsys, 100)


@pytest.mark.parametrize("width", [28, 32, 40, 60])
def test_what_does_not_fit_stands_in_pieces_that_name_their_rows(monkeypatch, capsys, width: int) -> None:
    lines = printed(monkeypatch, capsys, width, *KEYS)
    assert max(map(len, lines)) <= max(width, len("moonshine-base") + 2 + terminal.WIDEST)
    pieces = "\n".join(lines[1:]).split("\n\n")
    assert len(pieces) == len(fitted(COLUMNS, ROWS, KEYS, width)) > 1
    assert all("moonshine-base" in piece and "mfcc" in piece and "upstream" in piece for piece in pieces)
    text = "\n".join(lines)
    assert all(text.count(one) == 1 for one in ("72.4 ± 0.3", "0.123", "0.456", "rank", "a title"))
    assert text.count("x") == 50


def test_pieces_have_the_columns_in_their_order_and_at_least_one_each() -> None:
    assert fitted(COLUMNS, ROWS, KEYS, 1) == [[0, 1], [1, 2], [1, 3], [1, 4]]
    assert fitted(COLUMNS, ROWS, KEYS, 1000) == [[0, 1, 2, 3, 4]]
    assert fitted(COLUMNS, ROWS, KEYS, 32) == [[0, 1, 2], [1, 3], [1, 4]]
    assert fitted(COLUMNS, ROWS, (), 4 + 2 + 14) == [[0, 1], [2, 3], [4]]


def test_headings_are_broken_between_words_alone(monkeypatch, capsys) -> None:
    lines = printed(monkeypatch, capsys, 33, *KEYS)
    words = [re.split(r"\s{2,}", line.strip()) for line in lines[1:4]]
    assert "a long" in {word for line in words for word in line}
    assert "heading" in {word for line in words for word in line}


LONG = [("msp-podcast", "turns of podcasts, recorded by very many people", "train 16326, dev 1871", "by request")]


@pytest.mark.parametrize("width", [24, 40, 64, 80, 200])
def test_without_keys_words_stay_whole_and_the_first_column_names_every_piece(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    columns = ("corpus", "summary", "utterances", "licence")
    print_table("", columns, LONG)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    words = [word for cell in (*columns[1:], *LONG[0][1:]) for word in cell.split()]
    assert all(len(re.findall(rf"(?<!\S){re.escape(word)}(?!\S)", text)) == words.count(word) for word in words)
    pieces = text.rstrip("\n").split("\n\n")
    assert all(piece.split()[0] == "corpus" and "msp-podcast" in piece for piece in pieces)
    assert (len(pieces) == 1) == (width >= 64)


@pytest.mark.parametrize("what", ["upstreams", "downstreams", "tasks", "corpora"])
def test_no_name_of_a_list_is_broken_at_eighty_columns(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(terminal, "PIPE_WIDTH", 80)
    listed = CliRunner().invoke(app, ["list", what])
    assert listed.exit_code == 0, listed.output
    assert max(map(len, listed.stdout.splitlines())) <= 80
    told = json.loads(CliRunner().invoke(app, ["list", what, "--json"]).stdout)
    first = {line.split()[0] for line in listed.stdout.splitlines() if line.strip()}
    assert {row["name"] for row in told} <= first


@pytest.mark.parametrize("width", [80, 160])
def test_the_board_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int) -> None:
    store = RecordStore(tmp_path)
    names = [f"an-upstream-{number}" for number in range(4)]
    for corpus in ("urdu", "emovo"):
        for number, name in enumerate(names):
            for one in system(name, 0.4 + 0.1 * number, **task(corpus, corpus)):
                store.write(one)
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    done = CliRunner().invoke(app, ["leaderboard", "--results", str(tmp_path), "--out", str(tmp_path / "board")])
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stdout.splitlines() if not line.startswith("written: ")]
    assert max(map(len, lines)) <= width
    assert all(any(re.search(rf"\b{name}  superb", line) for line in lines) for name in names), "no name is broken"
    too_wide = "on how many corpora the row is better than the column: too wide for this"
    assert (too_wide in done.stdout) == (width == 80)


def by_rich(columns, rows, right, keys, width: int) -> str:
    """The rows of a table as rich itself prints them."""
    content = io.StringIO()
    console = Console(file=content, width=width, highlight=False, emoji=False)
    for piece in terminal._pieces(columns, rows, keys, width):
        texts = [[row[index] for index in piece] for row in rows]
        shown = RichTable(show_header=False, box=None, pad_edge=False)
        for index, room in zip(piece, terminal._widths([columns[one] for one in piece], texts, width), strict=True):
            is_right = columns[index] in right
            shown.add_column(justify="right" if is_right else "left", overflow="fold", width=room)
        for row in texts:
            shown.add_row(*(Text("\n".join(visible(line) for line in text.split("\n"))) for text in row))
        console.print(shown)
    return content.getvalue()


@pytest.mark.parametrize("width", [28, 60, 100])
@pytest.mark.parametrize("keys", [(), KEYS])
def test_rows_are_those_of_rich(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, keys: tuple[str, ...]
) -> None:
    odd = ("wide \u4e2d\u6587 " * 9, "two\nlines", "bold [/b] and \\[red] \\", "\x1b[31m", "a" * 70, " b  ", "")
    rows = [(*row[:-1], text) for row, text in zip(itertools.cycle(ROWS), odd, strict=False)]
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    print_table("a title", COLUMNS, rows, right=("rank", "score"), keys=keys)
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    expected = [line.rstrip() for line in by_rich(COLUMNS, rows, ("rank", "score"), keys, width).splitlines()]
    assert [line for line in shown if line in expected] == expected
    assert len(shown) > len(expected)


def test_a_cell_does_not_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ["name", "next"], [["a\tb\rc\x0bd\x85e", "x"], ["f", "y"]])
    lines = capsys.readouterr().out.rstrip("\n").split("\n")
    assert [line.rstrip() for line in lines] == ["name       next", "a b c d e  x", "f          y"]


def test_a_title_and_a_heading_that_look_like_markup_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("of [/b]", ["[red]name", "x [/] y"], [["a", "b"]])
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert shown == ["of [/b]", "[red]name  x [/] y", "a          b"]
