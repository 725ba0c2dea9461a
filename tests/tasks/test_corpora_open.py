"""ShEMO to CMU-MOSEI: their complete layouts, made, and what each of them has of its own."""

from __future__ import annotations

import functools
import importlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import baved, cmu, meld, nemo, resd, turev_db
from trees.audio import write_wav

from benchmark.base import Corpus
from benchmark.data.audio import AudioError, decode
from benchmark.data.listening import hear
from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import load_settings
from benchmark.registry.registry import Registry
from benchmark.types import Utterance

# Corpus -> its tree (module, function), number of speakers, and an utterance with all that the layout tells.
EXAMPLES: dict[str, tuple[str, str, int, Utterance]] = {
    "shemo": (
        "shemo",
        "write",
        87,
        Utterance(
            id="M02F01",
            file="male/M02F01.wav",
            speaker="M02",
            gender="male",
            language="fa",
            labels={"emotion": "fear"},
            extra={"style": "scripted"},
        ),
    ),
    "subesco": (
        "subesco",
        "write",
        20,
        Utterance(
            id="M07_10_surprise_3",
            file="SUBESCO/M_07_NAME07_S_10_SURPRISE_3.wav",
            speaker="M07",
            gender="male",
            language="bn",
            labels={"emotion": "surprise"},
            extra={"sentence": "10", "take": "3", "style": "scripted"},
        ),
    ),
    "ased": (
        "ased",
        "write",
        65,
        Utterance(
            id="a5-03-01-02-50",
            file="05Angry/A5-03-01-02-50.wav",
            speaker="50",
            gender="male",
            language="am",
            labels={"emotion": "angry"},
            extra={"sentence": None, "prompt": "a5-03", "take": "01", "style": "scripted"},
        ),
    ),
    "turev-db": (
        "turev_db",
        "write",
        6,
        Utterance(
            id="Calm/1234_sk_word02",
            file="Sound Source/Calm/1234_sk_word02.wav",
            speaker="1234",
            language="tr",
            labels={"emotion": "calm"},
            extra={"sentence": "word02", "style": "scripted"},
        ),
    ),
    "baved": (
        "baved",
        "write",
        60,
        Utterance(
            id="103-f-22-3-1-59",
            file="3/103-f-22-3-1-59.wav",
            speaker="103",
            gender="female",
            language="ar",
            labels={"emotion": "neutral"},
            extra={"sentence": "3", "age": 22.0, "take": "59", "style": "scripted"},
        ),
    ),
    "nemo": (
        "nemo",
        "write",
        9,
        Utterance(
            id="FF0_surprised_7",
            file="samples/FF0_surprised_7.wav",
            speaker="FF0",
            gender="male",
            language="pl",
            labels={"emotion": "surprised"},
            extra={"sentence": "7", "text": '„Zdanie” "7, tak', "age": "23", "style": "scripted"},
        ),
    ),
    "resd": (
        "resd",
        "write",
        0,
        Utterance(
            id="01_disgust_enthusiasm d_010",
            file="test/01_disgust_enthusiasm/01_disgust_enthusiasm d_010.wav",
            session="1",
            language="ru",
            labels={"emotion": "disgust"},
            split="test",
            extra={"dialogue": "1"},
        ),
    ),
    "meld": (
        "meld",
        "write",
        393,
        Utterance(
            id="dev/dia2_utt9",
            file="dev_splits_complete/dia2_utt9.mp4",
            speaker="Dev Voice 23",
            session="dev/2",
            language="en",
            labels={"emotion": "neutral", "sentiment": "neutral"},
            split="dev",
            extra={
                "dialogue": "dev/2",
                "turn": 9.0,
                "text": "It’s line 29, “you” see – so…",
                "season": "3",
                "episode": "3",
                "episode_start": "00:16:16,059",
                "episode_end": "00:16:21,731",
                "style": "scripted",
            },
        ),
    ),
    "m3ed": (
        "m3ed",
        "write",
        626,
        Utterance(
            id="valju3_2_10",
            file="modality_speech/B_valju3_2_10.wav",
            speaker="valju3/Ren 5",
            session="valju3_2",
            gender="male",
            language="zh",
            labels={"emotion": "surprise"},
            split="dev",
            extra={
                "drama": "valju3",
                "dialogue": "valju3_2",
                "turn": 10.0,
                "text": "话 884",
                "age": "mid",
                "agreement": "none",
                "recording": "full",
                "style": "scripted",
            },
        ),
    ),
    "cmu-mosi": (
        "cmu",
        "write_mosi",
        0,
        Utterance(
            id="-Video_00001/2",
            file="Raw/-Video_00001/2.mp4",
            session="-Video_00001",
            language="en",
            labels={"sentiment": 3.0, "polarity": "positive"},
            split="train",
            extra={"dialogue": "-Video_00001", "turn": 2.0, "text": 'WORDS, "2"', "style": "spontaneous"},
        ),
    ),
    "cmu-mosei": (
        "cmu",
        "write_mosei",
        0,
        Utterance(
            id="102249/0",
            file="Raw/102249/0.mp4",
            session="102249",
            language="en",
            labels={"sentiment": 0.0, "polarity": "zero"},
            split="train",
            extra={"dialogue": "102249", "turn": 0.0, "text": 'WORDS, "16319"', "style": "spontaneous"},
        ),
    ),
}
BY_NAME = ("shemo", "subesco", "ased", "turev-db", "baved")  # names of files tell all


