"""Published rows beside cells made up, and the shipped ones, each with a system of this benchmark or a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from boards_factory import named, rated, system
from records_factory import cell

from benchmark.io.packages import package_folder
from benchmark.protocol.references import Figure, Reference, read_references
from benchmark.records.grouping import group
from benchmark.registry.registry import Registry
from benchmark.reproduction import lines_of, name_of
from benchmark.statistics import cell_interval, cell_scores

UAR = Figure("uar", None, 61.5, None, 1)
ROW = Reference("toy", "ears", "SVM", (UAR,), "Some One 2020", "Table 1", "", "", "", ("good", "superb"), "")
GOOD = group(system("good", 0.9)).cells[0]


@pytest.mark.parametrize(
    "one", read_references(), ids=lambda one: f"{one.source}-{one.table}-{one.task}-{one.upstream}"
)
def test_every_shipped_row_has_a_system_or_a_reason(one: Reference) -> None:
    assert (one.cell is None) == bool(one.why)
    assert "no head of this benchmark is named for it" not in one.why
    if one.cell is not None:
        registry = Registry()
        upstream, downstream = one.cell
        assert registry.upstream_entries(upstream)
        assert downstream in {entry.name for entry in registry.downstreams()}


@pytest.mark.parametrize("table", [f"Table {number}" for number in (8, 9, 10, 11)])
def test_ablations_of_a_pre_training_are_recipes_of_it(table: str) -> None:
    recipes = {path.stem for path in (package_folder("upstreams") / "pretraining" / "recipes").glob("*.yaml")}
    rows = [one for one in read_references() if one.source == "emotion2vec 2023" and one.table == table]
    varied = [one for one in rows if one.upstream != "emotion2vec" and one.cell is not None]
    assert varied
    for one in varied:
        assert len(one.recipes) == 1
        assert set(one.recipes) <= recipes
        assert one.cell is not None
        assert one.cell[0].partition(":")[2] == one.recipes[0]
    assert [one.upstream for one in rows if one.cell is None] == (
        ["emotion2vec-utterance + emotion2vec"] if table == "Table 9" else []
    )


def test_a_model_that_was_pre_trained_here_is_its_row() -> None:
    own = group(system("pretrained:some", 0.9)).cells[0]
    row = replace(ROW, cell=("pretrained:some", "superb"), recipes=("some",))
    assert lines_of([row], [own], ["superb"])[0].state == "done"


def test_a_complete_cell_gives_its_score_and_interval_in_percent() -> None:
    (line,) = lines_of([ROW], [GOOD], [])
    value, ends = line.values[0], cell_interval(GOOD, "uar")
    assert ends is not None
    assert (line.state, line.reason) == ("done", "")
    assert value.ours == pytest.approx(100 * cell_scores(GOOD, "uar").mean)
    assert (value.low, value.high) == (pytest.approx(100 * ends.low), pytest.approx(100 * ends.high))
    assert value.difference == pytest.approx(value.ours - 61.5)
    assert value.inside is False
    near = replace(ROW, figures=(Figure("uar", None, round(float(value.ours or 0), 1), None, 1),))
    assert lines_of([near], [GOOD], [])[0].values[0].inside is True


def test_one_dimension_is_scored_alone() -> None:
    cells = group(rated("good", 1.0)).cells
    row = replace(ROW, figures=(Figure("ccc", "arousal", 0.7, None, 2),))
    (line,) = lines_of([row], cells, [])
    assert line.values[0].metric == "CCC arousal"
    assert line.values[0].ours == pytest.approx(cell_scores(cells[0], "ccc").mean)


def test_what_is_not_done_says_why() -> None:
    part = group(cell(**named("good"))[1:]).cells
    states = {
        "not run": lines_of([ROW], [], ["superb"]),
        "incomplete": lines_of([ROW], part, ["superb"]),
        "no head": lines_of([ROW], [], ["svm"]),
        "no cell": lines_of([replace(ROW, cell=None, why="no weights")], [GOOD], ["superb"]),
    }
    assert {wanted: lines[0].state for wanted, lines in states.items()} == {wanted: wanted for wanted in states}
    own = replace(ROW, cell=("pretrained:some", "superb"), recipes=("some",))
    (line,) = lines_of([own], [], ["superb"])
    assert line.state == "not pre-trained"
    assert line.reason == "bench pretrain --recipe some --out some"
    assert states["incomplete"][0].reason == "5 of 6 units"
    assert states["no head"][0].reason == "no head is registered as 'superb'"
    assert states["no cell"][0].reason == "no weights"
    assert all(lines[0].values[0].ours is None and lines[0].values[0].inside is None for lines in states.values())


def test_sources_are_named_in_one_word() -> None:
    assert name_of("Some One 2020") == "some-one-2020"
    assert len({name_of(one.source) for one in read_references()}) == len({one.source for one in read_references()})
