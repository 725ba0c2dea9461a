"""What a protocol says of a corpus: exclusions, joined speakers, filters, labels and auxiliary classes."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from toy import TOY_TASK

from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError
from benchmark.protocol.dataset import deciding_fields, load_dataset
from benchmark.protocol.members import choose
from benchmark.protocol.task import Task
from benchmark.types import CorpusCounts, Utterance
from tasks.corpora.csv import CSV

EXPECT = {"utterances": None, "speakers": None}


def task(**changes: object) -> Task:
    return Task.model_validate({**copy.deepcopy(TOY_TASK), "expect": EXPECT, **changes})


def test_excluded_utterances_are_left_out_and_counted_by_reason(settings) -> None:
    why = {"anna/high0.wav": "broken", "bert/low1.wav": "broken", "cleo/low1.wav": "a duplicate"}
    dataset = load_dataset(task(exclude=why), [CSV()], settings)
    assert len(dataset.utterances) == 37
    assert not set(why) & set(dataset.by_id)
    assert dataset.left_out == {"broken": 2, "a duplicate": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exclude": {"anna/high9.wav": "broken"}}, "no utterance 'anna/high9.wav', which exclude names"),
        ({"same_speaker": [["anna", "otto"]]}, "no speaker 'otto', whom same_speaker names"),
    ],
)
def test_what_the_corpus_does_not_have_is_refused(settings, changes: dict, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        load_dataset(task(**changes), [CSV()], settings)
    (difference,) = load_dataset(task(**changes), [CSV()], settings, allow_partial=True).differences
    assert difference == message


def test_two_names_of_one_speaker_are_never_in_train_and_test(settings) -> None:
    dataset = load_dataset(task(same_speaker=[["anna", "dora"]]), [CSV()], settings)
    assert {utterance.speaker for utterance in dataset.utterances} == {"anna", "bert", "cleo"}
    fold = next(fold for fold in dataset.folds if fold.name == "anna")
    assert {i.split("/")[0] for i in fold.test} == {"anna", "dora"}


def test_a_speaker_is_joined_once(settings) -> None:
    with pytest.raises(ValueError, match="same_speaker lists 'anna' twice"):
        task(same_speaker=[["anna", "dora"], ["cleo", "anna"]])


def spoken(name: str, **more: object) -> Utterance:
    return Utterance(name, f"{name}.wav", speaker=name, **more)


def test_what_a_corpus_tells_besides_does_not_change_its_identity() -> None:
    """Transcriptions, agreement, genders: not every packaging has them."""
    bare = [spoken("a", labels={"emotion": "high"}, extra={"text": None, "set": "x"})]
    rich = [spoken("a", labels={"emotion": "high"}, gender="female", extra={"text": "hello", "set": "x"})]
    other = [spoken("a", labels={"emotion": "high"}, extra={"text": None, "set": "y"})]
    assert index_digest(bare) == index_digest(rich) == index_digest(other)
    assert deciding_fields(task(filter={"set": ["x"]})) == {"set"}
    assert index_digest(bare, ["set"]) == index_digest(rich, ["set"]) != index_digest(other, ["set"])
    for change in ({"speaker": "b"}, {"session": "1"}, {"labels": {"emotion": "low"}}, {"split": "test"}, {"end": 1.0}):
        assert index_digest([replace(bare[0], **change)]) != index_digest(bare)
    assert index_digest([replace(bare[0], file="elsewhere.wav")]) == index_digest(bare)


def test_a_filter_that_leaves_nothing_says_so(settings) -> None:
    with pytest.raises(BenchError, match=r"uses none of the 40 utterances of the corpus 'csv' .session is not 9: 40"):
        load_dataset(task(filter={"session": ["9"]}), [CSV()], settings)


def test_null_in_a_filter_stands_for_unknown() -> None:
    utterances = [spoken(n, extra={"set": s}, labels={"emotion": "high"}) for n, s in (("a", None), ("b", "x"))]
    part = task(filter={"set": [None]})
    assert [u.id for u in choose(part, part.uses[0], utterances).utterances] == ["a"]
    part = task(filter={"set": ["None"]})
    assert choose(part, part.uses[0], utterances).utterances == []


def test_another_label_than_emotion_may_be_the_target() -> None:
    utterances = [spoken("a", labels={"emotion": "sad", "polarity": "high"})]
    rule = task(label="polarity")
    assert choose(rule, rule.uses[0], utterances).labels == {"a": "high"}
    rule = task(label="mood")
    with pytest.raises(BenchError, match=r"has no mood, which .*: \"\": null in the label_map"):
        choose(rule, rule.uses[0], utterances)


def test_what_has_no_label_is_left_out_where_the_map_says_so_and_counted() -> None:
    utterances = [spoken("a", labels={"emotion": "high"}), spoken("b", labels={}), spoken("c", labels={"arousal": 1.0})]
    mapped = {"high": "high", "low": "low"}
    rule = task(label_map=mapped)
    with pytest.raises(BenchError, match="utterance 'b' has no label"):
        choose(rule, rule.uses[0], utterances)
    rule = task(label_map={**mapped, "": None})
    chosen = choose(rule, rule.uses[0], utterances)
    assert ([u.id for u in chosen.utterances], dict(chosen.left_out)) == (["a"], {"no label": 2})
    with pytest.raises(ValueError, match="sends what has no label to 'high': it can only be left out"):
        task(label_map={**mapped, "": "high"})


REGRESSION = {
    "kind": "regression",
    "labels": [],
    "label_map": {},
    "dimensions": ["arousal"],
    "metrics": ["ccc"],
    "auxiliary": {"labels": ["high", "low"], "label_map": {"high": "high", "low": "low", "none": None}},
}


def test_auxiliary_classes_stand_beside_dimensions_and_none_is_allowed(own_toy_corpus) -> None:
    from benchmark.io.settings import load_settings

    index = own_toy_corpus / "index.csv"
    head, *rows = index.read_text().splitlines()
    rows[0] = rows[0].replace(",high,", ",none,")
    index.write_text("\n".join([f"{head},arousal", *(f"{row},{n}" for n, row in enumerate(rows))]) + "\n")
    dataset = load_dataset(task(**REGRESSION), [CSV()], load_settings([f"toy={own_toy_corpus}"]))
    assert len(dataset.utterances) == 40
    three = [dataset.by_id[i] for i in ("anna/high0.wav", "anna/high1.wav", "anna/low0.wav")]
    np.testing.assert_array_equal(dataset.auxiliary_targets(three), [-1, 0, 1])


def test_a_task_without_auxiliary_classes_has_none(settings) -> None:
    dataset = load_dataset(task(), [CSV()], settings)
    assert dataset.auxiliary_targets(dataset.utterances) is None


def test_auxiliary_classes_follow_the_rules_of_classes() -> None:
    with pytest.raises(ValueError, match="label_map sends 'high' to 'hihg'"):
        task(**{**REGRESSION, "auxiliary": {"labels": ["high", "low"], "label_map": {"high": "hihg", "low": "low"}}})
    with pytest.raises(ValueError, match="this task has classes of its own"):
        task(auxiliary=REGRESSION["auxiliary"])


class Counted(CSV):
    """A corpus that knows how much it holds."""

    counts = {"all": CorpusCounts(50, 5)}  # noqa: RUF012


def test_where_a_protocol_expects_no_number_the_corpus_is_asked(settings) -> None:
    with pytest.raises(BenchError, match="40 utterances of the corpus instead of 50"):
        load_dataset(task(), [Counted()], settings)
    assert load_dataset(task(), [Counted()], settings, allow_partial=True).differences
    assert load_dataset(task(expect={"utterances": 40, "speakers": 4}), [Counted()], settings).differences == ()


def test_unknown_counts_check_nothing_and_known_ones_do(settings) -> None:
    assert len(load_dataset(task(), [CSV()], settings).utterances) == 40
    with pytest.raises(BenchError, match="4 speakers instead of 5"):
        load_dataset(task(expect={"utterances": None, "speakers": 5}), [CSV()], settings)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "high"])
def test_a_dimension_that_is_no_number_is_refused(value: object) -> None:
    rule = task(**{**REGRESSION, "auxiliary": None})
    utterances = [spoken("a", labels={"arousal": 1.0}), spoken("b", labels={"arousal": value})]
    with pytest.raises(BenchError, match="utterance 'b' has no number for 'arousal'"):
        choose(rule, rule.uses[0], utterances)


def test_what_differs_in_a_corpus_of_ones_own_may_be_the_protocol(settings) -> None:
    with pytest.raises(BenchError, match=r"40 utterances instead of 41 .*correct expect in the YAML of the task"):
        load_dataset(task(expect={"utterances": 41, "speakers": 4}), [CSV()], settings)


def test_what_lacks_in_a_known_corpus_is_to_be_got(settings) -> None:
    class Known(CSV):
        counts: ClassVar = {"all": CorpusCounts(41, 4)}
        how_to_get = "ask for it"

    expected = task(expect={"utterances": 41, "speakers": 4})
    with pytest.raises(BenchError, match=r"40 utterances instead of 41 \(ask for it; or"):
        load_dataset(expected, [Known()], settings)
    Known.counts = {"all": CorpusCounts(40, 4)}  # all is here
    with pytest.raises(BenchError, match="correct expect in the YAML of the task"):
        load_dataset(expected, [Known()], settings)
    Known.counts = {"all": CorpusCounts(40, 4)}
    with pytest.raises(BenchError, match=r"the same counts but another index .* \(ask for it; or"):
        load_dataset(task(expect={"utterances": 40, "speakers": 4, "index_sha256": "0" * 64}), [Known()], settings)