def corpus_of(name: str) -> Corpus:
    return Registry().corpus(name)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The complete tree of a corpus, made when it is first asked for; not to be changed."""
    made: dict[str, Path] = {}

    def tree(name: str) -> Path:
        if name not in made:
            module, function, _, _ = EXAMPLES[name]
            root = tmp_path_factory.mktemp(name) / "corpus"
            root.mkdir()
            made[name] = getattr(importlib.import_module(f"trees.{module}"), function)(root)
        return made[name]

    return tree


WITHOUT_SOUND = ("meld", "m3ed", "cmu-mosi")  # the scanner takes their lists at their word


@pytest.fixture(scope="module")
def scanned(trees: Callable[[str], Path]) -> Callable[[str], list[Utterance]]:
    """What the scanner reads of a complete tree."""
    return functools.cache(lambda name: corpus_of(name).scan(trees(name)))


@pytest.fixture
def own(trees: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A tree that the test may damage; large ones hold their lists alone."""

    def copy(name: str) -> Path:
        left_out = shutil.ignore_patterns("*.mp4", "modality_speech") if name in WITHOUT_SOUND else None
        return Path(shutil.copytree(trees(name), tmp_path / "own" / name, ignore=left_out, copy_function=os.link))

    return copy


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in ("m3ed", "cmu-mosei") else name for name in EXAMPLES]
)
def test_a_complete_corpus_is_read_as_it_is_counted(scanned: Callable[[str], list[Utterance]], name: str) -> None:
    corpus, (_, _, speakers, example) = corpus_of(name), EXAMPLES[name]
    utterances = scanned(name)
    found = Counter(corpus.part_of(utterance) for utterance in utterances)
    assert found == {part: counts.utterances for part, counts in corpus.counts.items()}
    for part, counts in corpus.counts.items():
        emotions = Counter(u.labels["emotion"] for u in utterances if corpus.part_of(u) == part and counts.per_class)
        assert emotions == counts.per_class
        assert counts.speakers in (None, speakers)
    assert len({u.speaker for u in utterances} - {None}) == speakers
    assert next(u for u in utterances if u.id == example.id) == example
    assert [u.id for u in utterances] == sorted({u.id for u in utterances})
    assert {frozenset(u.extra) for u in utterances} == {frozenset(example.extra)}
    assert {u.language for u in utterances} == {corpus.language}
    assert corpus.gaps(utterances) == []


@pytest.mark.parametrize("name", ["shemo", "resd", "nemo"])
def test_the_index_is_the_same_wherever_a_corpus_lies(own: Callable[[str], Path], name: str) -> None:
    root = own(name)
    before = index_digest(corpus_of(name).scan(root))
    moved = root.rename(root.with_name("elsewhere"))
    assert index_digest(corpus_of(name).scan(moved)) == before


@pytest.mark.parametrize("name", [*BY_NAME, "nemo", "resd"])
def test_a_file_that_is_not_of_the_corpus_is_named(own: Callable[[str], Path], name: str) -> None:
    root, example = own(name), EXAMPLES[name][3]
    stranger = (root / example.file).with_name("stranger_01.wav")
    write_wav(stranger, 0)
    with pytest.raises(BenchError, match=r"unexpected file .*stranger_01\.wav"):
        corpus_of(name).scan(root)


