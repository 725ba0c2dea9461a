"""Listening: every problem at once, and no file twice."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy import RATE

import benchmark.data.audio
import benchmark.data.listening
from benchmark.data.listening import Heard, audio_digest, hear, worthwhile_threads
from benchmark.errors import BenchError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import read_task
from benchmark.types import Utterance
from tasks.corpora.csv import CSV


def load(task: Path, corpus: Path) -> tuple[Dataset, Settings]:
    settings = load_settings([f"toy={corpus}"])
    return load_dataset(read_task(task), [CSV()], settings), settings


def test_all_problems_are_reported_together(own_toy_corpus: Path, toy_task: Path) -> None:
    (own_toy_corpus / "anna/high0.wav").unlink()
    (own_toy_corpus / "bert/high1.wav").write_text("no audio")
    soundfile.write(own_toy_corpus / "cleo/low2.wav", np.zeros(8000), RATE)
    soundfile.write(own_toy_corpus / "dora/low3.wav", np.full(100, 0.1), RATE)
    dataset, settings = load(toy_task, own_toy_corpus)
    with pytest.raises(BenchError) as caught:
        listen(dataset, settings, {"mfcc": 0.025}, lambda count: None)
    message = str(caught.value)
    assert message.startswith("4 of 40 utterances of 'csv' are unusable")
    for part in (
        "anna/high0.wav: the file is missing",
        "bert/high1.wav: unreadable",
        "cleo/low2.wav: the audio is silent",
        "dora/low3.wav: 0.006 s is too short for the upstream 'mfcc' (0.025 s)",
    ):
        assert part in message


def test_a_name_that_is_not_utf_8_is_a_problem_of_its_file(own_toy_corpus: Path) -> None:
    bad = Utterance("bad", os.fsdecode(b"anna/bad\xff.wav"))
    (own_toy_corpus / bad.file).write_bytes((own_toy_corpus / "anna" / "high0.wav").read_bytes())
    good = Utterance("good", "anna/high0.wav")
    heard, unusable = hear(own_toy_corpus, [bad, good], None, load_settings(), lambda number: None)
    assert list(heard) == ["good"]
    assert unusable == {"bad": f"{bad.file}: its name, or that of its folder, is not UTF-8: rename it"}


def test_an_unchanged_file_is_not_decoded_again(
    own_toy_corpus: Path, toy_task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    first = listen(dataset, settings, {}, lambda count: None)
    decoded = count_decoding(monkeypatch)
    assert listen(dataset, settings, {}, lambda count: None) == first
    assert decoded == []
    path = own_toy_corpus / "anna/high0.wav"
    samples, _ = soundfile.read(path)
    soundfile.write(path, samples * 0.5, RATE)
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    second = listen(dataset, settings, {}, lambda count: None)
    assert decoded == ["anna/high0.wav"]
    assert audio_digest(second) != audio_digest(first)


def test_a_damaged_index_is_made_again(own_toy_corpus: Path, toy_task: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    first = listen(dataset, settings, {}, lambda count: None)
    (index,) = (settings.cache / "audio").iterdir()
    whole = index.read_bytes()
    content = json.loads(whole)
    entries = content["entries"]
    first_sha = entries[min(entries)][3]
    other = ("1" if first_sha[0] == "0" else "0") + first_sha[1:]
    for damaged in (
        whole[:100],
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        whole.replace(first_sha.encode(), other.encode()),
        json.dumps({**content, "entries": {key: value[:3] for key, value in entries.items()}}).encode(),
        json.dumps(
            {**content, "entries": {key: [*value[:4], float("nan")] for key, value in entries.items()}}
        ).encode(),
        json.dumps({**content, "sha256": "0" * 64}).encode(),
        json.dumps({**content, "decoder": {}}).encode(),
    ):
        assert damaged != whole
        caplog.clear()
        index.write_bytes(damaged)
        assert listen(dataset, settings, {}, lambda count: None) == first
        assert "is damaged; every file is decoded again" in caplog.text
        assert index.read_bytes() == whole


def test_an_index_that_cannot_be_read_is_an_error(own_toy_corpus: Path, toy_task: Path) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    listen(dataset, settings, {}, lambda count: None)
    (index,) = (settings.cache / "audio").iterdir()
    index.unlink()
    index.mkdir()
    with pytest.raises(BenchError, match="cannot read the audio index"):
        listen(dataset, settings, {}, lambda count: None)


def count_decoding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded from now on."""
    decoded = []
    real = benchmark.data.listening.decode

    def counting(root, utterance, limit=None, cache=None):
        decoded.append(utterance.file)
        return real(root, utterance, limit, cache)

    monkeypatch.setattr(benchmark.data.listening, "decode", counting)
    return decoded


