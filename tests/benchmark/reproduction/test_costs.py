"""How long a run will take: scaled from records of the same system, of the head alone, or by a rule that is told."""

from __future__ import annotations

from typing import Any

import pytest
from records_factory import record

from benchmark.records import Record
from benchmark.reproduction.costs import encoding, fitting


def made(upstream: str, head: str, encode_s: float | None, fit_s: float | None, **more: Any) -> Record:
    cost = {"encode_s": encode_s, "fit_s": fit_s, "peak_bytes": 1, "audio_s": 100.0, "device": "encode cpu, fit cpu"}
    return record(upstream__name=upstream, downstream__name=head, cost=cost, **more)


RECORDS = [
    made("ears", "svm", 10.0, 2.4, task__name="one"),
    made("ears", "svm", 10.0, 4.8, task__name="one", seed=1),
    made("ears", "linear", 30.0, 48.0, task__name="two"),
    made("ears", "linear", 50.0, 48.0, task__name="three"),
    made("nose", "svm", None, 240.0),
]  # 24 utterances of train in each


def test_encoding_is_scaled_by_the_audio_from_records_of_the_upstream() -> None:
    found = encoding("ears", 1000.0, RECORDS)
    assert found.seconds == pytest.approx(300.0)  # of 0.1, 0.3 and 0.5 the median, each task once
    assert found.rests_on == "0.3 s for each second of audio, by records of ears on 3 tasks (cpu)"


def test_encoding_without_a_record_goes_by_a_rule_that_is_told() -> None:
    for name in ("eyes", "nose"):  # nose has records that do not say it
        found = encoding(name, 1000.0, RECORDS)
        assert found.seconds == 1000.0
        assert found.rests_on == f"no record of {name}: by rule, a second for each second of audio"
    assert encoding("eyes", 0.0, RECORDS).seconds == 0


def test_fitting_is_scaled_by_the_utterances_from_records_of_the_same_system() -> None:
    found = fitting("ears", "svm", [10, 20], RECORDS)
    assert found.seconds == pytest.approx(0.15 * 30)  # of 0.1 and 0.2 s an utterance
    assert found.rests_on == "0.15 s for each utterance of train, by 2 records of ears + svm"


def test_fitting_falls_back_on_the_head_and_is_never_invented() -> None:
    found = fitting("eyes", "svm", [10], RECORDS)
    assert found.seconds == pytest.approx(0.2 * 10)  # of 0.1, 0.2 and 10 s an utterance
    assert found.rests_on == "0.2 s for each utterance of train, by 3 records of svm on other upstreams"
    found = fitting("ears", "transformer", [10], RECORDS)
    assert found.seconds is None
    assert found.rests_on == "no record of transformer: how long it is fitted is not known"
    assert fitting("ears", "transformer", [], RECORDS).seconds == 0
