"""IEMOCAP: the sessions, speakers, turns and sizes of each of its protocols."""

from __future__ import annotations

import itertools

import pytest
from trees.sets import Load, sessions, sizes_by_fold, speakers

SESSIONS = {"Session1": 1085, "Session2": 1023, "Session3": 1151, "Session4": 1031, "Session5": 1241}


SUPERB_DEV = {"Session1": 890, "Session2": 902, "Session3": 876, "Session4": 900, "Session5": 858}


@pytest.mark.parametrize("task", ["iemocap", "iemocap-dev-session"])
def test_iemocap_leaves_sessions_out(load: Load, task: str) -> None:
    dataset = load(task)
    assert sizes_by_fold(dataset, "test") == SESSIONS
    for fold in dataset.folds:
        assert sessions(dataset, fold.test) == {fold.name}
        assert len(fold.train) + len(fold.dev) + len(fold.test) == 5531


def test_dev_of_iemocap_is_a_random_fifth(load: Load) -> None:
    dataset = load("iemocap")
    dev = sizes_by_fold(dataset, "dev")
    # SUPERB rounds train down, so that its dev has an utterance more in some folds.
    assert all(0 <= SUPERB_DEV[name] - dev[name] <= 1 for name in SESSIONS)
    assert all(speakers(dataset, fold.dev) == speakers(dataset, fold.train) for fold in dataset.folds)


def test_dev_of_iemocap_dev_session_is_the_last_other_session(load: Load) -> None:
    dataset = load("iemocap-dev-session")
    found = {fold.name: sessions(dataset, fold.dev) for fold in dataset.folds}
    assert found == {name: {"Session4" if name == "Session5" else "Session5"} for name in SESSIONS}
    assert all(not speakers(dataset, fold.dev) & speakers(dataset, fold.train) for fold in dataset.folds)
    assert dataset.task.audio.max_duration == 15


def test_iemocap_speaker_never_trains_on_the_session_of_the_one_tested(load: Load) -> None:
    dataset = load("iemocap-speaker")
    assert len(dataset.folds) == 10
    assert sum(sizes_by_fold(dataset, "test").values()) == 5531
    for fold in dataset.folds:
        partner = fold.name[:-1] + {"F": "M", "M": "F"}[fold.name[-1]]
        assert speakers(dataset, fold.test) == {fold.name}
        assert speakers(dataset, fold.dev) == {partner}
        assert len(speakers(dataset, fold.train)) == 8
        assert not sessions(dataset, fold.train) & sessions(dataset, fold.test)


def test_iemocap_improvised_takes_only_that(load: Load) -> None:
    dataset = load("iemocap-improvised")
    assert {(u.extra["style"], u.extra["agreement"]) for u in dataset.utterances} == {("improvised", "full")}
    assert {"happy", "excited"} <= {u.labels["emotion"] for u in dataset.utterances}
    assert set(dataset.labels.values()) == {"angry", "happy", "neutral", "sad"}


def test_iemocap_dims_takes_every_utterance(load: Load) -> None:
    dataset = load("iemocap-dims")
    assert sum(sizes_by_fold(dataset, "test").values()) == 10039
    utterance = dataset.utterances[0]
    arousal, valence, dominance = (utterance.labels[name] for name in ("arousal", "valence", "dominance"))
    assert dataset.targets([utterance])[0].tolist() == pytest.approx([arousal, valence, dominance])


def test_iemocap_epc_hears_six_turns_and_nobody_twice(load: Load) -> None:
    dataset = load("iemocap-epc")
    assert len(dataset.folds) == 10
    assert {fold.name for fold in dataset.folds} == speakers(dataset, tuple(dataset.labels))
    for name, turns in dataset.context.items():
        talkers = [speakers(dataset, turn) for turn in turns]
        assert len(turns) == 6
        assert all(len(one) == 1 and one != other for one, other in itertools.pairwise(talkers))
        assert talkers[-1] != {dataset.by_id[name].speaker}
    for fold in dataset.folds:
        heard = dataset.speakers_heard(fold.test)
        assert heard == {fold.name[:-1] + talker for talker in "FM"}
        assert not heard & dataset.speakers_heard((*fold.train, *fold.dev))
        # Nor does an inner fold hear in train whom it holds out.
        held_out = [dataset.speakers_heard(ids) for ids in fold.inner]
        assert sum(map(len, held_out)) == len(set().union(*held_out)) == 8
    # Utterances of other emotions are heard, and not predicted.
    assert {"frustrated", "undecided"} <= {u.labels["emotion"] for u in dataset.context_only}
