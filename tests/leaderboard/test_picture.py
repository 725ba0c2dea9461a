"""The picture above the leaderboard: the numbers of the board, and inert whatever names records hold."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from boards_factory import HOSTILE, rated, system
from records_factory import failed

from benchmark.records import Record
from leaderboard.board import board
from leaderboard.picture import LEFT, MOST, RIGHT, picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(records: list[Record]) -> ElementTree.Element:
    made = picture(board(records).sections)
    assert made is not None
    return ElementTree.fromstring(made)


def tips(root: ElementTree.Element) -> list[str]:
    return [title.text or "" for title in root.findall(f"{SVG}g/{SVG}title")]


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def two_splits() -> list[Record]:
    """Two systems with speakers held out, one of them also with known speakers."""
    known = {"task__name": "toy-random", "task__sha256": "1" * 64, "task__speaker_independent": False}
    return system("low", 0.4) + system("high", 0.8) + system("low", 0.9, **known)


def test_systems_stand_by_score_with_what_they_score_on_known_speakers() -> None:
    root = drawn(two_splits())
    high, low = tips(root)
    rows = {(value.task, value.upstream): value for value in board(two_splits()).values if value.primary}
    one, other = rows["toy", "low"], rows["toy-random", "low"]
    assert high.startswith("high + superb: ")
    assert "toy-random" not in high
    assert None not in (one.mean, one.low, one.high, other.mean)
    numbers = [f"{100 * (number or 0):.1f}" for number in (one.mean, one.low, one.high, other.mean)]
    assert low == "low + superb: {} [{}, {}]; toy-random: {}".format(*numbers)
    assert "toy-random" not in [text.split(" ")[0] for text in texts(root)]  # no panel of its own


def test_dots_stand_where_their_numbers_are() -> None:
    root = drawn(two_splits())
    group = root.findall(f"{SVG}g")[1]
    circles = {circle.get("class"): float(circle.get("cx") or 0) for circle in group.findall(f"{SVG}circle")}
    means = {
        value.task: value.mean or 0 for value in board(two_splits()).values if value.primary and value.upstream == "low"
    }
    assert circles["score"] == pytest.approx(LEFT + (RIGHT - LEFT) * means["toy"], abs=0.06)
    assert circles["known"] == pytest.approx(LEFT + (RIGHT - LEFT) * means["toy-random"], abs=0.06)


def test_only_the_best_of_many_are_drawn_and_that_is_said() -> None:
    root = drawn([one for index in range(MOST + 3) for one in system(f"s{index:02}", 0.3 + index / 50)])
    assert len(tips(root)) == MOST
    assert any(f"the best {MOST} of {MOST + 3} systems" in text for text in texts(root))


def test_contaminated_and_incomplete_rows_are_not_drawn() -> None:
    records = system("knowing", 0.9, upstream__trained_on=["toys"]) + system("fair", 0.5)
    records.append(failed(upstream__name="mouth", upstream__sha256="7" * 64))
    assert [tip.split(" ")[0] for tip in tips(drawn(records))] == ["fair"]


def test_tasks_that_do_not_count_are_drawn_where_no_other_is() -> None:
    synthetic = system("ears", 0.5, task__name="made-up", task__corpus__synthetic=True)
    assert any("made-up (synthetic)" in text for text in texts(drawn(synthetic)))
    both = texts(drawn(synthetic + system("ears", 0.5)))
    assert not any("made-up" in text for text in both)


def test_an_error_ranks_upwards_on_an_axis_of_its_own() -> None:
    records = []
    for one in rated("far", 2.0) + rated("near", 0.3):
        errors = one.task.model_copy(update={"metrics": ["rmse", "ccc"]})
        records.append(one.model_copy(update={"task": errors, "primary": "rmse"}))
    root = drawn(records)
    assert [tip.split(" ")[0] for tip in tips(root)] == ["near", "far"]
    for circle in root.iter(f"{SVG}circle"):
        assert float(circle.get("cx") or 0) <= RIGHT


def test_nothing_complete_is_no_picture() -> None:
    assert picture(board([failed()]).sections) is None
    assert picture(()) is None


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(name: str) -> None:
    root = drawn(system(name, 0.5, downstream=name, task__name=name))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "style", "rect", "path", "circle", "text", "g"),
    }
    assert {key for element in root.iter() for key in element.attrib} <= {
        *("viewBox", "width", "height", "role", "font-family", "font-size", "font-weight", "text-anchor", "class"),
        *("x", "y", "cx", "cy", "r", "d", "fill-opacity", "stroke-width", "stroke-dasharray"),
    }
    assert max(map(len, texts(root))) < 100
