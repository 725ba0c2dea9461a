"""`bench plot`: which figures it writes where, and what it says where there is nothing to draw."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import Result
from records_factory import calibrated, cell
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.records import RecordStore

WEIGHTS = {"on": "uar", "score": 0.5, "epoch": 1, "layer_weights": [0.2] * 5, "chosen": {}}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two systems on `toy`, one with layer weights, one of them incomplete on `other`; the folder to work in."""
    monkeypatch.chdir(tmp_path)
    store = RecordStore(tmp_path / "records")
    bare = {"upstream__name": "bare", "upstream__sha256": "1" * 64, "upstream__layers": 1}
    hostile = {"upstream__name": "../x y", "upstream__sha256": "2" * 64, "task__name": "other"}
    records = [
        *cell(selection=WEIGHTS),
        *cell(**bare),
        *cell(task__name="other"),
        *cell(**hostile)[1:],
    ]
    for each in records:
        store.write(each)
    return tmp_path / "records"


def plot(*arguments: Any, results: Path | None) -> Result:
    options = [] if results is None else ["--results", results]
    return CliRunner().invoke(app, ["plot", *map(str, (*arguments, *options))])


def written(done: Result) -> list[str]:
    assert done.exit_code == 0, done.output + repr(done.exception)
    return [line.removeprefix("written: ") for line in done.stdout.splitlines()]


def refused(done: Result, kind: type[BenchError], message: str) -> None:
    assert isinstance(done.exception, kind), (done.output, done.exception)
    assert message in str(done.exception)
    assert "written" not in done.output


def test_a_figure_of_one_system_is_named_after_it(results: Path) -> None:
    done = plot("confusion", "-t", "toy", "-u", "ears", "-d", "superb", results=results)
    assert written(done) == ["confusion-toy-ears--superb.svg"]
    root = ET.fromstring(Path("confusion-toy-ears--superb.svg").read_text())
    assert "ears + superb on toy" in "".join(root.itertext())
    assert "currentColor" in Path("confusion-toy-ears--superb.svg").read_text()


@pytest.mark.parametrize(("name", "start"), [("one.png", b"\x89PNG"), ("one.PNG", b"\x89PNG"), ("one.svg", b"<svg ")])
def test_the_suffix_decides_the_format(results: Path, name: str, start: bytes) -> None:
    assert written(plot("recalls", "-t", "toy", "--out", name, results=results)) == [name]
    assert Path(name).read_bytes().startswith(start)


def test_several_figures_need_a_folder(results: Path) -> None:
    message = "these are 2 figures: confusion-toy-bare--superb, confusion-toy-ears--superb (choose by --task"
    refused(plot("confusion", "-t", "toy", results=results), UsageError, message)
    refused(plot("confusion", "-t", "toy", "--out", "a.svg", results=results), UsageError, message)
    refused(plot("all", "-t", "toy", "--out", "a.svg", results=results), UsageError, "give a folder by --out")
    done = plot("confusion", "-t", "toy", "--out", "folder", "--png", results=results)
    assert sorted(written(done)) == ["folder/confusion-toy-bare--superb.png", "folder/confusion-toy-ears--superb.png"]


def test_layers_name_the_systems_that_have_none(results: Path) -> None:
    done = plot("layers", "-t", "toy", results=results)
    assert written(done) == ["layers-toy.svg"]
    assert "note: no layer weights of bare + superb: bare has one layer" in done.stderr
    refused(
        plot("layers", "-t", "toy", "-u", "bare", results=results),
        BenchError,
        "no layer weights of bare + superb: bare has one layer",
    )


def test_reliability_is_of_what_gives_probabilities(results: Path) -> None:
    refused(plot("reliability", "-t", "toy", results=results), BenchError, "no sums of probabilities on toy: bare + ")
    store = RecordStore(results)
    for each in cell(task__name="third"):
        store.write(calibrated(each))
    for each in cell(task__name="third", upstream__name="bare", upstream__sha256="1" * 64):
        store.write(each)
    done = plot("reliability", "-t", "third", results=results)
    assert written(done) == ["reliability-third-ears--superb.svg"]
    assert "left out, because their records have no sums of probabilities: bare + superb" in done.stderr


def test_what_is_incomplete_is_left_out_and_named(results: Path) -> None:
    done = plot("recalls", "-t", "other", results=results)
    assert written(done) == ["recalls-other-ears--superb.svg"]
    assert "left out, because they are incomplete on other: ../x y + superb (5/6 units)" in done.stderr
    refused(plot("recalls", "-t", "other", "-u", "../x y", results=results), BenchError, "incomplete on other")


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["recalls"], UsageError, "which task? (--task with one of other, toy)"),
        (["recalls", "-t", "nope"], UsageError, "no records of the task 'nope' (there are some of other, toy;"),
        (["recalls", "-t", "toy", "-u", "x"], UsageError, "no system 'x' on toy (there are bare + superb, ears"),
        (["dimensions", "-t", "toy"], BenchError, "no dimensions on toy: it is a classification task"),
        (["critical-difference"], BenchError, "at least 3 systems that are complete on the same tasks of 5 corpora"),
        (["critical-difference", "-t", "toy"], UsageError, "leave out --task"),
        (["heat-map", "-u", "ears"], UsageError, "heat-map shows all systems"),
        (["pareto", "--out", "x.pdf"], UsageError, "--out x.pdf is neither SVG nor PNG"),
    ],
)
def test_errors_say_what_is_missing(results: Path, arguments: list[str], kind: type[BenchError], message: str) -> None:
    refused(plot(*arguments, results=results), kind, message)


def test_without_records_there_is_nothing_to_draw(tmp_path: Path) -> None:
    refused(plot("pareto", results=tmp_path / "none"), MissingError, "there are no records in")
    refused(plot("pareto", results=tmp_path), UsageError, "there are no records in")


def test_an_unknown_kind_is_refused_with_the_known_ones(results: Path) -> None:
    done = plot("pie", results=results)
    assert done.exit_code == 2
    assert "critical-difference" in done.output


def test_all_draws_what_there_is_and_says_what_is_left_out(results: Path) -> None:
    done = plot("all", results=results)
    assert sorted(written(done)) == [
        "figures/confusion-other-ears--superb.svg",
        "figures/confusion-toy-bare--superb.svg",
        "figures/confusion-toy-ears--superb.svg",
        "figures/heat-map.svg",
        "figures/intervals-other.svg",
        "figures/intervals-toy.svg",
        "figures/layers-toy.svg",
        "figures/pareto.svg",
        "figures/recalls-other-ears--superb.svg",
        "figures/recalls-toy.svg",
        "figures/speakers-other-ears--superb.svg",
        "figures/speakers-toy.svg",
    ]
    said = " ".join(done.stderr.split())
    assert "layers of other is left out: no layer weights of ears + superb: superb learns none" in said
    assert "critical-difference is left out" in said
    assert not list(results.parent.glob("*.svg"))


def test_all_of_some_systems_leaves_out_the_whole_board(results: Path) -> None:
    done = plot("all", "-t", "toy", "-u", "ears", "--out", "some", results=results)
    names = {Path(name).stem for name in written(done)}
    assert names == {
        "confusion-toy-ears--superb",
        "recalls-toy-ears--superb",
        "speakers-toy-ears--superb",
        "layers-toy",
        "intervals-toy",
    }


def test_published_results_can_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = plot("intervals", "--published", "-t", "demo", results=None)
    assert written(done) == ["intervals-demo.svg"]


def test_without_matplotlib_the_extra_is_named(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused(plot("all", results=results), MissingError, 'pip install "serbench[figures]"')