@pytest.mark.parametrize("name", [*BY_NAME, "resd"])
def test_an_unpacked_twice_corpus_is_refused(own: Callable[[str], Path], name: str) -> None:
    root, example = own(name), EXAMPLES[name][3]
    first = root / example.file
    again = first.parent / "again" / first.name
    again.parent.mkdir()
    shutil.copy(first, again)
    with pytest.raises(BenchError, match="are both utterance"):
        corpus_of(name).scan(root)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_folder_without_recordings_is_no_corpus(tmp_path: Path, name: str) -> None:
    with pytest.raises(BenchError, match=f"corpus {name}"):
        corpus_of(name).scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("nemo", ["data.tsv"]),
        ("resd", ["train.csv", "test.csv"]),
        ("meld", [f"{split}_sent_emo.csv" for split in ("train", "dev", "test")]),
        ("m3ed", ["annotation.json", "splitInfo/movie_list_val.txt"]),
        ("cmu-mosi", ["label.csv"]),
    ],
)
def test_a_missing_list_is_named_with_how_to_get_it(
    trees: Callable[[str], Path], tmp_path: Path, name: str, files: list[str]
) -> None:
    for file in files:
        root = tmp_path / file.replace("/", "-")
        shutil.copytree(trees(name), root, ignore=shutil.ignore_patterns(Path(file).name, "*.mp4", "*.wav"))
        with pytest.raises(MissingError, match=f"there is no {file}") as caught:
            corpus_of(name).scan(root)
        assert corpus_of(name).how_to_get in str(caught.value)


def changed(path: Path, old: str, new: str) -> None:
    """Exchange what stands in a list once at least."""
    text = path.read_bytes()
    assert old.encode() in text
    path.unlink()  # it is linked with that of the complete tree
    path.write_bytes(text.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "why"),
    [
        ("nemo", "data.tsv", "raw_text", "text", "data.tsv has no column raw_text"),
        ("nemo", "data.tsv", "_1.wav\tanger", "_1.wav\tfear", "does not list samples/.*_anger_1.wav as its name says"),
        ("nemo", "data.tsv", "\tmale\t23", "\tmale", r"line \d+: the number of values is not that of the columns"),
        ("resd", "test.csv", "emotion", "label", "test.csv has no column emotion"),
        ("resd", "test.csv", ",disgust\n", ",boredom\n", r"line \d+: the emotion is 'boredom'"),
        ("resd", "train.csv", "/06_", "/96_", "train.csv does not list train/06_"),
        ("meld", "dev_sent_emo.csv", "Sentiment", "Mood", "dev_sent_emo.csv has no column Sentiment"),
        ("meld", "dev_sent_emo.csv", ",neutral,", ",bored,", "line 2: dia0_utt0 is 'bored' and 'neutral'"),
        ("meld", "test_sent_emo.csv", ",0,0,", ",0,x,", "line 2: dia0_uttx is"),
        ("m3ed", "annotation.json", '"final_main_emo": "Sad"', '"final_main_emo": "?"', r"the emotion of .* is '\?'"),
        ("m3ed", "annotation.json", '"EmoAnnotation"', '"Annotation"', "trainju1_1_1 has no 'EmoAnnotation'"),
        ("m3ed", "annotation.json", '"Dialog"', '"Talk"', "trainju1_1 has no 'Dialog'"),
        ("m3ed", "annotation.json", "{", "", "is not JSON in UTF-8"),
        ("m3ed", "splitInfo/movie_list_val.txt", "valju7", "", "no list of series has 'valju7'"),
        ("m3ed", "splitInfo/movie_list_val.txt", "valju7", "testju1", "the series 'testju1' is in dev and test"),
        ("cmu-mosi", "label.csv", "clip_id", "clip", "label.csv has no column clip_id"),
        ("cmu-mosi", "label.csv", ",3.0,", ",3.2,", r"line \d+: the label is '3.2' .a sentiment from -3 to 3"),
        ("cmu-mosi", "label.csv", ",3.0,", ",,", r"line \d+: the label is ''"),
        ("cmu-mosi", "label.csv", ",valid", ",maybe", "of mode 'maybe'"),
        ("cmu-mosi", "label.csv", "-Video_00001,0,", "-Video_00001,one,", "line 2: clip 'one' of mode 'train'"),
        ("cmu-mosi", "label.csv", "-Video_00001,0,", "-Video_00001,01,", "are both utterance '-Video_00001/1'"),
    ],
)
def test_a_list_that_is_not_as_it_should_be_is_named_with_its_line(
    own: Callable[[str], Path], name: str, file: str, old: str, new: str, why: str
) -> None:
    root = own(name)
    changed(root / file, old, new)
    with pytest.raises(BenchError, match=why):
        corpus_of(name).scan(root)


