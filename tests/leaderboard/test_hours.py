"""Hours of computing: of a row, and of rows that share what was encoded."""

from __future__ import annotations

import pytest
from records_factory import cell

from benchmark.records import Record
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from leaderboard.hours import Took, duration, together, took


def timed(encode_s: float | None, fit_s: float | None, **changes: object) -> Cell:
    def at(one: Record) -> Record:
        cost = one.cost.model_copy(update={"encode_s": encode_s, "fit_s": fit_s})
        return one.model_copy(update={"cost": cost})

    (found,) = group([at(one) for one in cell(**changes)]).cells
    return found


def test_a_row_has_its_encoding_once_and_every_fit() -> None:
    found = took(timed(100.0, 2.5))
    assert found == Took(100.0, 15.0)  # two folds, three seeds
    assert found.total_s == 115.0


def test_what_no_record_knows_is_not_known() -> None:
    assert took(timed(None, None)) == Took(None, None)
    assert took(timed(None, None)).total_s is None
    assert took(timed(None, 1.0)).total_s == 6.0
    assert took(timed(7.0, None)).total_s == 7.0


def test_what_is_encoded_once_counts_once() -> None:
    nose = {"upstream__name": "nose", "upstream__sha256": "1" * 64}
    rows = [timed(100.0, 1.0), timed(90.0, 2.0, downstream__name="svm"), timed(40.0, 1.0, **nose)]
    assert together(rows) == Took(140.0, 6.0 + 12.0 + 6.0)
    assert together(rows[::-1]) == together(rows)
    assert together([]) == Took(None, None)


def test_of_two_corpora_what_each_alone_took_is_not_counted_again() -> None:
    both = {"name": "toys -> dolls", "index_sha256": "3" * 64, "audio_sha256": "4" * 64, "utterances": 9}
    pair = timed(70.0, 1.0, task__name="toys-dolls", task__corpus={**both, "synthetic": False})
    assert together([pair]) == Took(70.0, 6.0)
    assert pair.task.corpus.names == ("toys", "dolls")
    assert timed(100.0, 1.0).task.corpus.name == "toys"
    assert together([pair, timed(100.0, 1.0)]) == Took(100.0, 12.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 s"), (8.06, "8.1 s"), (99.9, "99.9 s"), (100, "1.7 min"), (5999, "100.0 min"), (6000, "1.7 h")],
)
def test_durations_are_in_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
