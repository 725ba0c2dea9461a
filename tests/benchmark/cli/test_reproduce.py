"""`bench reproduce` on the shipped references."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from boards_factory import alike, task
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.errors import UsageError
from benchmark.io.packages import package_folder
from benchmark.protocol.references import Figure, Reference, read_figures, read_references
from benchmark.records import RecordStore


def reproduce(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["reproduce", *map(str, arguments)])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A complete cell of a row of EmoBox's Table 4 would need its head; the notebook's needs one that is here."""
    store = RecordStore(tmp_path / "records")
    for each in alike("compare", 0.8, **task("emodb", "emodb"), downstream__name="svm-rbf"):
        store.write(each)
    return tmp_path / "records"


def test_the_list_counts_all_rows() -> None:
    done = reproduce("--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert sum(row["rows"] for row in found["summary"]) == len(read_references()) == len(found["rows"])
    assert sum(row["with_cell"] for row in found["summary"]) == sum(one.cell is not None for one in read_references())
    assert {row["done"] for row in found["summary"]} == {0}
    assert {one["verdict"] for one in found["claims"]} == {"not run"}
    shown = reproduce().stdout
    assert "bench analyse embedding-distance" in shown
    assert "claims: " in shown


def test_a_table_has_published_and_ours(results: Path) -> None:
    done = reproduce("audeering-w2v2-how-to", "Notebook", "--results", results, "--csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["state"] for row in rows] == ["done", "not run"]
    assert float(rows[0]["ours"]) == pytest.approx(82.5)
    assert rows[0]["published"] == "77.08"
    text = reproduce("audeering-w2v2-how-to", "--results", results).stdout
    assert "82.50" in text
    assert "differs, emodb: No dev set" in text


def test_only_records_of_its_tasks_are_read_and_one_that_cannot_be_is_told(results: Path) -> None:
    for folder in ("other", "emodb"):
        (results / folder).mkdir(exist_ok=True)
    (results / "other" / "damaged.json").write_text('{"task": "other"')
    asked = ("audeering-w2v2-how-to", "Notebook", "--results", results, "--csv")
    assert reproduce(*asked).exit_code == 0, "it is not asked for"
    (results / "emodb" / "damaged.json").write_text("{}")
    done = reproduce(*asked)
    assert str(done.exception).startswith("1 file or folder of records cannot be read; left out for it: emodb")
    assert [row["state"] for row in csv.DictReader(done.stdout.splitlines())] == ["not run", "not run"]


def test_nothing_that_can_run_is_an_empty_plan(results: Path) -> None:
    done = reproduce("pepino-2021", "--dry-run", "--results", results)
    assert done.exit_code == 0, done.output
    assert "nothing can be run here" in done.stdout
    assert "in all" not in done.stdout
    assert "rows cannot be run, as data are not here: iemocap-dev-session, ravdess-7class" in done.stderr
    assert "rows cannot be run" in reproduce("pepino-2021", "Table 1", "--run", "--results", results).stderr


def test_rows_of_emobox_are_run_under_its_own_protocol() -> None:
    rows = {one.task: one.runs_on for one in read_references() if one.source == "EmoBox 2024"}
    assert rows["urdu-random"] == "urdu-emobox"
    assert rows["ravdess"] == "ravdess-emobox"
    assert rows["cafe"] == "cafe"


def test_records_that_are_named_are_there(tmp_path: Path) -> None:
    done = reproduce("pepino-2021", "--results", tmp_path / "nothing")
    assert "there are no records in" in str(done.exception)


def test_what_is_missing_is_planned_and_run_and_then_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figure = Figure("uar", None, 25.0, None, 1)
    row = Reference("demo", "nothing", "SVM", (figure,), "Toy 2020", "Table 1", "", "", "", ("chance", "svm"), "")
    lacking = replace(row, upstream="something", cell=("whisper-tiny", "svm"))
    monkeypatch.setattr("benchmark.protocol.references.read_references", lambda: (row, lacking))
    published = package_folder("leaderboard") / "results" / "demo"  # of all rows, which take a while to read
    monkeypatch.setattr("benchmark.cli.reproduce_run.record_folders", lambda given, also: [*given, published])
    asked = ["toy-2020", "--results", tmp_path, "--weights", f"whisper-tiny={tmp_path / 'nothing'}"]
    planned = reproduce(*asked, "--dry-run")
    assert "chance" in planned.stdout
    assert "in all: " in planned.stdout
    assert "by rule, a second for each second of audio" not in planned.stdout  # chance encodes, and is published
    assert "fitting: " in planned.stdout
    assert "records of chance + svm" in planned.stdout
    assert not list(tmp_path.iterdir())
    (plan,) = json.loads(reproduce(*asked, "--dry-run", "--json").stdout)
    assert (plan["upstream"], plan["units"] > 0, plan["fitting_h"] > 0) == ("chance", True, True)
    assert [row.split(",")[-5] for row in reproduce(*asked, "--csv").stdout.splitlines()[1:]] == ["not run"] * 2

    done = reproduce(*asked, "--run", "--csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [one["state"] for one in rows] == ["done", "not run"]
    assert float(rows[0]["low"]) <= float(rows[0]["ours"]) <= float(rows[0]["high"])
    assert "whisper-tiny + svm on demo: " in done.stderr  # it lacks its weights, and stops no other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pepino"], "there is no paper 'pepino' (did you mean 'pepino-2021'?)"),
        (["pepino-2021", "Table 9"], "pepino-2021 has no table 'Table 9'"),
        (["--csv", "--latex"], "exclude each other"),
        (["--run", "--dry-run"], "exclude each other"),
        (["--dry-run", "--csv"], "--dry-run prints a plan"),
    ],
)
def test_errors(arguments: list[str], message: str) -> None:
    done = reproduce(*arguments)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_every_figure_names_an_analysis_that_there_is_or_says_why_not() -> None:
    analyses = get_command(app).commands["analyse"].commands  # type: ignore[attr-defined]
    for source, figure, analysis, why in read_figures():
        assert (analysis in analyses) != bool(why), (source, figure)
