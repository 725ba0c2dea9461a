"""Tasks with context: an example is what was said before an utterance, in whole turns."""

from __future__ import annotations

import copy
import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from toy import RATE, TOY_TASK, tone

from benchmark.errors import BenchError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.context import preceding_turns
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.types import Utterance

TASK = {
    **TOY_TASK,
    "name": "talk",
    "label_map": {"high": "high", "low": "low", "none": None},
    "context": {"turns": 2},
    "folds": {"scheme": "leave-one-group-out", "group": "session"},
    "downstream": "turn-gru",
    "seeds": [0, 1, 2],
    "expect": {"utterances": 24, "speakers": 6},
}

SPY = '''
import json, pathlib
import numpy as np
from benchmark import Downstream, Selection

LOG = pathlib.Path(__file__).with_suffix(".jsonl")


class Listener(Downstream):
    """Remembers what was said before."""

    name = "listener"
    sequences = True

    def fit(self, train, dev, *, seed):
        return Selection()

    def predict(self, examples):
        with LOG.open("a") as handle:
            for name, x, turns in zip(examples.ids, examples.x, examples.turns):
                handle.write(json.dumps([name, list(x.shape), turns.tolist(), x[:, 0, 0].tolist()]) + "\\n")
        return np.zeros((len(examples), 2))
'''


def said(number: float, speaker: str | None, dialogue: str | None = "d") -> Utterance:
    return Utterance(f"u{number:g}", "f.wav", speaker=speaker, extra={"dialogue": dialogue, "turn": number})


def test_a_turn_is_what_one_speaker_says_until_another_speaks() -> None:
    spoken = [said(n, s) for n, s in enumerate("aabacca")]
    assert preceding_turns(spoken[::-1], 2) == {
        "u3": (("u0", "u1"), ("u2",)),
        "u4": (("u2",), ("u3",)),
        "u6": (("u3",), ("u4", "u5")),
    }
    assert preceding_turns(spoken, 4) == {"u6": (("u0", "u1"), ("u2",), ("u3",), ("u4", "u5"))}


def test_dialogues_are_apart() -> None:
    spoken = [said(n, s, d) for n, (s, d) in enumerate([("a", "d"), ("b", "e"), ("b", "d"), ("a", "e")])]
    assert preceding_turns(spoken, 1) == {"u2": (("u0",),), "u3": (("u1",),)}


