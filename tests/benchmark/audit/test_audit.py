"""The audit finds every leak that is planted, counts what there is, and tells what tells the class."""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from toy import TOY_TASK

from benchmark.audit import Audit, audit
from benchmark.base import Corpus
from benchmark.data.listening import Heard
from benchmark.errors import BenchError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.types import CorpusCounts, Fold, Turns, Utterance
from tasks.corpora.csv import CSV

RANDOM = {"folds": {"scheme": "random-k-fold", "k": 4, "stratified": True}, "speaker_independent": False}
PART = {"label_map": {"high": "high", "low": "low"}, "expect": {"utterances": 40, "speakers": 4}}
REGRESSION = {"kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal"], "metrics": ["ccc"]}


class Elsewhere(CSV):
    """Another corpus, with a scale."""

    name = "elsewhere"
    scales: ClassVar[Mapping[str, tuple[float, float]]] = {"arousal": (1.0, 5.0)}


def load(settings: Settings, **changes: object) -> Dataset:
    return load_dataset(Task.model_validate({**copy.deepcopy(TOY_TASK), **changes}), [CSV()], settings)


def texts(dataset: Dataset, severity: str, heard: dict[str, Heard] | None = None) -> str:
    return " ".join(f.text for f in audit(dataset, heard).findings if f.severity == severity)


def said(
    name: str, speaker: str | None = "anna", label: str | float = "high", *, gender: str | None = None, **extra: str
) -> Utterance:
    """An utterance of a made dataset; numbers are arousal."""
    labels: dict[str, str | float] = {"emotion": label} if isinstance(label, str) else {"arousal": label}
    return Utterance(name, f"{name}.wav", speaker=speaker, gender=gender, labels=labels, extra=extra)


def made(
    utterances: Sequence[Utterance],
    *folds: Fold,
    corpora: tuple[Corpus, ...] = (CSV(),),
    turns: Mapping[str, Turns] | None = None,
    **changes: object,
) -> Dataset:
    """A dataset of these utterances in these folds; in one with turns before them, the others are context only."""
    task = Task.model_validate({**copy.deepcopy(TOY_TASK), **changes})
    examples = tuple(u for u in utterances if turns is None or u.id in turns)
    rest = tuple(u for u in utterances if turns is not None and u.id not in turns)
    labels = {u.id: str(u.labels["emotion"]) for u in examples} if task.labels else {}
    return Dataset(task, corpora, (), examples, rest, frozenset(), {}, labels, {}, turns or {}, folds)


def recordings(**digests: str) -> dict[str, Heard]:
    return {name: Heard(digest, 1.0) for name, digest in digests.items()}


# -- speakers ----------------------------------------------------------------------------------------------------------


def test_a_clean_split_has_no_findings(settings: Settings) -> None:
    report = audit(load(settings))
    assert report.findings == ()
    sets = report.folds[0].sets
    assert [sets[part].utterances for part in ("train", "dev", "test", "adapt")] == [20, 10, 10, 0]
    assert [sets[part].speakers for part in ("train", "dev", "test", "adapt")] == [2, 1, 1, 0]
    assert [sets[part].per_class for part in ("train", "dev")] == [{"high": 10, "low": 10}, {"high": 5, "low": 5}]
    assert sets["test"].genders == {"female": 10}
    assert (report.corpora[0].speakers, report.corpora[0].one_class_speakers) == (4, ())
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


def test_a_test_speaker_in_dev_alone_is_a_leak() -> None:
    """A head that is selected on the voices of the test set knows them, even if it was not fitted on them."""
    utterances = [said("a1"), said("a2", label="low"), said("b1", "bert"), said("b2", "bert", "low")]
    dataset = made(utterances, Fold("x", ("a1", "a2"), ("b1",), ("b2",)))
    assert audit(dataset).folds[0].shared_speakers == ("bert",)
    assert "test speakers are also in train or dev: in fold 'x' 1 of 1 (bert)" in texts(dataset, "error")
    heard = {name: Heard("same" if name in ("b1", "b2") else name, 1.0) for name in ("a1", "a2", "b1", "b2")}
    assert "Identical audio" in texts(dataset, "error", heard)


