"""Copies that were trimmed, filled or resampled are told from what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from benchmark.base import Corpus
from benchmark.data.listening import Heard
from benchmark.data.published import not_as_published
from benchmark.types import CorpusCounts, PublishedSound, Utterance
from tasks.corpora.savee import Savee


class Known(Corpus):
    """Thirty recordings of 1, 2 and 3 s."""

    name: ClassVar[str] = "known"
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(30, 1, sound=PublishedSound(1 / 60, 1.0, 3.0, (16_000, 48_000)))
    }

    def scan(self, root: Path) -> list[Utterance]:
        return []


def told(durations: Sequence[float], rate: int | None = 16_000, *, is_cut: bool = False) -> list[str]:
    heard = {str(number): Heard("", seconds, rate) for number, seconds in enumerate(durations)}
    return not_as_published(Known(), [Utterance(name, f"{name}.wav") for name in heard], heard, is_cut=is_cut)


def test_what_was_published_is_not_remarked() -> None:
    assert told([1.0, 2.0, 3.0] * 10) == told([1.0, 2.0, 3.0] * 10, 48_000) == told([1.0, 2.0, 3.0] * 10, None) == []
    assert told([1.05, 2.05, 3.05] * 10) == []  # with the silence that an encoder adds
    assert told([2.0]) == told([]) == []  # of a part nobody knows how long it is


@pytest.mark.parametrize(
    ("durations", "rate", "why"),
    [
        ([1.0, 2.0, 3.0] * 10, 8_000, "30 of 30 have 8000 Hz instead of 16000 or 48000 Hz"),
        ([2.0] * 30, 16_000, "all 30 recordings last 2.000 s"),
        ([2.0] * 25, 16_000, "all 25 recordings last 2.000 s"),
        ([1.0, 2.0, 3.5] * 10, 16_000, "10 of 30 are shorter than 1.00 s or longer than 3.00 s, one of 3.50 s"),
        ([0.5, 2.0], 16_000, "1 of 2 are shorter than 1.00 s or longer than 3.00 s, one of 0.50 s"),
        ([1.0, 1.1, 2.0] * 10, 16_000, "they last 0.01 h in all instead of 0.02 h"),
    ],
)
def test_what_is_not_is_told(durations: list[float], rate: int, why: str) -> None:
    (sentence,) = told(durations, rate)
    assert sentence == f"the recordings of known are not the published ones: {why}"


def test_what_was_heard_in_part_tells_its_rate_only() -> None:
    assert told([0.5] * 30, is_cut=True) == []
    assert len(told([0.5] * 30, 8_000, is_cut=True)) == 1


def test_stretches_of_longer_files_are_not_compared() -> None:
    heard = {"a": Heard("", 0.1, 8_000)}
    assert not_as_published(Known(), [Utterance("a", "a.wav", start=0.1, end=0.2)], heard) == []
    assert not_as_published(Known(), [Utterance("a", "a.wav")], heard) != []


def test_every_speaker_of_savee_trimmed_to_two_seconds_is_seen() -> None:
    utterances = [Utterance(str(number), f"{number}.wav") for number in range(480)]
    heard = {utterance.id: Heard("", 2.0, 44_100) for utterance in utterances}
    (sentence,) = not_as_published(Savee(), utterances, heard)
    assert "all 480 recordings last 2.000 s, they last 0.27 h in all instead of 0.51 h" in sentence