# -- SUBESCO ----------------------------------------------------------------------------------------------------------


def test_subesco_knows_what_is_missing(own: Callable[[str], Path]) -> None:
    root, corpus = own("subesco"), corpus_of("subesco")
    (root / EXAMPLES["subesco"][3].file).unlink()
    for path in (root / "SUBESCO").glob("F_03_*"):
        path.unlink()
    assert corpus.gaps(corpus.scan(root)) == [
        "1 of 20 speakers is missing: F03",
        "1 utterance is missing of the other speakers: M07_10_surprise_3",
    ]


# -- ASED -------------------------------------------------------------------------------------------------------------


def test_ased_refuses_a_name_of_two_emotions(own: Callable[[str], Path]) -> None:
    root = own("ased")
    write_wav(root / "05Angry/a4-03-01-02-50.wav", 0)
    with pytest.raises(BenchError, match=r"the letter and the number of 05Angry/a4-03-01-02-50\.wav are"):
        corpus_of("ased").scan(root)


# -- TurEV-DB ---------------------------------------------------------------------------------------------------------


def test_turev_db_reads_its_four_folders_alone_and_where_they_lie_at_the_top_too(trees: Callable[[str], Path]) -> None:
    root, corpus = trees("turev-db"), corpus_of("turev-db")
    assert (root / turev_db.BASE / "noise sample.wav").is_file()
    assert not [u for u in corpus.scan(root) if "sample" in u.id or "Test" in u.file]
    at_top = corpus.scan(root / turev_db.BASE)
    assert index_digest(at_top) == index_digest(corpus.scan(root))
    assert at_top[0].file == "Angry/1157_kz_word00.wav"


# -- BAVED ------------------------------------------------------------------------------------------------------------


def test_baved_has_recordings_that_two_speakers_share(trees: Callable[[str], Path], tmp_path: Path) -> None:
    root, corpus = trees("baved"), corpus_of("baved")
    utterances = corpus.scan(root)
    heard, _ = hear(root, utterances, None, load_settings(), lambda count: None)
    speakers: dict[str, list[str]] = {}
    for utterance in utterances:
        speakers.setdefault(heard[utterance.id].sha256, []).append(str(utterance.speaker))
    shared = Counter(tuple(sorted(names)) for names in speakers.values() if len(names) > 1)
    assert shared == {("46", "53"): baved.SHARED, ("1", "1"): baved.TWICE}


# -- nEMO -------------------------------------------------------------------------------------------------------------


def test_nemo_may_lack_recordings_that_its_table_lists(own: Callable[[str], Path]) -> None:
    root = own("nemo")
    (root / "samples/AA0_anger_1.wav").unlink()
    assert len(corpus_of("nemo").scan(root)) == sum(nemo.CLASSES.values()) - 1


# -- RESD -------------------------------------------------------------------------------------------------------------


def test_resd_has_most_dialogues_in_both_splits(trees: Callable[[str], Path]) -> None:
    utterances = corpus_of("resd").scan(trees("resd"))
    assert Counter(u.split for u in utterances) == {"train": 1116, "test": 280}
    sides = {split: {u.session for u in utterances if u.split == split} for split in ("train", "test")}
    assert len(sides["train"]) == resd.DIALOGUES
    assert len(sides["train"] & sides["test"]) > 40


# -- MELD -------------------------------------------------------------------------------------------------------------


def test_meld_lists_its_two_broken_clips_and_hearing_finds_them(
    trees: Callable[[str], Path], scanned: Callable[[str], list[Utterance]], tmp_path: Path
) -> None:
    root = trees("meld")
    by_id = {u.id: u for u in scanned("meld")}
    with pytest.raises(AudioError, match=r"train_splits/dia125_utt3\.mp4: (truncated|unreadable)"):
        decode(root, by_id[meld.DAMAGED], cache=tmp_path)
    with pytest.raises(AudioError, match=r"dev_splits_complete/dia110_utt7\.mp4: the file is missing"):
        decode(root, by_id[meld.ABSENT], cache=tmp_path)
    assert decode(root, by_id["test/dia279_utt3"], cache=tmp_path).sample_rate == 16_000


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_meld_texts_and_names_are_clean_whatever_their_table_went_through(
    trees: Callable[[str], Path], scanned: Callable[[str], list[Utterance]], split: str
) -> None:
    raw = (trees("meld") / f"{split}_sent_emo.csv").read_bytes()
    assert {"train": b"It\xc2\x92s", "dev": b"It\x92s", "test": b"It\xe2\x80\x99s"}[split] in raw
    utterances = [u for u in scanned("meld") if u.split == split]
    assert {str(u.extra["text"]).replace(str(n), "") for n, u in enumerate(sorted(utterances, key=line))} == {
        "It’s line , “you” see – so…"
    }
    assert "The Man’s Friend" in {u.speaker for u in utterances}


