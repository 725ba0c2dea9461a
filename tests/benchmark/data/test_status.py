"""What is on this machine: counts, listening to everything, and digest indexes that two labs compare."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from toy import RATE, tone
from trees.audio import write_wav

from benchmark.base import Corpus
from benchmark.data.digest_index import DigestIndex, differences, make_index, read_index
from benchmark.data.layout import audio_files
from benchmark.data.listening import Heard
from benchmark.data.status import Inspection, count_parts, in_words, inspect, look
from benchmark.errors import BenchError, UsageError
from benchmark.io.files import canonical_json, digest
from benchmark.io.settings import Settings, load_settings
from benchmark.types import CorpusCounts, Utterance
from tasks.corpora.demo import Demo

EMOTIONS = ("anger", "joy")


class Tones(Corpus):
    """Files named speaker_emotion_part_number, wherever they lie."""

    name: ClassVar[str] = "tones"
    licence: ClassVar[str] = "CC0"
    citation: ClassVar[str] = "none"
    homepage: ClassVar[str] = "none"
    how_to_get: ClassVar[str] = "make it"
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "speech": CorpusCounts(8, 2, {"anger": 4, "joy": 4}),
        "song": CorpusCounts(2, 1),
    }

    def scan(self, root: Path) -> list[Utterance]:
        utterances = []
        for file, name in audio_files(root):
            stem = Path(name).stem
            speaker, emotion, part, _ = stem.split("_")
            if emotion not in EMOTIONS:
                raise BenchError(f"corpus tones: unexpected file {name}")
            labels = {"emotion": emotion}
            utterances.append(Utterance(stem, file, speaker=speaker, labels=labels, extra={"part": part}))
        return sorted(utterances, key=lambda utterance: utterance.id)

    def part_of(self, utterance: Utterance) -> str:
        return str(utterance.extra["part"])


def speech(root: Path, folder: str = "") -> Path:
    """Write the spoken part."""
    names = [
        f"{speaker}_{emotion}_speech_{take}" for speaker in ("ann", "bob") for emotion in EMOTIONS for take in "12"
    ]
    for seed, name in enumerate(names):
        write_wav(root / folder / f"{name}.wav", seed)
    return root


def song(root: Path) -> Path:
    """Write the sung part."""
    for take in "12":
        write_wav(root / f"ann_joy_song_{take}.wav", 100 + int(take))
    return root


@pytest.fixture(autouse=True)
def own_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the user that is looked into last."""
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder / "serbench/corpora"


def placed(root: Path) -> Settings:
    return load_settings([f"tones={root}"])


def inspected(root: Path, corpus: Corpus | None = None) -> Inspection:
    corpus = corpus or Tones()
    return inspect(corpus, root, corpus.scan(root), placed(root), lambda count: None)


# -- places -----------------------------------------------------------------------------------------------------------


def test_the_folder_of_the_user_is_looked_into_last(
    own_data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().find_data("tones") is None
    assert load_settings().place_of_new("tones") == own_data_folder / "tones"
    (own_data_folder / "tones").mkdir(parents=True)
    assert load_settings().find_data("tones") == own_data_folder / "tones"
    (tmp_path / "configured").mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(f"data:\n  tones: {tmp_path}/configured\n")
    monkeypatch.setenv("BENCH_CONFIG", str(config))
    assert load_settings().find_data("tones") == tmp_path / "configured"
    (tmp_path / "root/tones").mkdir(parents=True)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "root"))
    assert load_settings().find_data("tones") == tmp_path / "root/tones"
    assert load_settings().place_of_new("tones") == tmp_path / "root/tones"
    assert load_settings([f"tones={tmp_path}"]).find_data("tones") == tmp_path


def test_weights_are_not_looked_for_among_corpora(own_data_folder: Path) -> None:
    (own_data_folder / "hubert-base").mkdir(parents=True)
    assert load_settings().find_weights("hubert-base") is None


# -- counts -----------------------------------------------------------------------------------------------------------


def test_a_whole_corpus_is_complete(tmp_path: Path) -> None:
    holding = look(Tones(), placed(song(speech(tmp_path))))
    assert (holding.state, holding.folder, holding.licence) == ("complete", str(tmp_path), "CC0")
    assert [(p.name, p.state, p.utterances, p.speakers, p.differences) for p in holding.parts] == [
        ("speech", "complete", 8, 2, ()),
        ("song", "complete", 2, 1, ()),
    ]


