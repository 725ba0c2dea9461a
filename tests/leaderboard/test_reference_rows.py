"""What was published elsewhere, below the table of its task: shown, and without any influence."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from records_factory import cell, failed
from rendered import EXPECTED_TAGS, HOSTILE, Page
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.protocol.references import Figure, Reference, read_references
from benchmark.records import Record, pack, read_file
from benchmark.text import clean
from leaderboard.board import board
from leaderboard.remarks import ELSEWHERE
from leaderboard.render import render

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "results"


def figures(**values: float) -> tuple[Figure, ...]:
    return tuple(Figure(metric, None, value, None, 1) for metric, value in values.items())


def reference(upstream: str = "nose", task: str = "toy", **changes: object) -> Reference:
    given = {
        "figures": figures(uar=99.5),
        "downstream": "a head",
        "source": "Someone 2020",
        "table": "Table 1",
        "citation": "Someone: Something. 2020",
        "url": "https://example.org/1",
        "differs": "other folds",
    }
    return Reference(task=task, upstream=upstream, **{**given, **changes})  # type: ignore[arg-type]


def markdown(*references: Reference) -> str:
    return render(cell(), references=references)["LEADERBOARD.md"].decode()


def test_a_reference_better_than_all_changes_no_rank_no_overview_and_no_csv() -> None:
    records = [*cell(), failed(upstream__name="mouth", upstream__sha256="7" * 64)]
    with_them, without = board(records, references=[reference()]), board(records)
    assert with_them.overviews == without.overviews
    assert with_them.values == without.values
    assert with_them.legend == without.legend
    (shown,), (plain,) = with_them.tasks, without.tasks
    assert (shown.tables, shown.notes, shown.caption) == (plain.tables, plain.notes, plain.caption)
    assert plain.references is None
    assert shown.references is not None
    files = render(records, references=[reference()])
    assert files.keys() == render(records).keys()
    assert files["leaderboard.csv"] == render(records)["leaderboard.csv"]
    assert {row["upstream"] for row in csv.DictReader(io.StringIO(files["leaderboard.csv"].decode()))} == {
        "ears",
        "mouth",
    }


def test_the_rest_of_the_page_stays_as_it_is() -> None:
    lines = markdown(reference()).splitlines()
    start = lines.index("### Published elsewhere")
    assert lines[start + 2] == ELSEWHERE
    end = lines.index("## What the signs mean")
    assert "\n".join([*lines[:start], *lines[end:]]) + "\n" == render(cell())["LEADERBOARD.md"].decode()


def test_only_tasks_with_cells_show_references() -> None:
    made = board(cell(), references=[reference(task="nobody-ran")])
    assert [task.references for task in made.tasks] == [None]
    assert ELSEWHERE not in markdown(reference(task="nobody-ran"))
    assert "nobody-ran" not in markdown(reference(), reference(task="nobody-ran"))


def test_rows_stand_in_the_order_given_with_a_column_for_each_metric() -> None:
    references = [
        reference("nose", figures=figures(wa=12.5, weighted_f1=33.0)),
        reference("eyes", figures=(Figure("uar", None, 9.0, 0.25, 2),), source="Later 2021", table="Table 9"),
        reference("mouth", figures=figures(macro_f1=50.0, uar=60.0)),
    ]
    (task,) = board(cell(), references=references).tasks
    assert task.references is not None
    table = task.references.table
    measured = ("UAR", "WA", "macro F1", "weighted F1")
    assert table.header == ("upstream", "downstream", *measured, "source", "what differs")
    assert table.rows == (
        ("nose", "a head", "–", "12.5", "–", "33.0", "Someone 2020, Table 1", "(1)"),
        ("eyes", "a head", "9.00 ± 0.25", "–", "–", "–", "Later 2021, Table 9", "(1)"),
        ("mouth", "a head", "60.0", "–", "50.0", "–", "Someone 2020, Table 1", "(1)"),
    )
    assert table.numeric == (False, False, True, True, True, True, False, False)


def test_dimensions_follow_their_metric_in_the_order_of_the_task() -> None:
    def rated(fold: str, seed: int) -> dict[str, list[list[float]]]:
        return {f"{fold}{index}": [[10, 30, 32, 100, 110, 104]] * 2 for index in range(2)}

    records = cell(rated, task__kind="regression", task__outputs=["valence", "arousal"], task__metrics=["ccc", "rmse"])
    given = tuple(
        Figure("ccc", name, value, None, 2) for name, value in [("arousal", 0.7), ("dominance", 0.9), ("valence", 0.31)]
    )
    (task,) = board(records, references=[reference(figures=(*figures(pearson=0.5), *given))]).tasks
    assert task.references is not None
    assert task.references.table.header[2:6] == ("CCC valence", "CCC arousal", "CCC dominance", "Pearson r")
    assert task.references.table.rows[0][2:6] == ("0.31", "0.70", "0.90", "0.5")


def test_a_text_that_several_rows_share_is_one_footnote_and_a_source_is_cited_once() -> None:
    references = [
        reference("nose", differs="other folds"),
        reference("eyes", differs="dev is test"),
        reference("mouth", differs="other folds"),
        reference("chin", differs=""),
    ]
    (task,) = board(cell(), references=references).tasks
    assert task.references is not None
    assert [row[-1] for row in task.references.table.rows] == ["(1)", "(2)", "(1)", "–"]
    assert task.references.footnotes == ("(1) other folds", "(2) dev is test")
    assert task.references.sources == ("Someone 2020: Someone: Something. 2020. https://example.org/1",)
    text = markdown(*references)
    assert text.count("- (1) other folds\n") == 1
    assert text.count("\n- Someone 2020: Someone: Something. 2020. https&#58;//example.org/1\n") == 1
    assert "<summary>4 rows from 1 source</summary>" in text


def test_footnotes_are_numbered_anew_for_each_task() -> None:
    records = [*cell(), *cell(task__name="other", task__sha256="1" * 64)]
    made = board(records, references=[reference(differs="a"), reference(task="other", differs="b")])
    assert [task.references.footnotes for task in made.tasks if task.references] == [("(1) b",), ("(1) a",)]


@pytest.mark.parametrize("name", HOSTILE)
def test_references_are_inert_text(name: str) -> None:
    hostile = reference(name, downstream=name, source=name, table=name, citation=name, url=name, differs=name)
    page = Page(markdown(hostile))
    assert page.tags <= EXPECTED_TAGS
    assert page.rows[-1] == [clean(name), clean(name), "99.5", clean(f"{name}, {name}"), "(1)"]


def test_the_same_references_give_the_same_bytes() -> None:
    references = [reference("nose"), reference("eyes", source="Later 2021")]
    assert markdown(*references) == markdown(*references)
    assert markdown(*references) != markdown(*reversed(references))


def published(task: str) -> list[Record]:
    """Two systems of a task: references have nothing to do with how many there are."""
    files = sorted((PUBLISHED / task).glob("*.json"))[:2]
    assert files
    return [record for file in files for record in read_file(file)]


@pytest.mark.parametrize("task", ["urdu", "urdu-random", "demo"])
def test_published_records_get_the_references_of_their_task(task: str) -> None:
    (shown,) = board(published(task), references=read_references()).tasks
    if task != "urdu-random":
        assert shown.references is None
        return
    assert shown.references is not None
    rows = {(row[0], row[-2]): row[2:6] for row in shown.references.table.rows}
    assert rows["wav2vec2-base", "EmoBox 2024, Table 4"] == ("87.50", "87.50", "87.57", "–")
    assert rows["emotion2vec", "emotion2vec 2023, Table 4"] == ("81.87", "81.50", "–", "81.60")
    assert any("18 of the 19 test speakers are in train" in line for line in shown.references.footnotes)


def test_the_command_shows_them_unless_told_not_to(tmp_path: Path) -> None:
    (tmp_path / "cell.json").write_bytes(pack(cell(task__name="urdu-random")))

    def made(*options: str) -> tuple[str, str]:
        arguments = ["leaderboard", "--results", str(tmp_path), "--out", str(tmp_path / "out"), *options]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        return (tmp_path / "out/LEADERBOARD.md").read_text(encoding="utf-8"), done.stdout

    text, printed = made()
    assert ELSEWHERE in text
    assert "EmoBox 2024" in text
    assert "published elsewhere, not ranked" in printed
    made("--check")
    text, printed = made("--no-references")
    assert ELSEWHERE not in text
    assert "EmoBox" not in text + printed