def test_dev_that_shares_speakers_with_train_is_noted() -> None:
    utterances = [said("a1"), said("a2", label="low"), said("b1", "bert"), said("b2", "bert", "low"), said("c", "cleo")]
    inside = Fold("x", ("a1", "b1", "b2"), ("a2",), ("c",))
    dataset = made(utterances, inside, replace(inside, name="y", train=("b1", "b2"), dev=("a1", "a2")))
    text = "In 1 of 2 folds dev speakers are also in train: in fold 'x' 1 of 1 (anna): a head is selected for voices"
    assert text in texts(dataset, "note")
    assert texts(dataset, "error") == ""
    assert [fold.dev_speakers_in_train for fold in audit(dataset).folds] == [("anna",), ()]
    # Dev that is test by declaration shares all its speakers with test, which is no news; those of train are.
    same = made(utterances, Fold("x", ("a1", "b1"), ("a2", "c"), ("a2", "c")), dev={"scheme": "test"})
    assert audit(same).folds[0].dev_speakers_in_train == ()
    assert audit(same).folds[0].shared_speakers == ("anna",)


def crossed(test_speaker: str, **changes: object) -> Dataset:
    utterances = [
        said("csv:a", "csv:anna", sentence="1"),
        said("csv:b", "csv:bert", "low", sentence="2"),
        said("elsewhere:c", "elsewhere:cleo", sentence="1"),
        said("elsewhere:d", "elsewhere:dora", "low", sentence="2"),
        said("elsewhere:e", test_speaker, "low", sentence="1"),
    ]
    fold = Fold("x", ("csv:a",), ("csv:b",), ("elsewhere:d", "elsewhere:e"), ("elsewhere:c",))
    parts = {"source": {"corpus": "csv", **PART}, "target": {"corpus": "elsewhere", **PART}}
    task = {key: value for key, value in TOY_TASK.items() if key not in ("corpus", "label_map", "expect")}
    return Dataset(
        task=Task.model_validate({**task, "dev": {"scheme": "none"}, **parts, **changes}),
        corpora=(CSV(), Elsewhere()),
        roots=(),
        utterances=tuple(utterances),
        context_only=(),
        listed=(),
        left_out={},
        labels={u.id: str(u.labels["emotion"]) for u in utterances},
        auxiliary={},
        context={},
        folds=(fold,),
    )


def test_adapting_to_test_speakers_must_be_declared() -> None:
    clean = audit(crossed("elsewhere:dora"))
    assert not [f.text for f in clean.findings if "speakers" in f.text]
    assert clean.folds[0].sets["adapt"].speakers == 1
    text = "In 1 of 1 folds heads adapt, without labels, to test speakers: in fold 'x' 1 of 2 (elsewhere:cleo)."
    assert texts(crossed("elsewhere:cleo"), "error") == text
    declared = crossed("elsewhere:cleo", speaker_independent=False)
    assert texts(declared, "error") == ""
    assert text in texts(declared, "warning")
    assert "no fold has any" not in texts(declared, "note")


def test_what_is_measured_between_two_corpora_is_measured_of_each() -> None:
    report = audit(crossed("elsewhere:dora"))
    source, target = report.corpora
    assert (source.name, source.utterances, source.speakers, source.sentences) == ("csv", 2, 2, 2)
    assert source.one_class_speakers == ("csv:anna", "csv:bert")
    assert (target.name, target.utterances, target.speakers, target.sentences) == ("elsewhere", 3, 2, 2)
    # Sentence 1 of one corpus is not sentence 1 of another.
    assert report.folds[0].sentences is not None
    assert report.folds[0].sentences.shared_utterances == 0
    notes = " ".join(finding.text for finding in report.findings)
    # No utterance of the source is to be tested, and one of the target is for adapting.
    assert "1 of 3 utterances are in no fold's test set (elsewhere:c)" in notes