def test_a_part_that_was_left_away_is_told_and_the_rest_is_complete(tmp_path: Path) -> None:
    holding = look(Tones(), placed(speech(tmp_path)))
    assert holding.state == "complete in part"
    assert [(p.state, p.utterances, p.utterances_expected) for p in holding.parts] == [
        ("complete", 8, 8),
        ("not here", 0, 2),
    ]


def test_every_difference_of_a_part_is_told(tmp_path: Path) -> None:
    for file in speech(tmp_path).glob("bob*"):
        file.unlink()
    (tmp_path / "ann_joy_speech_1.wav").rename(tmp_path / "ann_anger_speech_3.wav")
    holding = look(Tones(), placed(tmp_path))
    assert holding.state == "incomplete"
    assert in_words(holding.parts[0]) == (
        "speech: 4 utterances instead of 8, 1 speaker instead of 2, 3 anger instead of 4, 1 joy instead of 4"
    )


def test_more_than_there_should_be_is_not_as_counted(tmp_path: Path) -> None:
    write_wav(speech(tmp_path) / "ann_joy_speech_9.wav", 9)
    holding = look(Tones(), placed(tmp_path))
    assert (holding.state, holding.parts[0].state) == ("not as counted", "not as counted")
    assert in_words(holding.parts[0]) == "speech: 9 utterances instead of 8, 5 joy instead of 4"


def test_something_else_than_there_should_be_is_not_as_counted(tmp_path: Path) -> None:
    speech(tmp_path)
    (tmp_path / "ann_joy_speech_1.wav").rename(tmp_path / "ann_anger_speech_3.wav")
    holding = look(Tones(), placed(tmp_path))
    assert (holding.state, holding.parts[0].state) == ("not as counted", "not as counted")
    assert holding.parts[0].differences == ("5 anger instead of 4", "3 joy instead of 4")
    (tmp_path / "ann_anger_speech_3.wav").rename(tmp_path / "eve_joy_speech_1.wav")
    assert look(Tones(), placed(tmp_path)).parts[0].differences == ("3 speakers instead of 2",)
    assert look(Tones(), placed(tmp_path)).state == "not as counted"
    (tmp_path / "eve_joy_speech_1.wav").unlink()
    assert look(Tones(), placed(tmp_path)).state == "incomplete"


def test_a_class_that_there_should_not_be_is_told(tmp_path: Path) -> None:
    utterances = [*Tones().scan(speech(tmp_path))[1:], Utterance("x", "x", speaker="ann", extra={"part": "speech"})]
    assert count_parts(Tones(), utterances)[0].differences == (
        "3 anger instead of 4",
        "1 without an emotion instead of 0",
    )


def test_what_nobody_counted_is_unknown(tmp_path: Path) -> None:
    write_wav(speech(tmp_path) / "ann_joy_whisper_1.wav", 9)
    holding = look(Tones(), placed(tmp_path))
    assert holding.state == "unknown"
    assert [(p.name, p.state) for p in holding.parts] == [
        ("speech", "complete"),
        ("song", "not here"),
        ("whisper", "unknown"),
    ]


def test_speakers_that_are_not_told_apart_are_not_counted() -> None:
    class Voices(Tones):
        """Nobody knows the speakers."""

        counts: ClassVar[Mapping[str, CorpusCounts]] = {"all": CorpusCounts(2, None)}

        def part_of(self, utterance: Utterance) -> str:
            return "all"

    (part,) = count_parts(Voices(), [Utterance("a", "a"), Utterance("b", "b", speaker="x")])
    assert (part.state, part.speakers, part.speakers_expected) == ("complete", 1, None)


class Gapped(Tones):
    """Knows its gaps."""

    def gaps(self, utterances):  # type: ignore[no-untyped-def]
        return ["number 7 is missing"] if len(utterances) != 10 else ["number 7 is there twice"]


def test_with_gaps_a_corpus_is_not_complete_although_its_counts_are_right(tmp_path: Path) -> None:
    holding = look(Gapped(), placed(song(speech(tmp_path))))
    assert (holding.state, holding.gaps) == ("not as counted", ("number 7 is there twice",))


def test_gaps_that_tell_of_a_part_that_was_left_away_do_not(tmp_path: Path) -> None:
    holding = look(Gapped(), placed(speech(tmp_path)))
    assert (holding.state, holding.gaps) == ("complete in part", ("number 7 is missing",))