def line(utterance: Utterance) -> tuple[int, float]:
    return int(str(utterance.extra["dialogue"]).partition("/")[2]), float(str(utterance.extra["turn"]))


def test_meld_may_be_unpacked_in_its_archives_folders_or_hold_the_sound_alone(own: Callable[[str], Path]) -> None:
    root, corpus = own("meld"), corpus_of("meld")
    shutil.rmtree(root / "output_repeated_splits_test")
    before = corpus.scan(root)
    assert before[0].file == "dev_splits_complete/dia0_utt0.mp4", "where the release has it"
    for split, (folder, *_) in meld.SPLITS.items():
        write_wav(root / "MELD.Raw" / split / folder / "dia0_utt0.wav", 0)
        (root / f"{split}_sent_emo.csv").rename(root / "MELD.Raw" / split / f"{split}_sent_emo.csv")
    after = corpus.scan(root)
    assert after[0].file == "MELD.Raw/dev/dev_splits_complete/dia0_utt0.wav"
    assert after[1].file == "MELD.Raw/dev/dev_splits_complete/dia0_utt1.mp4", "a missing clip is for the run to find"
    assert index_digest(after) == index_digest(before)
    (root / "MELD.Raw/dev/dev_splits_complete").rename(root / "MELD.Raw/dev/clips")
    assert corpus.scan(root)[0].file == "MELD.Raw/dev/clips/dia0_utt0.wav"


def test_meld_refuses_a_clip_or_two_different_tables_for_one(own: Callable[[str], Path]) -> None:
    root, corpus = own("meld"), corpus_of("meld")
    (root / "more").mkdir()
    shutil.copy(root / "dev_sent_emo.csv", root / "more")
    corpus.scan(root)
    changed(root / "more/dev_sent_emo.csv", "Person 1", "Person 2")
    with pytest.raises(BenchError, match=r"dev_sent_emo\.csv and more/dev_sent_emo\.csv differ"):
        corpus.scan(root)
    shutil.rmtree(root / "more")
    for suffix in ("mp4", "wav"):
        write_wav(root / f"train_splits/dia0_utt0.{suffix}", 0)
    with pytest.raises(BenchError, match=r"train_splits/dia0_utt0\.mp4 and train_splits/dia0_utt0\.wav are one clip"):
        corpus.scan(root)


# -- M3ED -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_m3ed_splits_by_series_and_tells_recordings_without_samples(
    trees: Callable[[str], Path], scanned: Callable[[str], list[Utterance]]
) -> None:
    utterances = scanned("m3ed")
    by_split = {split: [u for u in utterances if u.split == split] for split in ("train", "dev", "test")}
    empty = {split: [u for u in them if u.extra["recording"] == "empty"] for split, them in by_split.items()}
    assert {split: len(them) for split, them in empty.items()} == {"train": 7, "dev": 2, "test": 3}
    assert {split: len(them) - len(empty[split]) for split, them in by_split.items()} == {
        "train": 17420,
        "dev": 2819,
        "test": 4198,
    }
    assert {split: len({u.extra["drama"] for u in them}) for split, them in by_split.items()} == {
        "train": 38,
        "dev": 7,
        "test": 11,
    }
    assert len({u.session for u in utterances}) == 990
    with pytest.raises(AudioError, match="the audio is empty"):
        decode(trees("m3ed"), empty["dev"][0])