def test_a_source_without_speakers_shares_none_with_the_target() -> None:
    dataset = crossed("elsewhere:dora")
    unknown = {name: [replace(u, speaker=None) if u.id.startswith(name) else u for u in dataset.utterances]
               for name in ("csv", "elsewhere")}  # fmt: skip
    assert texts(replace(dataset, utterances=tuple(unknown["csv"])), "error") == ""
    found = texts(replace(dataset, utterances=tuple(unknown["elsewhere"])), "error")
    assert "3 of 3 utterances have no speaker" in found
    assert "nothing shows whether one is in adapt and test at once" in found


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
    assert audit(dataset).corpora[0].without_speaker == 10
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


# -- identical audio ---------------------------------------------------------------------------------------------------


def test_identical_audio_across_the_split_stops(settings: Settings) -> None:
    dataset = load(settings)
    heard = {u.id: Heard(u.id, 1.0) for u in dataset.utterances}
    assert texts(dataset, "error", heard) == ""
    heard["anna/low0.wav"] = heard["bert/low0.wav"]
    found = texts(dataset, "error", heard)
    assert "Identical audio is in test and in train or dev, 2 times" in found
    assert "anna/low0.wav = bert/low0.wav" in found
    # With anna or bert in test the other is in dev or train; with cleo in test they are in train, with dora apart.
    assert "Identical audio is in dev and in train, once: anna/low0.wav = bert/low0.wav." in texts(
        dataset, "note", heard
    )
    declared = replace(dataset, task=dataset.task.model_copy(update={"speaker_independent": False}))
    assert texts(declared, "error", heard) == ""
    assert "Identical audio is in test and in train or dev, 2 times" in texts(declared, "warning", heard)


def test_a_copy_in_train_and_in_dev_is_told_of_both_and_counted_once() -> None:
    utterances = [said("a"), said("b", "bert", "low"), said("c", "cleo"), said("d", "dora", "low")]
    dataset = made(utterances, Fold("x", ("a", "b"), ("c",), ("d",)))
    heard = recordings(a="other", b="same", c="same", d="same")
    (fold,) = audit(dataset, heard).folds
    assert [(c.id, c.part, c.other_id, c.other_part) for c in fold.copies] == [
        ("d", "test", "b", "train"),
        ("d", "test", "c", "dev"),
        ("c", "dev", "b", "train"),
    ]
    assert "in test and in train or dev, once: d = b." in texts(dataset, "error", heard)
    # Of two in one set the first is told.
    assert "once: d = a." in texts(dataset, "error", {**heard, "a": heard["b"]})


def test_identical_audio_in_adapt_must_be_declared() -> None:
    dataset = crossed("elsewhere:dora")
    heard = {u.id: Heard(u.id, 1.0) for u in dataset.utterances}
    assert texts(dataset, "error", heard) == ""
    heard["elsewhere:c"] = heard["elsewhere:d"]
    found = texts(dataset, "error", heard)
    assert found == "Identical audio is in test and in adapt, once: elsewhere:d = elsewhere:c."


def test_dev_that_is_test_is_not_a_copy_of_it() -> None:
    utterances = [said("a"), said("b", "bert", "low")]
    dataset = made(utterances, Fold("x", ("a",), ("b",), ("b",)), dev={"scheme": "test"})
    assert audit(dataset, recordings(a="1", b="2")).folds[0].copies == ()
    assert len(audit(dataset, recordings(a="1", b="1")).folds[0].copies) == 1


def test_identical_audio_of_several_speakers_or_labels_is_a_warning_and_a_repetition_a_note() -> None:
    utterances = [
        said("a", "anna", "high"),
        said("b", "bert", "high"),
        said("c", "anna", "low"),
        said("d", "dora", "high"),
        said("e", "dora", "high"),
        said("f", None, "low"),
    ]
    dataset = made(utterances, Fold("x", tuple("abcdef"), (), ("f",)))
    heard = recordings(a="1", b="1", c="1", d="2", e="2", f="3")
    report = audit(dataset, heard)
    assert [(group.ids, group.speakers, group.labels) for group in report.identical] == [
        (("a", "b", "c"), ("anna", "bert"), ("high", "low")),
        (("d", "e"), ("dora",), ("high",)),
    ]
    warnings = texts(dataset, "warning", heard)
    assert "under the names of different speakers, once: a = b = c (anna, bert): who speaks" in warnings
    assert "Identical audio has different labels, once: a = b = c (high, low)" in warnings
    assert "there more than once, once: d = e." in texts(dataset, "note", heard)
    assert audit(dataset, recordings(**{name: name for name in "abcdef"})).identical == ()
    # A name that nobody gave is no second speaker.
    assert "different speakers" not in texts(dataset, "warning", recordings(c="1", f="1"))