def test_releases_replace_each_other() -> None:
    class Released(Tones):
        """One release at a time."""

        counts: ClassVar[Mapping[str, CorpusCounts]] = {"1.0": CorpusCounts(1, None), "1.1": CorpusCounts(2, None)}

        def part_of(self, utterance: Utterance) -> str:
            return str(utterance.extra["release"])

    new = [Utterance(name, name, extra={"release": "1.1"}) for name in "ab"]
    assert [(part.name, part.state) for part in count_parts(Released(), new)] == [("1.1", "complete")]
    assert [part.state for part in count_parts(Released(), new[:1])] == ["incomplete"]
    assert [part.state for part in count_parts(Released(), [])] == ["not here", "not here"]


def test_an_empty_folder_is_incomplete(tmp_path: Path) -> None:
    assert look(Tones(), placed(tmp_path)).state == "incomplete"


def test_a_folder_that_the_scanner_refuses_is_a_finding(tmp_path: Path) -> None:
    write_wav(tmp_path / "ann_boredom_speech_1.wav", 0)
    holding = look(Tones(), placed(tmp_path))
    assert (holding.state, holding.folder) == ("refused", str(tmp_path))
    assert holding.reason == "corpus tones: unexpected file ann_boredom_speech_1.wav"


def test_what_is_not_here_is_told(tmp_path: Path) -> None:
    assert (look(Tones(), load_settings()).state, look(Tones(), load_settings()).reason) == ("not here", "")
    misplaced = look(Tones(), placed(tmp_path / "nowhere"))
    assert misplaced.state == "not here"
    assert "nowhere given for 'tones' does not exist" in misplaced.reason


def test_looking_makes_nothing() -> None:
    settings = load_settings()
    assert look(Demo(), settings).state == "made when needed"
    assert not settings.cache.exists()


# -- listening --------------------------------------------------------------------------------------------------------


def test_recordings_that_only_a_list_names_are_not_here(tmp_path: Path) -> None:
    class Listed(Tones):
        """Lists two more than there are."""

        counts: ClassVar[Mapping[str, CorpusCounts]] = {"speech": CorpusCounts(10, 2), "song": CorpusCounts(2, 1)}

        def scan(self, root: Path) -> list[Utterance]:
            found = super().scan(root)
            return [*found, *(replace(found[0], id=f"{name}_x", file=f"nowhere/{name}.wav") for name in "ab")]

    class Nothing(Listed):
        counts: ClassVar[Mapping[str, CorpusCounts]] = {}

    speech(tmp_path)
    (part, _) = look(Listed(), placed(tmp_path)).parts
    assert (part.state, part.utterances) == ("incomplete", 8)
    assert part.differences == ("2 of 10 listed recordings not here",)
    holding = look(Nothing(), placed(tmp_path))
    assert (holding.state, holding.parts[0].state) == ("incomplete", "incomplete")


def test_what_was_published_broken_is_told_and_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    class Broken(Tones):
        counts: ClassVar[Mapping[str, CorpusCounts]] = {"speech": CorpusCounts(8, 2)}
        published_broken: ClassVar[Mapping[str, str]] = {"ann_joy_speech_1": "holds no audio", "gone": "is nowhere"}

    root = speech(tmp_path)
    (root / "ann_joy_speech_1.wav").write_text("this is no audio")
    found = inspected(root, Broken())
    assert (found.published_broken, found.unusable) == ({"ann_joy_speech_1": "holds no audio"}, {})
    assert make_index(found).header.utterances == 7
    write_wav(root / "ann_joy_speech_1.wav", 0)  # a repaired copy
    assert inspected(root, Broken()).published_broken == {}


def test_every_unusable_recording_is_named(tmp_path: Path) -> None:
    speech(tmp_path)
    (tmp_path / "ann_joy_speech_1.wav").write_text("no audio")
    silence = (tmp_path / "bob_joy_speech_2.wav").read_bytes()
    (tmp_path / "bob_joy_speech_2.wav").write_bytes(silence[:44] + bytes(len(silence) - 44))
    found = inspected(tmp_path)
    assert set(found.unusable) == {"ann_joy_speech_1", "bob_joy_speech_2"}
    assert "unreadable audio" in found.unusable["ann_joy_speech_1"]
    assert found.unusable["bob_joy_speech_2"] == "bob_joy_speech_2.wav: the audio is silent"
    assert len(found.heard) == 6
    assert found.holding.state == "complete in part"  # it is about counts
    with pytest.raises(BenchError, match=r"2 of 8 utterances of 'tones' cannot be used: ann_joy_speech_1\.wav: unread"):
        make_index(found)