def test_a_file_that_was_replaced_by_one_of_its_size_and_time_is_decoded_again(
    own_toy_corpus: Path, toy_task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    first = listen(dataset, settings, {}, lambda count: None)
    path = own_toy_corpus / "anna/high0.wav"
    before = path.stat()
    samples, _ = soundfile.read(path)
    time.sleep(0.02)  # the clock of file systems ticks every few milliseconds
    soundfile.write(path, samples * 0.5, RATE)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    decoded = count_decoding(monkeypatch)
    assert audio_digest(listen(dataset, settings, {}, lambda count: None)) != audio_digest(first)
    assert decoded == ["anna/high0.wav"]


@pytest.mark.parametrize("what", ["libsndfile", "source"])
def test_another_decoder_decodes_again(
    own_toy_corpus: Path, toy_task: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    listen(dataset, settings, {}, lambda count: None)
    decoded = count_decoding(monkeypatch)
    if what == "libsndfile":
        monkeypatch.setattr(soundfile, "__libsndfile_version__", "0.0.1")
    else:
        monkeypatch.setattr("benchmark.data.listening.code_sha256", lambda *parts: "another way to decode")
    listen(dataset, settings, {}, lambda count: None)
    assert len(decoded) == 40
    listen(dataset, settings, {}, lambda count: None)
    assert len(decoded) == 40


def test_utterances_are_counted_and_not_their_problems(own_toy_corpus: Path, toy_task: Path) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    (own_toy_corpus / "anna/high0.wav").unlink()
    with pytest.raises(BenchError) as caught:
        listen(dataset, settings, {"mfcc": 0.025, "long": 0.75, "longer": 1.5}, lambda count: None)
    message = str(caught.value)
    assert message.startswith("40 of 40 utterances of 'csv' are unusable: anna/high0.wav: the file is missing; ")
    both = "anna/high1.wav: 0.500 s is too short for the upstreams 'long' (0.750 s) and 'longer' (1.500 s)"
    assert message.count(both) == 1
    assert message.count("too short") == 19
    assert "; and 20 more (nothing is dropped" in message


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_makes_no_difference(
    toy_corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, threads: int
) -> None:
    utterances = CSV().scan(toy_corpus)[:-3]  # the last groups are not full
    advanced: list[int] = []

    def heard_by(cache: str, **changes: object) -> tuple[dict[str, Heard], dict[str, str]]:
        for name, value in changes.items():
            monkeypatch.setattr(benchmark.data.listening, name, value)
        advanced.clear()
        return hear(toy_corpus, utterances, None, Settings(tmp_path / cache, tmp_path, {}), advanced.append)

    expected = heard_by("plain")
    assert len(expected[0]) == sum(advanced) == 37
    small = {"GROUP": 2, "LONG": 5, "SHORT": 3, "MEASURED": 1, "LOOKED_UP": 3}
    found = heard_by("threads", **small, worthwhile_threads=lambda *times: threads)
    assert (list(found[0].items()), found[1]) == (list(expected[0].items()), {})
    assert sum(advanced) == 37
    assert advanced[:7] == [1, 2, 2, 2, 2, 2, 1], "one alone, five groups, one alone"
    again = heard_by("threads")
    assert again == found
    assert advanced[:5] == [3, 2, 2, 2, 3], "three that are known, three groups, three that are known"


@pytest.mark.parametrize("cores", [1, 2, 64])
def test_as_many_threads_as_are_worth_it(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(benchmark.data.listening, "available_cores", lambda: cores)
    short, long, near, far = 0.0002, 0.002, 0.0, 0.01
    assert worthwhile_threads(short, near) == 1
    assert worthwhile_threads(long, near) == min(cores, 6), "which the interpreter can feed"
    assert worthwhile_threads(short, far) == min(cores + 4, 32), "most of them wait for a file"
    assert worthwhile_threads(short, 0.001) == min(cores + 4, 4)


def test_an_interrupt_is_lost_in_no_decoder(tmp_path: Path) -> None:
    """What reads through a Python object would swallow one that came to its thread."""
    threads = []

    def decoding(*arguments: object) -> object:
        threads.append(threading.current_thread())
        return benchmark.data.audio.decode(*arguments)

    for number in range(40):
        soundfile.write(tmp_path / f"{number}.wav", np.full(2000, 0.1 + number / 100), RATE)
    utterances = [Utterance(str(number), f"{number}.wav") for number in range(40)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark.data.listening, "decode", decoding)
        hear(tmp_path, utterances, None, load_settings(), lambda number: None)
    assert len(threads) == 40
    assert threading.main_thread() not in threads