# -- sentences ---------------------------------------------------------------------------------------------------------


def overlap(*sentences: Mapping[str, str]) -> Dataset:
    """Four utterances of four speakers: train, dev, test, test."""
    labels = ["high", "low", "high", "low"]
    utterances = [said(f"u{i}", f"s{i}", labels[i], **extra) for i, extra in enumerate(sentences)]
    return made(utterances, Fold("x", ("u0",), ("u1",), ("u2", "u3")))


def test_sentences_of_test_that_are_in_train_or_dev_are_counted() -> None:
    dataset = overlap({"sentence": "1"}, {"sentence": "2"}, {"sentence": "2"}, {"sentence": "3"})
    found = audit(dataset).folds[0].sentences
    assert found is not None
    assert (found.utterances, found.shared_utterances, found.sentences, found.shared_sentences) == (2, 1, 2, 1)
    assert found.share == 0.5
    assert audit(dataset).corpora[0].sentences == 3
    text = "in 1 of 1 folds sentences of test are also in train or dev, in fold 'x' 1 of 2, which are 50.0 % of its utt"
    assert text in texts(dataset, "note")
    assert "no fold tests a new sentence" not in texts(dataset, "note")
    every = overlap({"sentence": "1"}, {"sentence": "2"}, {"sentence": "2"}, {"sentence": "1"})
    assert "2 of 2, which are 100.0 % of its utterances; no fold tests a new sentence." in texts(every, "note")
    assert "Lexical" not in texts(overlap(*({"sentence": name} for name in "1234")), "note")


def test_words_are_a_sentence_where_it_has_no_id() -> None:
    dataset = overlap({"text": "Well - who's that?"}, {"text": "?"}, {"text": "well, WHO’S  that"}, {"text": "who"})
    found = audit(dataset).folds[0].sentences
    assert found is not None
    assert (found.utterances, found.shared_utterances) == (2, 1)
    # An id decides, whatever the words.
    by_id = overlap({"text": "a", "sentence": "1"}, {"text": "b"}, {"text": "a", "sentence": "2"}, {"text": "b"})
    found = audit(by_id).folds[0].sentences
    assert found is not None
    assert (found.utterances, found.shared_utterances) == (2, 1)
    assert audit(overlap({}, {}, {}, {})).folds[0].sentences is None
    assert audit(overlap({}, {}, {}, {})).corpora[0].sentences is None


def test_sentences_that_tell_the_class_are_a_warning_where_they_are_shared() -> None:
    utterances = [said(f"{label}{i}", f"s{i}", label, sentence=label) for label in ("high", "low") for i in range(6)]
    train, test = ([u.id for u in utterances if u.speaker in names] for names in (("s0", "s1", "s2"), ("s4", "s5")))
    dataset = made(utterances, Fold("x", tuple(train), (), tuple(test)), dev={"scheme": "none"})
    giveaway = audit(dataset).corpora[0].giveaways["sentence"]
    assert giveaway is not None
    assert (giveaway.utterances, giveaway.groups, giveaway.uar, giveaway.nmi) == (12, 2, 1.0, pytest.approx(1.0))
    assert giveaway.chance_uar < 0.7
    found = texts(dataset, "warning")
    assert "Lexical overlap" in found
    assert "the sentence alone tells the class with UAR 100.0 % (by chance" in found
    apart = replace(dataset, folds=(Fold("x", tuple(i for i in train if i[0] == "h"), (), ("low4", "low5")),))
    assert "Lexical overlap" not in texts(apart, "warning")
    assert "but no sentence of test is in train or dev" in texts(apart, "note")


# -- classes, durations, coverage --------------------------------------------------------------------------------------