def test_identical_recordings_are_found_and_whose_they_are(tmp_path: Path) -> None:
    speech(tmp_path)
    assert inspected(tmp_path).identical == ()
    for other in ("ann_anger_speech_2", "ann_joy_speech_1"):
        shutil.copy(tmp_path / "ann_anger_speech_1.wav", tmp_path / f"{other}.wav")
    shutil.copy(tmp_path / "bob_joy_speech_1.wav", tmp_path / "ann_joy_speech_2.wav")
    found = inspected(tmp_path)
    assert found.identical == (
        ("ann_anger_speech_1", "ann_anger_speech_2", "ann_joy_speech_1"),
        ("ann_joy_speech_2", "bob_joy_speech_1"),
    )
    assert found.shared == (("ann_joy_speech_2", "bob_joy_speech_1"),)


# -- digest indexes ---------------------------------------------------------------------------------------------------


def index_of(root: Path) -> DigestIndex:
    return make_index(inspected(root))


def test_an_index_is_made_of_digests_and_durations(tmp_path: Path) -> None:
    header, *lines = [json.loads(line) for line in index_of(song(speech(tmp_path))).encoded().splitlines()]
    assert header == {
        "format": 1,
        "corpus": "tones",
        "parts": {"speech": {"utterances": 8, "speakers": 2}, "song": {"utterances": 2, "speakers": 1}},
        "utterances": 10,
        "seconds": 0.2,
        "audio_sha256": digest({line["id"]: line["sha256"] for line in lines}),
        "index_sha256": header["index_sha256"],
    }
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    assert {line["seconds"] for line in lines} == {0.02}
    assert all(set(line) == {"id", "sha256", "seconds"} for line in lines)


def test_labels_and_speakers_are_not_in_it() -> None:
    class Secret(Tones):
        """Its ids tell nothing."""

        def scan(self, root: Path) -> list[Utterance]:
            names = {name: f"utt{number:02d}" for number, (_, name) in enumerate(audio_files(root))}
            return [
                Utterance(names[f"{u.id}.wav"], u.file, None, None, u.speaker, "SECRET", "male", "xx", u.labels, "test",
                          u.extra)
                for u in super().scan(root)
            ]  # fmt: skip

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        corpus = Secret()
        found = inspect(
            corpus, speech(Path(folder)), corpus.scan(Path(folder)), placed(Path(folder)), lambda count: None
        )
        written = make_index(found).encoded().decode()
    for secret in ("ann", "bob", "anger", "joy", "SECRET", "male", "xx", "test", ".wav"):
        assert secret not in written
    # One digest for all labels: one for each utterance could be guessed.
    assert digest({"emotion": "anger"}) not in written
    assert len(json.loads(written.splitlines()[1])) == 3


def test_the_same_corpus_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    one, other = speech(tmp_path / "one"), speech(tmp_path / "other", folder="a/b")
    index = index_of(one)
    assert index.encoded() == index_of(other).encoded() == index_of(one).encoded()
    assert DigestIndex(index.header, dict(reversed(index.heard.items()))).encoded() == index.encoded()


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    index = index_of(song(speech(tmp_path / "corpus")))
    (tmp_path / "index.jsonl").write_bytes(index.encoded())
    read = read_index(tmp_path / "index.jsonl")
    assert read.encoded() == index.encoded()
    assert differences(index, read) == {}


def test_an_id_may_hold_any_letters(tmp_path: Path) -> None:
    class Odd(Tones):
        """Ids with what other readers take for the end of a line."""

        def scan(self, root: Path) -> list[Utterance]:
            return [
                Utterance(f"\u2028{u.id}\x85\n", u.file, labels=u.labels, extra=u.extra) for u in super().scan(root)
            ]

    index = make_index(inspected(speech(tmp_path / "corpus"), Odd()))
    (tmp_path / "index.jsonl").write_bytes(index.encoded())
    assert read_index(tmp_path / "index.jsonl").encoded() == index.encoded()


def test_every_kind_of_difference_is_told(tmp_path: Path) -> None:
    ours = index_of(speech(tmp_path / "ours"))
    other = speech(tmp_path / "theirs")
    (other / "ann_joy_speech_1.wav").unlink()
    write_wav(other / "ann_joy_speech_3.wav", 50)
    write_wav(other / "bob_joy_speech_1.wav", 51)
    write_wav(other / "bob_joy_speech_2.wav", 52, seconds=0.04)
    assert differences(ours, index_of(other)) == {
        "only here: 1 utterance": ["ann_joy_speech_1"],
        "only there: 1 utterance": ["ann_joy_speech_3"],
        "other samples, and another duration: 1 utterance": ["bob_joy_speech_2"],
        "other samples of the same duration: 1 utterance": ["bob_joy_speech_1"],
    }


