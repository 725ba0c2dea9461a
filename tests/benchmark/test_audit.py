"""The audit finds every leak that is planted."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from conftest import TOY_TASK

from benchmark.audit import audit, relative_information, speaker_vote_uar
from benchmark.dataset import Dataset, load_dataset
from benchmark.errors import BenchError
from benchmark.listening import Heard
from benchmark.protocol import Task
from benchmark.settings import Settings
from tasks.corpora.csv import CSV

RANDOM = {"folds": {"scheme": "random-k-fold", "k": 4, "stratified": True}, "speaker_independent": False}


def load(settings: Settings, **changes: object) -> Dataset:
    return load_dataset(Task.model_validate({**copy.deepcopy(TOY_TASK), **changes}), CSV(), settings)


def texts(dataset: Dataset, severity: str, heard: dict[str, Heard] | None = None) -> str:
    return " ".join(f.text for f in audit(dataset, heard).findings if f.severity == severity)


def test_a_clean_split_has_no_findings(settings: Settings) -> None:
    report = audit(load(settings))
    assert report.findings == ()
    assert report.folds[0].sizes == (20, 10, 10)
    assert report.folds[0].speakers == (2, 1, 1)
    report.stop_on_error("toy")


def test_declared_overlap_is_a_warning_and_undeclared_overlap_stops(settings: Settings) -> None:
    dataset = load(settings, **RANDOM)
    assert "In 4 of 4 folds test speakers are also in train or dev" in texts(dataset, "warning")
    undeclared = load(settings, **{**RANDOM, "speaker_independent": True})
    assert "4 of 4 (anna, bert, cleo, dora)" in texts(undeclared, "error")
    with pytest.raises(BenchError, match="the split of 'toy' leaks or cannot be checked: In 4 of 4 folds"):
        audit(undeclared).stop_on_error("toy")


def test_a_declared_overlap_that_is_none_is_noted(settings: Settings) -> None:
    assert "no fold has any" in texts(load(settings, speaker_independent=False), "note")


def test_identical_audio_across_the_split_stops(settings: Settings) -> None:
    dataset = load(settings)
    heard = {u.id: Heard(u.id, 1.0) for u in dataset.utterances}
    assert texts(dataset, "error", heard) == ""
    heard["anna/low0.wav"] = heard["bert/low0.wav"]
    found = texts(dataset, "error", heard)
    assert "Identical audio is in test and in train or dev, 2 times" in found
    assert "anna/low0.wav = bert/low0.wav" in found


def test_missing_classes_are_found(settings: Settings) -> None:
    dataset = load(settings)
    labels = {name: "high" if name.startswith("anna") else label for name, label in dataset.labels.items()}
    changed = replace(dataset, labels=labels)
    assert "1 of 4 folds lack a class in test: anna." in texts(changed, "note")
    assert "1 of 4 folds lack a class in dev: dora." in texts(changed, "warning")
    pooled = replace(changed, task=dataset.task.model_copy(update={"pool": "folds"}))
    assert "lack a class in test" in texts(pooled, "warning")


def test_selection_on_test_is_found(settings: Settings) -> None:
    assert "selected on the test set" in texts(load(settings, dev={"scheme": "test"}), "warning")


def test_speakers_with_one_class_are_counted(settings: Settings) -> None:
    dataset = load(settings, **RANDOM)
    labels = {name: "high" if name[0] in "ab" else "low" for name in dataset.labels}
    found = texts(replace(dataset, labels=labels), "warning")
    assert "4 of 4 speakers have one class only; the speaker alone tells the class with UAR 100.0 % (100 %" in found


def test_what_the_speaker_tells_by_hand() -> None:
    # Speaker 1: three high; speaker 2: two low, one high. Leaving one out: speaker 1 always right; of speaker 2 the
    # low ones see one low and one high (a tie, the first label wins), the high one sees two low.
    speakers = [{"high": 3}, {"low": 2, "high": 1}]
    assert speaker_vote_uar(speakers, ["high", "low"]) == pytest.approx((3 / 4 + 0 / 2) / 2)
    assert speaker_vote_uar(speakers, ["low", "high"]) == pytest.approx((3 / 4 + 2 / 2) / 2)


def test_information_by_hand() -> None:
    assert relative_information([{"a": 5}, {"b": 5}]) == pytest.approx(1.0)
    assert relative_information([{"a": 5, "b": 5}, {"a": 5, "b": 5}]) == pytest.approx(0.0)
    # H(class) = 1 bit; half of the utterances are of a speaker with both classes (1 bit), half tell all.
    assert relative_information([{"a": 2, "b": 2}, {"a": 2}, {"b": 2}]) == pytest.approx(0.5)
    assert relative_information([{"a": 5}]) == 1.0


def without_speakers(dataset: Dataset, *names: str) -> Dataset:
    utterances = [replace(u, speaker=None) if u.speaker in names else u for u in dataset.utterances]
    return replace(dataset, utterances=tuple(utterances))


OFFICIAL_DEV = {"scheme": "random", "fraction": 0.2}
LISTED = {"scheme": "listed", "by": "id", "folds": [{"name": "a", "test": ["anna/low0.wav", "anna/high0.wav"]}]}


def test_independence_of_speakers_that_nobody_knows_cannot_be_claimed(settings: Settings) -> None:
    """Folds by session, or at random: without speakers nothing tells whether one is in train and test at once."""
    dataset = without_speakers(load(settings), "anna")
    found = texts(dataset, "error")
    assert "10 of 40 utterances have no speaker (anna/high0.wav, " in found
    assert "and 5 more)" in found
    with pytest.raises(BenchError, match="the split of 'toy' leaks or cannot be checked: 10 of 40 utterances"):
        audit(dataset).stop_on_error("toy")


def test_unknown_speakers_of_an_official_or_listed_split_are_a_warning(settings: Settings) -> None:
    dataset = without_speakers(load(settings, folds=LISTED, dev=OFFICIAL_DEV), "anna", "bert", "cleo", "dora")
    assert texts(dataset, "error") == ""
    assert "40 of 40 utterances have no speaker" in texts(dataset, "warning")
    official = Task.model_validate({**copy.deepcopy(TOY_TASK), "folds": {"scheme": "official"}, "dev": OFFICIAL_DEV})
    assert "40 of 40 utterances have no speaker" in texts(replace(dataset, task=official), "warning")


def test_unknown_speakers_are_a_warning_where_nothing_is_claimed(settings: Settings) -> None:
    dataset = without_speakers(load(settings, speaker_independent=False), "anna")
    assert texts(dataset, "error") == ""
    assert "10 of 40 utterances have no speaker" in texts(dataset, "warning")
    assert "no fold has any" not in texts(dataset, "note")


def test_utterances_that_are_never_tested_are_noted(settings: Settings) -> None:
    found = texts(load(settings, folds=LISTED, dev=OFFICIAL_DEV), "note")
    assert "38 of 40 utterances are in no fold's test set" in found
    assert "in no set" not in found


def test_utterances_that_a_fold_leaves_out_are_noted(settings: Settings) -> None:
    listed = [
        {"name": "a", "test": ["anna"], "train": ["bert", "cleo"]},
        {"name": "b", "test": ["bert"], "train": ["anna", "dora"]},
        {"name": "c", "test": ["cleo", "dora"]},
    ]
    folds = {"scheme": "listed", "by": "speaker", "folds": listed}
    found = texts(load(settings, folds=folds, dev={"scheme": "none"}), "note")
    assert "In 2 of 3 folds utterances are in no set: in fold 'a' 10 of 40 (dora/high0.wav, " in found
    assert "in no fold's test set" not in found
