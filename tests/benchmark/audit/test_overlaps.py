"""Stretches of one recording that overlap: between sets a leak, under two names a doubt, a little of it ordinary."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from toy import TOY_TASK

from benchmark.audit import Audit, audit
from benchmark.data.listening import Heard
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.task import Task
from benchmark.types import Fold, Utterance
from tasks.corpora.csv import CSV


def cut(name: str, start: float | None, end: float | None, speaker: str, label: str = "high") -> Utterance:
    return Utterance(name, "talk.wav", start, end, speaker, labels={"emotion": label})


def made(utterances: Sequence[Utterance], fold: Fold, **changes: object) -> Dataset:
    task = Task.model_validate({**TOY_TASK, **changes})
    labels = {one.id: str(one.labels["emotion"]) for one in utterances}
    return Dataset(task, (CSV(),), (), tuple(utterances), (), frozenset(), {}, labels, {}, {}, (fold,))


def told(report: Audit) -> list[tuple[str, str]]:
    return [
        (one.severity, one.text) for one in report.findings if "overlap in one" in one.text or "that ov" in one.text
    ]


BESIDE = Utterance("z", "other.wav", speaker="cleo", labels={"emotion": "low"})


def test_the_same_audio_under_two_speakers_in_train_and_test_stops() -> None:
    two = [cut("a", 0.0, 2.0, "anna"), cut("b", 0.5, 2.5, "bert", "low"), BESIDE]
    fold = Fold("x", ("a", "z"), (), ("b",))
    where = "talk.wav 0 s to 2 s (anna: high) and 0.5 s to 2.5 s (bert: low) by 75 % of the shorter"
    by = "once (by half of the shorter one or more)"
    leak = ("error", f"Stretches of one recording that overlap are in test and in train or dev, {by}: {where}.")
    doubt = ("warning", f"Stretches of different speakers overlap in one recording, {by}: {where}.")
    assert told(audit(made(two, fold))) == [leak, doubt]
    assert told(audit(made(two, fold, speaker_independent=False))) == [("warning", leak[1]), doubt]


def test_people_who_talk_over_each_other_a_little_are_told_with_the_share() -> None:
    turns = [cut("a", 0.0, 2.0, "anna"), cut("b", 1.8, 4.8, "bert"), BESIDE]
    where = "talk.wav 0 s to 2 s (anna: high) and 1.8 s to 4.8 s (bert: high) by 10 % of the shorter"
    across = audit(made(turns, Fold("x", ("a", "z"), (), ("b",))))
    doubt = ("note", f"Stretches of different speakers overlap in one recording, once: {where}.")
    leak = ("warning", f"Stretches of one recording that overlap are in test and in train or dev, once: {where}.")
    assert told(across) == [leak, doubt]
    assert told(audit(made(turns, Fold("x", ("a", "b"), (), ("z",))))) == [doubt]


@pytest.mark.parametrize(("label", "severity", "what"), [("low", "warning", "labels"), ("high", "note", "one speaker")])
def test_one_speaker_twice(label: str, severity: str, what: str) -> None:
    two = [cut("a", 0.0, 2.0, "anna"), cut("b", 1.0, 2.0, "anna", label), BESIDE]
    ((found, text),) = told(audit(made(two, Fold("x", ("a", "b"), (), ("z",)))))
    assert (found, what in text) == (severity, True)
    assert "100 % of the shorter" in text
    leak, _ = told(audit(made(two, Fold("x", ("z",), ("a",), ("b",)))))
    assert leak[0] == "error"
    of_dev = told(audit(made(two, Fold("x", ("a",), ("b",), ("z",)))))
    assert next(one for one in of_dev if "in dev and in train" in one[1])[0] == "note"


def test_a_stretch_without_an_end_ends_where_the_recording_does() -> None:
    utterances = [cut("a", None, None, "anna"), cut("b", 1.0, 2.0, "bert"), cut("c", 4.0, None, "cleo")]
    fold = Fold("x", ("a", "b"), (), ("c",))
    unheard = audit(made(utterances, fold))
    assert [(one.stretches[1].id, one.stretches[0].end, one.share) for one in unheard.overlaps] == [
        ("b", None, 1.0),
        ("c", None, 1.0),
    ]
    json.dumps(unheard.as_dict(), allow_nan=False)
    assert "0 s to its end (anna: high)" in told(unheard)[0][1]
    heard = {"a": Heard("1", 3.0), "b": Heard("2", 1.0), "c": Heard("3", 1.0)}
    assert [one.stretches[1].id for one in audit(made(utterances, fold), heard).overlaps] == ["b"]


def test_what_touches_is_apart_and_what_is_identical_is_told_once() -> None:
    touching = [cut("a", 0.0, 2.0, "anna"), cut("b", 1.99, 4.0, "bert"), cut("c", 4.0, 5.0, "anna")]
    fold = Fold("x", ("a",), ("b",), ("c",))
    assert audit(made(touching, fold)).overlaps == ()
    elsewhere = [replace(one, file=f"{one.id}.wav", start=0.0, end=2.0) for one in touching]
    assert audit(made(elsewhere, fold)).overlaps == ()
    same = [replace(one, start=0.0, end=2.0) for one in touching]
    assert len(audit(made(same, fold)).overlaps) == 3
    assert audit(made(same, fold), {one.id: Heard("same", 2.0) for one in same}).overlaps == ()


def test_long_recordings_of_many_turns_take_no_time() -> None:
    turns = [cut(f"u{i}", i * 1.0, i + 1.5, f"s{i % 4}", "high" if i % 3 else "low") for i in range(10_000)]
    ids = [one.id for one in turns]
    started = time.process_time()
    report = audit(made(turns, Fold("x", tuple(ids[:8000]), tuple(ids[8000:9000]), tuple(ids[9000:]))))
    assert time.process_time() - started < 5
    assert len(report.overlaps) == 9999
    assert [(one.id, one.other_id) for one in report.folds[0].overlaps] == [("u9000", "u8999"), ("u8000", "u7999")]


def test_stretches_that_nearly_all_overlap_are_told_and_take_no_time() -> None:
    crowd = [cut(f"c{number}", number / 10, None, "anna") for number in range(2000)]
    started = time.process_time()
    report = audit(made([*crowd, BESIDE], Fold("x", ("c0", "z"), (), ("c1",)), speaker_independent=False))
    assert time.process_time() - started < 10
    (warning,) = (one for one in report.findings if "2000 stretches" in one.text)
    assert warning.severity == "warning"
    assert "overlap 1999000 times (does each say where it ends?)" in warning.text
    assert len(report.overlaps) == sum(min(10, 1999 - number) for number in range(2000))
    assert any("in test and in train" in one.text for one in report.findings)