def test_other_labels_are_told_although_nobody_sees_them(tmp_path: Path) -> None:
    class Relabelled(Tones):
        """Another consensus."""

        def scan(self, root: Path) -> list[Utterance]:
            return [Utterance(u.id, u.file, speaker=u.speaker, extra=u.extra) for u in super().scan(root)]

    ours = index_of(speech(tmp_path))
    theirs = make_index(inspected(tmp_path, Relabelled()))
    assert differences(ours, theirs) == {"the same ids with other labels, speakers or times": []}


def test_of_another_corpus_nothing_else_is_told(tmp_path: Path) -> None:
    class Noise(Tones):
        """Another one."""

        name: ClassVar[str] = "noise"

    ours = index_of(speech(tmp_path))
    write_wav(tmp_path / "ann_joy_speech_1.wav", 99)
    theirs = make_index(inspected(song(tmp_path), Noise()))
    assert differences(ours, theirs) == {"other corpora: 'tones' here, 'noise' there": []}


def changed(lines: list[dict[str, object]], number: int, **values: object) -> list[dict[str, object]]:
    return [{**line, **values} if at == number else line for at, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: lines[:-1], "does not agree with itself: 7 utterances, its first line tells of 8"),
        (lambda lines: [*lines, lines[-1]], "does not agree with itself: 9 utterances"),
        (lambda lines: changed([*lines, lines[-1]], 0, utterances=9), "does not agree with itself: its lines are not"),
        (lambda lines: changed([*lines[:-1], lines[-2]], 0), "does not agree with itself: its lines are not those"),
        (lambda lines: changed(lines, 3, sha256="0" * 64), "does not agree with itself: its lines are not those"),
        (lambda lines: changed(lines, 0, format=2), "has the format 2"),
        (lambda lines: changed(lines, 0, licence="x"), "unknown key 'licence' in .*line 1"),
        (lambda lines: changed(lines, 0, utterances=-1), "does not agree with itself"),
        (lambda lines: changed(lines, 2, label="anger"), "unknown key 'label' in .*line 3"),
        (lambda lines: changed(lines, 2, sha256="x"), "'sha256' in .*line 3"),
        (lambda lines: changed(lines, 2, seconds=-1), "'seconds' in .*line 3"),
        (lambda lines: changed(lines, 2, seconds=float("nan")), "'seconds' in .*line 3"),
        (lambda lines: changed(lines, 2, id=3), "'id' in .*line 3"),
        (lambda lines: [lines[0], [], *lines[2:]], "line 2"),
        (lambda lines: [[], *lines[1:]], "line 1"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, edit, message: str) -> None:  # type: ignore[no-untyped-def]
    lines = [json.loads(line) for line in index_of(speech(tmp_path / "corpus")).encoded().splitlines()]
    (tmp_path / "index.jsonl").write_text("\n".join(json.dumps(line) for line in edit(lines)))
    with pytest.raises(UsageError, match=message):
        read_index(tmp_path / "index.jsonl")


@pytest.mark.parametrize("content", [b"", b"\n", b"RIFF", b"\xff\xfe", b"[" * 100_000, b"{}\n{"])
def test_what_is_no_index_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=r"index\.jsonl (is no digest index|has the format None)"):
        read_index(tmp_path / "index.jsonl")
    with pytest.raises(UsageError, match=r"nowhere\.jsonl cannot be read"):
        read_index(tmp_path / "nowhere.jsonl")


def test_durations_are_rounded_alike_on_both_sides(tmp_path: Path) -> None:
    import soundfile

    for number in range(3):
        samples = tone(400, seconds=1 / 3)[: 5000 + number]
        soundfile.write(tmp_path / f"ann_joy_speech_{number}.wav", np.float32(samples), RATE + 7)
    index = index_of(tmp_path)
    (tmp_path / "index.jsonl").write_bytes(index.encoded())
    read = read_index(tmp_path / "index.jsonl")
    assert differences(index, read) == {}
    noisy = {name: Heard("0" * 64, found.duration) for name, found in read.heard.items()}
    assert list(differences(index, DigestIndex(read.header, noisy))) == [
        "other samples of the same duration: 3 utterances"
    ]
    assert canonical_json(index.header.model_dump()) in (tmp_path / "index.jsonl").read_bytes()
