"""Recordings: corpora and folders, what is left out and said, and what is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import soundfile
from sound_files import voice
from tiny_pretraining import tiny, write_audio
from toy import RATE

from benchmark.base import Corpus
from benchmark.data.audio import decode
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import Settings
from benchmark.progress import Unheard
from benchmark.types import Utterance
from upstreams.pretraining.dealing import Deal
from upstreams.pretraining.speech import Reader, Source, gather, normalised


class Talk(Corpus):
    """Files of a folder, the first two of which are of a split."""

    name = "talk"
    licence = citation = homepage = how_to_get = "none"
    published_broken: ClassVar[dict[str, str]] = {"broken": "empty"}

    def scan(self, root: Path) -> list[Utterance]:
        names = sorted(path.name for path in root.glob("*.wav"))
        splits = ["train", "train", *["test"] * len(names)]
        return [Utterance(name[:-4], name, split=split) for name, split in zip(names, splits, strict=False)]


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return write_audio(tmp_path / "audio")


def heard(source: Source, where: Settings, **changes: Any) -> Any:
    return gather([source], tiny({f"audio.{key}": value for key, value in changes.items()}).audio, where, Unheard())


@pytest.fixture
def where(tmp_path: Path, audio: Path) -> Settings:
    return Settings(tmp_path / "cache", tmp_path / "results", data={"talk": audio})


def test_a_folder_of_audio_is_heard_with_what_lies_below(audio: Path, where: Settings) -> None:
    (audio / "notes.txt").write_text("no audio")
    found = heard(Source("audio", folder=audio), where)
    assert len(found.recordings) == 9
    assert found.corpora == []
    (about,) = found.about
    assert (about["folder"], about["recordings"], about["left_out"]) == ("audio", 9, 0)
    assert found.hours == pytest.approx(sum(0.45 + 0.03 * number for number in range(9)) / 3600, rel=1e-3)


def test_a_corpus_is_named_and_short_recordings_are_told(where: Settings) -> None:
    found = heard(Source("talk", corpus=Talk()), where, shortest=0.5)
    assert found.corpora == ["talk"]
    assert found.notes == ["talk: 1 recording of less than 0.5 s left out (audio.shortest)"]
    assert [one.utterance.id for one in found.recordings] == ["2", "4", "6", "8"]
    other = heard(Source("talk", corpus=Talk()), where)
    assert other.about[0]["audio_sha256"] != found.about[0]["audio_sha256"]


def test_splits_are_those_of_the_corpus(where: Settings, audio: Path) -> None:
    assert len(heard(Source("talk", corpus=Talk()), where, splits=["train"]).recordings) == 2
    whole = heard(Source("audio", folder=audio), where, splits=["train"])
    assert (len(whole.recordings), whole.notes) == (9, ["audio has no splits of its own: all of it is heard"])
    with pytest.raises(BenchError, match="no recording to learn from"):
        heard(Source("talk", corpus=Talk()), where, splits=["dev"])


def test_nothing_is_dropped_but_what_was_published_broken(where: Settings, audio: Path) -> None:
    (audio / "broken.wav").write_bytes(b"")
    found = heard(Source("talk", corpus=Talk()), where)
    assert found.notes == ["talk: 1 recording published broken, left out"]
    (audio / "other.wav").write_bytes(b"RIFF")
    with pytest.raises(BenchError, match=r"1 of 7 recordings of 'talk' are unusable: other.wav") as error:
        heard(Source("talk", corpus=Talk()), where)
    assert "nothing is dropped" in error.value.hint


def test_what_is_not_there_is_told(where: Settings, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"folder of audio .* is not here"):
        heard(Source("gone", folder=tmp_path / "gone"), where)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenchError, match="holds no audio"):
        heard(Source("empty", folder=tmp_path / "empty"), where)


def test_micro_batches_are_stretches_of_normalised_recordings(where: Settings, audio: Path) -> None:
    recipe = tiny({"audio.longest": 0.5})
    found = heard(Source("audio", folder=audio), where)
    deal = Deal([one.duration for one in found.recordings], recipe)
    micro_batches = [deal.micro_batch(number) for number in range(2 * deal.in_an_epoch)]
    read = list(Reader(found.recordings, recipe, where.cache).read(micro_batches))
    assert [micro_batch for micro_batch, _, _ in read] == micro_batches
    for micro_batch, waves, _ in read:
        assert waves.dtype == np.float32
        assert waves.shape[0] == len(micro_batch.recordings)
        assert waves.shape[1] <= 0.5 * RATE
        for wave, place in zip(waves, micro_batch.recordings, strict=True):
            one = found.recordings[place]
            whole = normalised(decode(one.root, one.utterance).at(RATE))
            begin = next(
                begin for begin in range(len(whole) - len(wave) + 1) if np.array_equal(whole[begin:][: len(wave)], wave)
            )
            assert 0 <= begin <= len(whole) - len(wave)
    (_, again, other), *_ = Reader(found.recordings, recipe, where.cache).read(micro_batches[:1])
    np.testing.assert_array_equal(again, read[0][1])
    assert other.integers(1 << 40) == read[0][2].integers(1 << 40)


def test_a_recording_that_vanishes_is_told(where: Settings, audio: Path) -> None:
    found = heard(Source("audio", folder=audio), where)
    deal = Deal([one.duration for one in found.recordings], tiny())
    (audio / found.recordings[deal.micro_batch(0).recordings[0]].utterance.file).unlink()
    with pytest.raises(BenchError, match="the file is missing"):
        list(Reader(found.recordings, tiny(), where.cache).read([deal.micro_batch(0)]))


def test_waveforms_have_zero_mean_and_unit_variance() -> None:
    found = normalised(np.float32(0.2 * voice(0.5) + 0.1))
    assert (found.mean(), found.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=0.01))
    assert not normalised(np.zeros(50, np.float32)).any()


def test_rates_are_made_equal(where: Settings, audio: Path) -> None:
    assert soundfile.info(audio / "0.wav").samplerate == 22_050
    found = heard(Source("audio", folder=audio), where)
    assert found.recordings[0].duration == pytest.approx(0.45, abs=1e-3)
