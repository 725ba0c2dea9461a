"""Tables on terminals of any width: no cell is broken, every piece names its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from boards_factory import system, task
from typer.testing import CliRunner

from benchmark.cli import terminal
from benchmark.cli.app import app
from benchmark.cli.terminal import TerminalProgress, fitted, print_table, stdout
from benchmark.records import RecordStore

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


@pytest.mark.parametrize("width", [28, 60, 100])
@pytest.mark.parametrize("keys", [(), KEYS])
def test_rows_that_are_printed_as_lines_are_those_of_rich(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, keys: tuple[str, ...]
) -> None:
    rows = [(*row[:-1], "wide \u4e2d\u6587") for row in ROWS]
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    shown = []
    for is_plain in (terminal._are_plain, lambda texts, widths: False):
        monkeypatch.setattr(terminal, "_are_plain", is_plain)
        print_table("a title", COLUMNS, rows, right=("rank", "score"), keys=keys)
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
