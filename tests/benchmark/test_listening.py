"""Listening: every problem at once, and no file twice."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import RATE

import benchmark.listening
from benchmark.dataset import Dataset, load_dataset
from benchmark.errors import BenchError
from benchmark.listening import audio_digest, listen
from benchmark.protocol import read_task
from benchmark.settings import Settings, load_settings
from tasks.corpora.csv import CSV


def load(task: Path, corpus: Path) -> tuple[Dataset, Settings]:
    settings = load_settings([f"toy={corpus}"])
    return load_dataset(read_task(task), CSV(), settings), settings


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
        "dora/low3.wav: 0.006 s is too short for the upstream 'mfcc', which needs 0.025 s",
    ):
        assert part in message


def test_an_unchanged_file_is_not_decoded_again(
    own_toy_corpus: Path, toy_task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, settings = load(toy_task, own_toy_corpus)
    first = listen(dataset, settings, {}, lambda count: None)
    decoded = []
    real = benchmark.listening.decode

    def counting(root, utterance, limit=None):
        decoded.append(utterance.file)
        return real(root, utterance, limit)

    monkeypatch.setattr(benchmark.listening, "decode", counting)
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
    index.write_bytes(index.read_bytes()[:100])
    assert listen(dataset, settings, {}, lambda count: None) == first
    assert "is damaged" in caplog.text