@pytest.mark.parametrize(
    ("spoken", "message"),
    [
        ([said(0, None)], "'u0' has no place in a dialogue .*speaker None"),
        ([said(0, "a", None)], "'u0' has no place in a dialogue .dialogue None"),
        ([said(0, "a"), said(0, "b")], "are both number 0 of 'd'"),
    ],
)
def test_a_corpus_without_dialogues_is_refused(spoken: list[Utterance], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        preceding_turns(spoken, 1)


@pytest.fixture
def talk(tmp_path: Path) -> Settings:
    """Three sessions of two speakers, who take turns ten times; every fifth utterance has no class."""
    rows = []
    for session in range(3):
        for number in range(10):
            label = "none" if number % 5 == 4 else ("high" if number % 2 else "low")
            file = f"{session}-{number}.wav"
            (tmp_path / "talk").mkdir(exist_ok=True)
            soundfile.write(tmp_path / "talk" / file, tone(500 + 100 * number, seed=len(rows)), RATE)
            speaker = f"s{session}{'ab'[number % 2]}"
            rows.append(
                {"file": file, "speaker": speaker, "label": label, "session": session, "dialogue": f"d{session}"}
                | {"turn": number}
            )
    with (tmp_path / "talk" / "index.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return load_settings([f"csv={tmp_path / 'talk'}"])


def load(settings: Settings, **changes: object):
    task = Task.model_validate({**copy.deepcopy(TASK), **changes})
    return load_dataset(task, Registry().corpora_of(task), settings)


def test_examples_have_their_context_and_the_others_are_counted(talk: Settings) -> None:
    dataset = load(talk)
    # Of ten utterances two have no class, and the first two have no two turns before them.
    assert [u.id for u in dataset.utterances if u.session == "0"] == [f"0-{n}.wav" for n in (2, 3, 5, 6, 7, 8)]
    assert dataset.left_out == {"label none": 6, "does not open a turn with 2 turns before it": 6}
    assert dataset.context["0-5.wav"] == (("0-3.wav",), ("0-4.wav",))
    # What is heard and no example: the first two, and one without a class; the last is said before nothing.
    assert {u.id for u in dataset.context_only if u.session == "0"} == {"0-0.wav", "0-1.wav", "0-4.wav"}
    assert dataset.speakers_heard(["0-5.wav"]) == {"s0a", "s0b"}


def test_context_is_part_of_the_division_and_holds_nothing_excluded(talk: Settings) -> None:
    one, two = load(talk), load(talk, context={"turns": 1})
    assert one.folds_sha256 != two.folds_sha256
    rejoined = replace(one, context={**one.context, "0-5.wav": (("0-2.wav",), ("0-4.wav",))})
    assert rejoined.folds_sha256 != one.folds_sha256
    # Without the third utterance, a broken one say, its neighbours are one turn.
    without = load(talk, exclude={"0-3.wav": "broken"}, expect={"utterances": 23, "speakers": 6})
    assert without.context["0-5.wav"] == (("0-1.wav",), ("0-2.wav", "0-4.wav"))
    assert "0-3.wav" not in without.by_id


def test_two_names_of_one_speaker_take_one_turn(talk: Settings) -> None:
    changes = {"same_speaker": [["s0a", "s0b"]], "dev": {"scheme": "none"}}
    joined = load(talk, **changes, expect={"utterances": 24, "speakers": 5})
    # All of session 0 is one turn, before which there is none.
    assert {utterance.session for utterance in joined.utterances} == {"1", "2"}


def test_a_head_hears_the_turns_before_and_not_the_utterance(talk: Settings, plugin, tmp_path, progress) -> None:
    spy = tmp_path / "listener_plugin.py"
    spy.write_text(SPY)
    path = tmp_path / "talk.yaml"
    path.write_text(yaml.safe_dump(TASK))
    request = Request(upstreams=["spectrum"], tasks=[str(path)], downstreams=["listener", "turn-gru"], seeds=[0])
    listener, gru = run(request, Registry([str(plugin), str(spy)]), talk, progress, "cpu")
    assert listener.failed == gru.failed == {}
    assert (listener.completed, gru.completed) == (3, 3)
    # Of ten utterances of a session all but the last are heard; it is one without a class.
    assert listener.newly_encoded == 27
    seen = {
        name: (shape, turns, values)
        for name, shape, turns, values in map(json.loads, (tmp_path / "listener_plugin.jsonl").read_text().splitlines())
    }
    assert len(seen) == 18
    assert seen["1-5.wav"][:2] == ([2, 1, 16], [0, 1])
    # The older turn of one example is the newer turn of another.
    assert seen["1-6.wav"][2][0] == pytest.approx(seen["1-5.wav"][2][1])
    assert np.unique([values for _, _, values in seen.values()]).size > 5


def test_heads_and_tasks_must_suit_each_other(talk: Settings, toy_task, settings, plugin, tmp_path, progress) -> None:
    path = tmp_path / "talk.yaml"
    path.write_text(yaml.safe_dump(TASK))
    registry = Registry([str(plugin)])
    with pytest.raises(
        UsageError, match=r"one utterance at a time, unlike the task 'talk' .these suit it: epc-gru, turn-gru"
    ):
        run(Request(["spectrum"], [str(path)], ["svm"]), registry, talk, progress, "cpu")
    with pytest.raises(UsageError, match="'turn-gru' takes sequences of utterances, unlike the task 'toy'"):
        run(Request(["spectrum"], [str(toy_task)], ["turn-gru"]), registry, settings, progress, "cpu")


def test_frames_of_what_was_said_before_reach_a_head(talk: Settings, tmp_path, progress) -> None:
    path = tmp_path / "talk.yaml"
    path.write_text(yaml.safe_dump(TASK))
    changes = ["downstream.maximum=1", "downstream.hidden=4", "downstream.memory=0.01"]
    (outcome,) = run(Request(["logmel"], [str(path)], ["epc-gru"]), Registry(changes=changes), talk, progress, "cpu")
    assert outcome.failed == {}
    assert outcome.completed > 0
