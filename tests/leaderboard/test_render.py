"""The files of the leaderboard: deterministic, and inert whatever names records hold."""

from __future__ import annotations

import csv
import dataclasses
import io
import random
import re
import subprocess
import sys
from pathlib import Path

import boards_factory
import pytest
import tabulate
from hypothesis import given, settings
from hypothesis import strategies as st
from records_factory import cell, failed
from rendered import EXPECTED_TAGS, EXPECTED_TARGETS, HOSTILE, Page

import leaderboard
from benchmark.io.files import canonical_json
from benchmark.records import Record
from benchmark.text import clean
from leaderboard.board import board
from leaderboard.render import ROWS, SCREEN, best_table, escape, files, fitted, render
from leaderboard.rows import Value
from leaderboard.tables import Table


def hostile(name: str) -> list[Record]:
    """A complete cell and a failed one with the name wherever a record has one."""
    changes = {"task__title": name, "task__corpus__name": name, "task__dev": name}
    names = {"upstream__name": name, "downstream__name": name, "upstream__trained_on": [name]}
    return [*cell(**names, **changes), failed(name, upstream__name="z" + name, upstream__sha256="9" * 64, **changes)]


def small_board() -> list[Record]:
    return (
        cell()
        + cell(upstream__name="nose", upstream__sha256="8" * 64, downstream__transductive=True)
        + cell(task__name="other", task__pool="folds", task__speaker_independent=False)[1:]
        + [failed(upstream__name="mouth", upstream__sha256="7" * 64)]
    )


def test_the_same_records_give_the_same_bytes_in_any_order_and_shape() -> None:
    records = small_board()
    expected = render(records)
    random.Random(1).shuffle(records)
    assert render(records) == expected
    assert render(records[:9], records[9:]) == expected
    assert render(iter(records)) == expected
    again = [Record.model_validate_json(canonical_json(one.model_dump(mode="json"))) for one in records]
    assert render(again) == expected
    assert files(board(records)) == expected


def test_circumstances_leave_no_trace() -> None:
    def elsewhere(one: Record) -> Record:
        cost = one.cost.model_copy(update={"encode_s": 99.0, "device": "cuda", "peak_bytes": 77})
        changes = {"created": "2031-01-01T00:00:00+00:00", "platform": "macOS", "command": "bench run --device cuda"}
        return one.model_copy(update={"cost": cost, "provenance": one.provenance.model_copy(update=changes)})

    assert render([elsewhere(one) for one in small_board()]) == render(small_board())