def test_missing_classes_are_found(settings: Settings) -> None:
    dataset = load(settings)
    labels = {name: "high" if name.startswith("anna") else label for name, label in dataset.labels.items()}
    changed = replace(dataset, labels=labels)
    assert "1 of 4 folds lack a class in test: anna." in texts(changed, "note")
    assert "1 of 4 folds lack a class in dev: dora." in texts(changed, "warning")
    assert audit(changed).folds[0].missing == ("test: low",)
    pooled = replace(changed, task=dataset.task.model_copy(update={"pool": "folds"}))
    assert "lack a class in test" in texts(pooled, "warning")


def test_selection_on_test_is_found(settings: Settings) -> None:
    assert "selected on the test set" in texts(load(settings, dev={"scheme": "test"}), "warning")


def test_durations_are_told_by_class() -> None:
    utterances = [said(name, label="high" if name < "d" else "low") for name in "abcde"]
    dataset = made(utterances, Fold("x", ("a",), ("b",), ("c",)))
    seconds = {"a": 1.0, "b": 2.0, "c": 6.0, "d": 5.0}
    (corpus,) = audit(dataset, {name: Heard(name, value) for name, value in seconds.items()}).corpora
    high, low = corpus.durations["high"], corpus.durations["low"]
    assert (high.utterances, high.total, high.median, high.shortest, high.longest) == (3, 9.0, 2.0, 1.0, 6.0)
    assert (low.utterances, low.total, low.median, low.shortest, low.longest) == (1, 5.0, 5.0, 5.0, 5.0)
    assert audit(dataset).corpora[0].durations == {}
    assert audit(dataset).corpora[0].giveaways["duration"] is None


def test_a_duration_that_tells_the_class_is_noted() -> None:
    utterances = [said(f"{label}{i}", f"s{i}", label) for label in ("high", "low") for i in range(10)]
    dataset = made(utterances, Fold("x", ("high0",), ("high1",), ("low1",)))
    short = {u.id: Heard(u.id, (1.0 if u.id < "i" else 3.0) + int(u.id[-1]) / 20) for u in utterances}
    assert "The duration alone tells the class with UAR 100.0 % (by chance" in texts(dataset, "note", short)
    alike = {u.id: Heard(u.id, 1.0 + int(u.id[-1]) / 20) for u in utterances}
    assert "duration" not in texts(dataset, "note", alike)


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


def test_a_number_that_nobody_published_was_not_checked(settings: Settings) -> None:
    dataset = load(settings, expect={"utterances": None, "speakers": None})
    text = "No public number of utterances of 'csv' is known: nothing shows whether it is whole."
    assert text in texts(dataset, "warning")
    assert "No public number of speakers of 'csv' is known: it was not checked." in texts(dataset, "note")
    # Where the corpus knows how much it holds, loading has asked it.
    counted = type("Counted", (CSV,), {"counts": {"all": CorpusCounts(40, 4)}})()
    assert text not in texts(replace(dataset, corpora=(counted,)), "warning")


def test_a_part_of_a_corpus_is_said_to_be_one(settings: Settings) -> None:
    task = Task.model_validate({**copy.deepcopy(TOY_TASK), "expect": {"utterances": 80, "speakers": 4}})
    dataset = load_dataset(task, [CSV()], settings, allow_partial=True)
    assert "This is a part of the corpus: 40 utterances instead of 80." in texts(dataset, "note")


# -- what tells the class ----------------------------------------------------------------------------------------------


def test_speakers_with_one_class_are_counted(settings: Settings) -> None:
    dataset = load(settings, **RANDOM)
    labels = {name: "high" if name[0] in "ab" else "low" for name in dataset.labels}
    found = texts(replace(dataset, labels=labels), "warning")
    assert "4 of 4 speakers have one class only; the speaker alone tells the class with UAR 100.0 % (by chance" in found
    assert "with shared speakers a score shows who speaks, not how" in found
    apart = replace(load(settings), labels=labels)
    assert "a head may learn voices instead of emotions" in texts(apart, "note")