def test_m3ed_agreement_and_speakers_are_those_of_the_annotation(tmp_path: Path) -> None:
    votes = {"EmoAnnotator1": "Happy,Surprise", "EmoAnnotator2": "Happy", "EmoAnnotator3": "Sad"}
    entries = [votes, {**votes, "EmoAnnotator3": "Happy"}, {"EmoAnnotator1": "Sad", "EmoAnnotator2": "Sad"}, {}]
    dialogue = {
        f"a_1_{number}": {"Speaker": "AB"[number % 2], "EmoAnnotation": {**entry, "final_main_emo": "Happy"}}
        for number, entry in enumerate(entries)
    }
    people = {"A": {"Name": "Ren", "Gender": "女"}}
    (tmp_path / "splitInfo").mkdir()
    for split in ("train", "val", "test"):
        (tmp_path / f"splitInfo/movie_list_{split}.txt").write_text("a" if split == "train" else "")
    content = {"a": {"a_1": {"SpeakerInfo": people, "Dialog": dialogue}}}
    (tmp_path / "annotation.json").write_text(json.dumps(content))
    utterances = corpus_of("m3ed").scan(tmp_path)
    assert [u.extra["agreement"] for u in utterances] == ["majority", "full", "none", None]
    assert [u.speaker for u in utterances] == ["a/Ren", "a/a_1_B", "a/Ren", "a/a_1_B"]
    assert [u.gender for u in utterances] == ["female", None, "female", None]
    assert {u.extra["recording"] for u in utterances} == {"full"}, "a missing file is for the run to find"
    content["a"]["a_1"]["Dialog"] = {"a_1_x": dialogue["a_1_0"]}
    (tmp_path / "annotation.json").write_text(json.dumps(content))
    with pytest.raises(BenchError, match="'a_1_x' in a_1 has no number"):
        corpus_of("m3ed").scan(tmp_path)
    (tmp_path / "annotation.json").write_text('{"a": ["a_1"]}')
    with pytest.raises(BenchError, match=r"in annotation\.json a is no table"):
        corpus_of("m3ed").scan(tmp_path)


def test_m3ed_refuses_two_recordings_and_two_annotations_for_one(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_wav(tmp_path / folder / "A_a_1_1.wav", 0)
    (tmp_path / "splitInfo").mkdir()
    for split in ("train", "val", "test"):
        (tmp_path / f"splitInfo/movie_list_{split}.txt").touch()
    (tmp_path / "annotation.json").write_text("{}")
    with pytest.raises(BenchError, match="are one recording"):
        corpus_of("m3ed").scan(tmp_path)
    (tmp_path / "a/annotation.json").write_text("{}")
    with pytest.raises(BenchError, match="are both the annotation"):
        corpus_of("m3ed").scan(tmp_path)


# -- CMU-MOSI and CMU-MOSEI -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "videos"),
    [("cmu-mosi", (52, 10, 31)), pytest.param("cmu-mosei", (2249, 300, 678), marks=pytest.mark.slow)],
)
def test_cmu_segments_are_split_by_video(
    scanned: Callable[[str], list[Utterance]], name: str, videos: tuple[int, int, int]
) -> None:
    utterances = scanned(name)
    by_split = [{u.session for u in utterances if u.split == split} for split in ("train", "dev", "test")]
    assert tuple(map(len, by_split)) == videos
    assert not by_split[0] & by_split[1] | by_split[0] & by_split[2] | by_split[1] & by_split[2]
    signs = {(u.labels["polarity"], float(u.labels["sentiment"])) for u in utterances}
    assert signs == {(name.lower(), value) for name, values in cmu.VALUES.items() for value in values} ^ {
        ("neutral", 0.0),
        ("zero", 0.0),
    }


@pytest.mark.parametrize("form", ["wav/{video}_{clip}.wav", "audio/{video}$_${clip}.flac", "{video}/{clip:04d}.wav"])
def test_cmu_clips_may_be_named_as_in_other_packagings(own: Callable[[str], Path], form: str) -> None:
    root, corpus = own("cmu-mosi"), corpus_of("cmu-mosi")
    before = corpus.scan(root)
    for utterance in before:
        video, clip = utterance.id.split("/")
        place = root / form.format(video=video, clip=int(clip))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    after = corpus.scan(root)
    assert index_digest(after) == index_digest(before)
    assert after[0].file == form.format(video="-Video_00001", clip=0)


def test_cmu_refuses_two_clips_for_one_segment_and_expects_the_official_place(own: Callable[[str], Path]) -> None:
    root, corpus = own("cmu-mosi"), corpus_of("cmu-mosi")
    assert corpus.scan(root)[0].file == "Raw/-Video_00001/0.mp4"
    for clip in ("1", "01"):
        write_wav(root / f"Raw/-Video_00001/{clip}.wav", 0)
    with pytest.raises(BenchError, match="are one clip"):
        corpus.scan(root)