def test_padding_does_not_depend_on_an_optional_package(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = render(hostile("感情"))

    class Wcwidth:
        wcswidth = staticmethod(lambda text: 2 * len(text))

    monkeypatch.setattr(tabulate, "wcwidth", Wcwidth)
    monkeypatch.setattr(tabulate, "WIDE_CHARS_MODE", True)
    assert render(hostile("感情")) == expected


def test_the_files_are_text_that_ends_with_a_line() -> None:
    made = render(small_board())
    assert list(made) == ["LEADERBOARD.md", "leaderboard.csv", "overview.svg"]
    for content in made.values():
        text = content.decode()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert "\r" not in text


def test_markdown_shows_the_board() -> None:
    made = board(small_board())
    text = render(small_board())["LEADERBOARD.md"].decode()
    page = Page(text)
    tables = [
        best_table(made),
        *(track.overview for track in made.overviews),
        *(group.ranking for task in made.tasks[:1] for group in task.tables),
        *(group.details for task in made.tasks[:1] for group in task.tables),
        *(group.ranking for task in made.tasks[1:] for group in task.tables),
        *(group.details for task in made.tasks[1:] for group in task.tables),
    ]
    assert page.rows == [list(row) for table in tables for row in (table.header, *table.rows)]
    assert "## other ⚠\n" in text
    assert "synthetic" not in text
    assert "| 60.4 ± 3.6 |" in text
    assert [line for line in text.splitlines() if line.startswith("- Failed: mouth")]


def test_a_contaminated_cell_is_marked_in_markdown_and_csv() -> None:
    made = render(
        cell(upstream__trained_on=["iemocap"], task__corpus__name="ravdess -> iemocap", upstream__name="knowing")
        + cell(upstream__sha256="7" * 64, task__corpus__name="ravdess -> iemocap")
    )
    text = made["LEADERBOARD.md"].decode()
    flags = [row for row in Page(text).rows if len(row) == 9 and row[0] != "rank"]
    assert [(row[3], row[-2]) for row in flags] == [("ears", "–"), ("knowing", "⚠ contaminated")]
    assert text.index("### Fixed") < text.index("### Contaminated")
    assert "- ⚠ contaminated: the weights of the upstream were trained on recordings of this corpus" in text
    assert "- Contaminated: the weights of knowing were trained on recordings of iemocap." in text
    rows = csv.DictReader(io.StringIO(made["leaderboard.csv"].decode()))
    assert {(row["upstream"], row["flags"]) for row in rows} == {("ears", ""), ("knowing", "contaminated")}


@pytest.mark.parametrize("name", HOSTILE)
def test_names_neither_break_a_table_nor_become_markup(name: str) -> None:
    page = Page(render(hostile(name))["LEADERBOARD.md"].decode())
    assert page.tags <= EXPECTED_TAGS
    assert page.attributes <= {"style", "href", "src", "alt"}  # style: the alignment of columns
    assert set(page.targets) == EXPECTED_TARGETS
    # The overview; rankings; details with and without the worst speaker, where known.
    assert {len(row) for row in page.rows} == {6, 9, 7}
    assert [clean(name)] * 2 in [row[:2] for row in page.rows if len(row) == 7]
    assert [clean(name)] * 2 in [row[3:5] for row in page.rows if len(row) == 9]


def test_a_wide_table_becomes_several_whose_rows_fit_a_screen_and_loses_no_column() -> None:
    columns = [f"a task called {index:02}: UAR" for index in range(20)]
    header = ("upstream", "downstream", *columns)
    row = ("ears", "superb", *(str(index) for index in range(20)))
    pieces = fitted(Table(header, (row,), (False,) * 2 + (True,) * 20), keys=2)
    assert len(pieces) > 1
    assert [title for piece in pieces for title in piece.header[2:]] == columns
    assert [text for piece in pieces for text in piece.rows[0][2:]] == list(row[2:])
    for piece in pieces:
        assert (piece.header[:2], piece.rows[0][:2]) == (header[:2], row[:2])
        assert sum(map(len, piece.header)) + 3 * len(piece.header) <= SCREEN
    whole = Table(header[:4], (row[:4],), (False,) * 2 + (True,) * 2)
    assert fitted(whole, keys=2) == [whole]


def test_further_tasks_are_folded() -> None:
    records = [one for index in range(9) for one in cell(task__name=f"a-long-name-of-task-{index}")]
    text = render(records)["LEADERBOARD.md"].decode()
    assert text.index("<summary>Further tasks</summary>") < text.index("</details>") < text.index("## a-long-name")
    further = Page(text[text.index("<summary>Further tasks") : text.index("</details>")])
    assert {row[0] for row in further.rows} == {"upstream", "ears"}


def test_the_rows_of_the_published_rankings_fit_a_screen() -> None:
    text = (Path(leaderboard.__file__).parent / "LEADERBOARD.md").read_text(encoding="utf-8")
    shown = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    rows = Page(shown).rows
    assert len(rows) > 30
    assert max(sum(map(len, row)) + 3 * len(row) for row in rows) <= SCREEN


def test_what_matters_stands_first_and_the_legend_last() -> None:
    text = render(small_board())["LEADERBOARD.md"].decode()
    places = [
        text.index(part)
        for part in ("**2 systems, ", "## Best", "## Overview", "(overview.svg)", "## toy", "## What the signs mean")
    ]
    assert places == sorted(places)
    assert not re.search("^#", text[places[-1] + 2 :], flags=re.MULTILINE)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_task_name_stays_a_heading(name: str) -> None:
    text = render(cell(task__name=name))["LEADERBOARD.md"].decode()
    page = Page(text)
    assert page.tags <= EXPECTED_TAGS
    assert set(page.targets) == EXPECTED_TARGETS
    assert f"{clean(name)}: UAR" in [row[-1] for row in page.rows]
    assert page.rows[1][0] == f"toys ({clean(name)})"
    assert len([line for line in text.splitlines() if line.startswith("## ")]) == 4


def test_the_rest_of_a_long_table_is_folded() -> None:
    names = [f"ears-{index:02}" for index in range(ROWS + 5)]
    records = [
        one for index, name in enumerate(names) for one in cell(upstream__name=name, upstream__sha256=f"{index:064x}")
    ]
    text = render(records)["LEADERBOARD.md"].decode()
    shown = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    assert text.count("<summary>5 further rows</summary>") == 2  # of the overview and of the task
    assert [row[3] for row in Page(shown).rows if len(row) == 9 and row[0] != "rank"] == names[:ROWS]
    for name in names:
        assert name in text


def test_the_best_of_each_corpus_says_who_cannot_be_told_apart_and_what_known_speakers_give() -> None:
    known = {"task__name": "toy-random", "task__speaker_independent": False}
    made = board(
        boards_factory.system("low", 0.4)
        + boards_factory.system("high", 0.9)
        + boards_factory.system("high", 0.95, **known)
    )
    (row,) = best_table(made).rows
    assert row[:4] == ("toys (toy)", "language not known", "fixed", "high + superb")
    assert re.fullmatch(r"UAR \d\d\.\d \[[\d., ]+\]", row[4])
    assert (row[5], row[7]) == ("0 of 1", "25.0")
    assert float(row[6]) > float(row[4].split()[1])


@given(st.text(alphabet=st.sampled_from("ab|<>&`\\[](){}*_~!#$:/w.-+=\n '\""), min_size=1, max_size=30))
@settings(max_examples=300)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    shown = Page(f"| head |\n| --- |\n| x {escape(clean(text))} x |")
    assert shown.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert shown.rows[1] == [f"x {clean(text)} x".replace("  ", " ")] or shown.rows[1] == [f"x {clean(text)} x"]


def test_bare_addresses_do_not_become_links() -> None:
    for address in ("https://example.org", "HTTP://example.org", "www.example.org", "WWW.example.org"):
        assert "://" not in escape(address)
        assert "www." not in escape(address).lower()


def test_csv_is_long_and_says_everything() -> None:
    rows = list(csv.DictReader(io.StringIO(render(small_board())["leaderboard.csv"].decode())))
    assert list(rows[0]) == [field.name for field in dataclasses.fields(Value)]
    assert len(rows) == 4 * 3
    first = next(row for row in rows if row["task"] == "toy" and row["upstream"] == "ears" and row["metric"] == "uar")
    assert first["mean"] == "0.604167"
    assert (first["seeds"], first["folds"], first["n_clusters"]) == ("3", "2", "4")
    assert (first["units_completed"], first["units_expected"], first["complete"]) == ("6", "6", "true")
    assert (first["layers"], first["dim"], first["parameters"]) == ("5", "384", "8208384")
    assert first["task_sha256"] == "a" * 64
    incomplete = next(row for row in rows if row["task"] == "other")
    assert (incomplete["mean"], incomplete["low"], incomplete["complete"]) == ("", "", "false")
    assert incomplete["units_completed"] == "5"
    assert next(row for row in rows if row["upstream"] == "mouth")["units_failed"] == "1"
    assert [row["primary"] for row in rows[:3]] == ["true", "false", "false"]


@pytest.mark.parametrize("name", HOSTILE)
def test_csv_holds_any_name(name: str) -> None:
    rows = list(csv.DictReader(io.StringIO(render(hostile(name))["leaderboard.csv"].decode())))
    guard = "'" if clean(name).startswith("-") else ""
    assert guard + clean(name) in {row["upstream"] for row in rows}
    assert {None} & {key for row in rows for key in row} == set()


def test_csv_gives_a_spreadsheet_no_formula() -> None:
    for name in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1"):
        rows = list(csv.DictReader(io.StringIO(render(cell(upstream__name=name))["leaderboard.csv"].decode())))
        assert rows[0]["upstream"].startswith("'")


def test_no_records_make_tables_without_rows_and_no_picture() -> None:
    made = render([])
    assert list(made) == ["LEADERBOARD.md", "leaderboard.csv"]
    assert b"overview.svg" not in made["LEADERBOARD.md"]
    assert b"There is no record yet." in made["LEADERBOARD.md"]
    assert made["leaderboard.csv"].count(b"\n") == 1


def test_rendering_imports_nothing_heavy() -> None:
    code = "import sys, leaderboard.render; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "sklearn", "pandas", "transformers", "matplotlib", "rich", "jinja2"} & set(loaded)