def test_speakers_that_tell_nothing_are_no_finding(settings: Settings) -> None:
    dataset = load(settings, **RANDOM)
    giveaway = audit(dataset).corpora[0].giveaways["speaker"]
    assert giveaway is not None
    # All speakers have five of each: without its own, an utterance's class is the rarer one.
    assert (giveaway.uar, giveaway.nmi) == (0.0, pytest.approx(0.0))
    assert 0.2 < giveaway.chance_uar < 0.6
    assert "alone tells" not in texts(dataset, "warning") + texts(dataset, "note")


# -- regression, context, the whole ------------------------------------------------------------------------------------


def test_dimensions_are_summed_up_and_held_to_their_scale() -> None:
    values = {"a": 1.0, "b": 3.0, "c": 2.0, "d": 5.5, "e": 0.5}
    utterances = [said(name, f"s{name}", value) for name, value in values.items()]
    fold = Fold("x", ("a", "b"), ("c",), ("d", "e"))
    changes = {**REGRESSION, "expect": {"utterances": 5, "speakers": 5}}
    report = audit(made(utterances, fold, corpora=(Elsewhere(),), **changes), recordings(a="1", b="1", c="2"))
    train, test = (report.folds[0].sets[part].values["arousal"] for part in ("train", "test"))
    assert (train.mean, train.sd, test.mean, test.sd) == (2.0, 1.0, 3.0, 2.5)
    assert report.folds[0].sets["adapt"].values == {}
    assert report.folds[0].sets["train"].per_class == {}
    (corpus,) = report.corpora
    spread = corpus.values["arousal"]
    assert (spread.mean, spread.lowest, spread.highest, spread.scale) == (2.4, 0.5, 5.5, (1.0, 5.0))
    assert spread.outside == ("d", "e")
    assert set(corpus.durations) == {"all"}
    assert set(corpus.giveaways.values()) == {None}
    found = " ".join(finding.text for finding in report.findings if finding.severity == "warning")
    assert "2 of 5 utterances of 'elsewhere' have arousal outside of its scale, 1 to 5: d, e." in found
    assert "Identical audio has different labels, once: a = b (1, 3)" in found
    unknown = audit(made(utterances, fold, **changes))
    assert unknown.corpora[0].values["arousal"].scale is None
    assert [finding.severity for finding in unknown.findings] == ["note"]


def test_context_is_heard_and_the_example_is_not() -> None:
    """Anna is tested, and never speaks in train; but train has heard her, in what was said before."""
    utterances = [
        said("a1", "anna", "low", sentence="1"),
        said("b1", "bert", sentence="1"),
        said("a2", "anna", sentence="1"),
        said("b2", "bert", "low", sentence="1"),
    ]
    turns: dict[str, Turns] = {"b1": (("a1",),), "a2": (("b1",),), "b2": (("a2",),)}
    fold = Fold("x", ("b1",), ("b2",), ("a2",))
    changes = {"context": {"turns": 1}, "expect": {"utterances": 3, "speakers": 2}}
    dataset = made(utterances, fold, turns=turns, **changes)
    assert [utterance.id for utterance in dataset.context_only] == ["a1"]
    heard = recordings(a1="1", b1="2", a2="3", b2="4")
    report = audit(dataset, heard)
    assert report.folds[0].shared_speakers == ("anna", "bert")
    assert report.folds[0].sets["train"].speakers == 2
    assert report.folds[0].copies == ()
    assert report.folds[0].sentences is None
    assert report.corpora[0].utterances == 3
    assert [report.corpora[0].giveaways[what] for what in ("sentence", "duration")] == [None, None]
    assert report.corpora[0].giveaways["speaker"] is not None
    # Two examples whose context is one and the same recording, or identical ones.
    both = replace(dataset, context={**turns, "b1": (("b1",),)})
    assert [(c.id, c.other_id, c.other_part) for c in audit(both, heard).folds[0].copies] == [("b1", "b1", "train")]
    (copied,) = audit(dataset, {**heard, "a1": heard["b1"]}).folds[0].copies
    assert (copied.id, copied.part, copied.other_id) == ("b1", "test", "a1")


KEYS = {
    "": {"task", "version", "kind", "outputs", "corpora", "folds", "identical", "overlaps", "crowds", "findings"},
    "findings": {"severity", "text"},
    "identical": {"ids", "speakers", "labels"},
    "corpora": {
        *("name", "utterances", "speakers", "without_speaker", "genders", "durations", "values", "one_class_speakers"),
        *("sentences", "giveaways"),
    },
    "corpora.durations": {"utterances", "total", "median", "shortest", "longest"},
    "corpora.giveaways": {"utterances", "groups", "uar", "chance_uar", "nmi", "chance_nmi"},
    "folds": {
        *("name", "sets", "shared_speakers", "dev_speakers_in_train", "test_speakers_in_adapt", "copies", "overlaps"),
        *("sentences", "missing"),
    },
    "folds.sets": {"utterances", "speakers", "genders", "per_class", "values"},
    "folds.copies": {"id", "part", "other_id", "other_part"},
    "folds.sentences": {"utterances", "shared_utterances", "sentences", "shared_sentences"},
}


def test_everything_is_plain_json_with_stable_keys(settings: Settings) -> None:
    dataset = load(settings, **RANDOM)
    same = tuple(replace(u, extra={"sentence": "1"}) for u in dataset.utterances)
    heard = {u.id: Heard(u.id[:6], 1.0) for u in same}
    report = audit(replace(dataset, utterances=same), heard)
    plain = report.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    for where, keys in KEYS.items():
        found = plain
        for name in filter(None, where.split(".")):
            found = found[name]
            found = found[0] if isinstance(found, list) else found
        if where in ("corpora.durations", "corpora.giveaways", "folds.sets"):
            for inner in found.values():
                assert set(inner) == keys, where
        else:
            assert set(found) == keys, where
    assert set(plain["folds"][0]["sets"]) == {"train", "dev", "test", "adapt"}
    assert set(plain["corpora"][0]["giveaways"]) == {"speaker", "sentence", "duration"}


def test_findings_come_worst_first(settings: Settings) -> None:
    heard = {u.id: Heard("same", 1.0) for u in load(settings).utterances}
    report = audit(load(settings, expect={"utterances": None, "speakers": None}), heard)
    order = [finding.severity for finding in report.findings]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert set(order) == {"error", "warning", "note"}


def test_large_corpora_are_audited_in_seconds() -> None:
    """Twenty thousand utterances in ten folds, with many copies; comparing all pairs would take minutes."""
    count, folds = 20_000, 10
    utterances = [
        said(f"u{i}", f"s{i % 500}", "high" if i % 3 else "low", gender="female", text=f"words {i % 7000}, and more")
        for i in range(count)
    ]
    ids = [utterance.id for utterance in utterances]
    divided = [
        Fold(str(k), tuple(ids[i] for i in range(count) if i % folds not in (k, (k + 1) % folds)),
             tuple(ids[(k + 1) % folds :: folds]), tuple(ids[k::folds]))
        for k in range(folds)
    ]  # fmt: skip
    heard = {name: Heard(str(i % 15_000), 1.0 + i % 7) for i, name in enumerate(ids)}
    dataset = made(utterances, *divided, speaker_independent=False)
    started = time.process_time()
    report = audit(dataset, heard)
    assert time.process_time() - started < 10
    assert len(report.identical) == 5000


@pytest.mark.corpora
def test_urdu_as_published() -> None:
    if not (Path(os.environ.get("BENCH_DATA", "/nowhere")) / "urdu").is_dir():
        pytest.skip("URDU is not at hand: set BENCH_DATA")
    reports: dict[str, Audit] = {}
    registry, settings = Registry(), load_settings()
    for name in ("urdu", "urdu-random"):
        task = registry.task(name)
        dataset = load_dataset(task, registry.corpora_of(task), settings)
        reports[name] = audit(dataset, listen(dataset, settings, {}, lambda count: None))
        reports[name].stop_on_error(name)
    text = "26 of 29 speakers have one class only; the speaker alone tells the class with UAR 96.0 %"
    for name, severity in (("urdu", "note"), ("urdu-random", "warning")):
        assert [f.severity for f in reports[name].findings if f.text.startswith(text)] == [severity]
    assert not any(fold.shared_speakers for fold in reports["urdu"].folds)
    assert all(fold.shared_speakers for fold in reports["urdu-random"].folds)
    assert reports["urdu"].identical == ()
