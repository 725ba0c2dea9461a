"""MSP-Podcast: the format it shares with BIIC-Podcast, its releases, and its test set without public labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from trees.podcasts import FULL_MSP, HEADER, SMALL, write

from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError, MissingError
from benchmark.types import Utterance
from tasks.corpora.msp_podcast import MSPPodcast

FOUR = {"neutral", "happiness", "anger", "sadness"}
ONE = {"Train": {"N": 1}}


def write_rows(root: Path, *rows: str, header: str = ",".join(HEADER)) -> Path:
    write(root, {})
    (root / "Labels" / "labels_consensus.csv").write_text("\n".join([header, *rows]) + "\n")
    return root


def test_a_row_is_read(tmp_path: Path) -> None:
    row = "MSP-PODCAST_0153_0019.wav,U,4.5,2.333333,5,127,Female,Test1"
    (found,) = MSPPodcast().scan(write_rows(tmp_path / "root", row))
    assert found == Utterance(
        id="MSP-PODCAST_0153_0019",
        file="Audios/MSP-PODCAST_0153_0019.wav",
        speaker="127",
        session="0153",
        gender="female",
        language="en",
        labels={"emotion": "surprise", "arousal": 4.5, "valence": 2.333333, "dominance": 5.0},
        split="test",
        extra={
            "release": "1.10",
            "test_set": "Test1",
            "dialogue": "0153",
            "turn": 19.0,
            "style": "spontaneous",
            "agreement": None,
            "eval_1.3": "unknown",
        },
    )
    assert MSPPodcast().part_of(found) == "1.10"


@pytest.mark.parametrize("file", ["MSP-PODCAST_0001_0001.WAV", "MSP-PODCAST_0001_0001.flac"])
def test_a_copy_in_another_format_is_read_in_its_place(tmp_path: Path, file: str) -> None:
    row = "MSP-PODCAST_0001_0001.wav,N,4,4,4,1,Female,Train"
    root = write_rows(tmp_path / "root", row)
    assert [utterance.file for utterance in MSPPodcast().scan(root)] == ["Audios/MSP-PODCAST_0001_0001.wav"]
    (root / "Audios" / file).touch()
    assert [utterance.file for utterance in MSPPodcast().scan(root)] == [f"Audios/{file}"]


@pytest.mark.parametrize(
    ("text", "split", "test_set"),
    [
        ("Train", "train", None),
        ("Validation", "dev", None),
        ("Development", "dev", None),
        ("Test1", "test", "Test1"),
        ("test2", "test", "Test2"),
        ("Test", "test", "Test"),
    ],
)
def test_splits_of_all_releases_are_known(tmp_path: Path, text: str, split: str, test_set: str | None) -> None:
    (found,) = MSPPodcast().scan(write(tmp_path / "root", {text: {"N": 1}}))
    assert (found.split, found.extra["test_set"]) == (split, test_set)


def test_every_class_has_its_word(tmp_path: Path) -> None:
    found = MSPPodcast().scan(write(tmp_path / "root", SMALL))
    primary = ("anger", "sadness", "happiness", "surprise", "fear", "disgust", "contempt", "neutral")
    words = (*primary, "other", "undecided")
    assert Counter(u.labels["emotion"] for u in found) == dict.fromkeys(words, 12)
    assert {tuple(u.extra) for u in found} == {tuple(found[0].extra)}
    assert [u.id for u in found] == sorted(u.id for u in found)


@pytest.mark.parametrize("text", ["Unknown", "unknown", "N/A", "NA", "None", "nan", ""])
def test_an_unknown_speaker_is_none(tmp_path: Path, text: str) -> None:
    row = f"MSP-PODCAST_0153_0019.wav,N,4,4,4,{text},{text},Train"
    (found,) = MSPPodcast().scan(write_rows(tmp_path / "root", row))
    assert (found.speaker, found.gender) == (None, None)


def test_parts_of_a_turn_come_after_one_another(tmp_path: Path) -> None:
    numbers = ("0016", "0016_0001", "0016_0001_0002", "0016_0002", "0017_1", "0017_2", "0017_10", "0017_100")
    names = [f"MSP-PODCAST_0001_{number}" for number in numbers]
    rows = [f"{name}.wav,N,4,4,4,1,Male,Train" for name in names]
    turns = {u.id: float(str(u.extra["turn"])) for u in MSPPodcast().scan(write_rows(tmp_path / "root", *rows))}
    assert sorted(names, key=turns.__getitem__) == names
    assert len(set(turns.values())) == len(names)


@pytest.mark.parametrize(
    ("folder", "text", "release"),
    [
        ("MSP-PODCAST-Publish-1.10", None, "1.10"),
        ("msp-podcast-1.6", None, "1.6"),
        ("MSP-PODCAST1.11", None, "1.11"),
        ("data", "1.8", "1.8"),
        ("data", "v1.12", "1.12"),
        ("msp-podcast-1.6", "1.10", "1.10"),
    ],
)
def test_the_release_is_read_from_its_file_or_from_the_folder(
    tmp_path: Path, folder: str, text: str | None, release: str
) -> None:
    (found,) = MSPPodcast().scan(write(tmp_path / folder, ONE, release=text))
    assert found.extra["release"] == release


def test_the_release_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "msp-podcast").symlink_to(write(tmp_path / "msp-podcast-1.10", ONE, release=None))
    assert MSPPodcast().scan(tmp_path / "msp-podcast")[0].extra["release"] == "1.10"


@pytest.mark.parametrize("folder", ["msp-podcast", "msp-podcast-1.10-and-1.11", "msp-podcast-1.10.2"])
def test_a_release_that_nothing_says_is_asked_for(tmp_path: Path, folder: str) -> None:
    root = write(tmp_path / folder, ONE, release=None)
    with pytest.raises(BenchError, match=r"nothing says which release.*into release\.txt"):
        MSPPodcast().scan(root)


def test_a_release_file_that_says_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"release.txt says 'newest'"):
        MSPPodcast().scan(write(tmp_path / "root", ONE, release="newest"))


def test_the_release_is_part_of_the_identity(tmp_path: Path) -> None:
    digests = {
        index_digest(MSPPodcast().scan(write(tmp_path / release, SMALL, release=release)), ["release"])
        for release in ("1.10", "1.11")
    }
    assert len(digests) == 2


def test_old_spellings_are_accepted_and_change_nothing(tmp_path: Path) -> None:
    new = write(tmp_path / "new", SMALL)
    header = tuple(name.upper() for name in HEADER)
    old = write(tmp_path / "old", SMALL, labels="labels_concensus.csv", folder="Audio", header=header)
    found, again = MSPPodcast().scan(new), MSPPodcast().scan(old)
    assert index_digest(found) == index_digest(again)
    assert again[0].file == found[0].file.replace("Audios/", "Audio/")


def test_audio_in_folders_below_is_found(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"Train": {"N": 2}, "Test1": {"N": 1}}, folder="Audios/Audios")
    (root / "Audios" / "__MACOSX").mkdir()
    files = [utterance.file for utterance in MSPPodcast().scan(root)]
    assert all((root / file).is_file() for file in files)
    (root / "Audios" / "more").mkdir()
    (root / "Audios" / "more" / Path(files[0]).name).write_bytes(b"another")
    with pytest.raises(BenchError, match="have one name"):
        MSPPodcast().scan(root)


def test_a_test_set_without_labels_is_listed_without_labels(tmp_path: Path) -> None:
    """Nothing is lost: the partition list names it, and a task leaves it out by `test_set`."""
    found = MSPPodcast().scan(write(tmp_path / "root", SMALL, hidden=4))
    hidden = [utterance for utterance in found if utterance.extra["test_set"] == "Test3"]
    assert len(found) == 120 + 4
    assert [u.id for u in hidden] == [f"MSP-PODCAST_test3_{number:04d}" for number in range(1, 5)]
    assert all((u.labels, u.split, u.speaker, u.session) == ({}, "test", None, None) for u in hidden)
    assert {tuple(u.extra) for u in hidden} == {tuple(found[0].extra)}


def test_labels_that_a_row_leaves_empty_are_left_out(tmp_path: Path) -> None:
    row = "MSP-PODCAST_0001_0001.wav,,4,nan,,1,Male,Test3"
    (found,) = MSPPodcast().scan(write_rows(tmp_path / "root", row))
    assert found.labels == {"arousal": 4.0}


# What five utterances were given by two workers each, one of them not at all.
GIVEN = {
    "0001": ("Happy", "Happy"),
    "0002": ("Happy", "Sad"),
    "0003": ("Sad", "Angry"),
    "0004": ("Other-Bored", "Other"),
}
AGREEMENT = {"0001": "full", "0002": "majority", "0003": "none", "0004": "full", "0005": None}
DETAILED = {
    "FileName,Workers,EmoClass_Major,EmoClass_Second": "{file},WORKER{worker},{word},{word}",
    "FileName,EmoDetail": '{file},"WORKER{worker}; {word}; {word},Amused; A:3.0; V:5.0; D:4.0;"',
}


@pytest.mark.parametrize("header", DETAILED)
def test_agreement_is_that_of_the_workers_primary_classes(tmp_path: Path, header: str) -> None:
    classes = {"0001": "H", "0002": "H", "0003": "X", "0004": "O", "0005": "N"}
    rows = [f"MSP-PODCAST_0001_{turn}.wav,{code},4,4,4,1,Male,Train" for turn, code in classes.items()]
    root = write_rows(tmp_path / "root", *rows)
    lines = [
        DETAILED[header].format(file=f"MSP-PODCAST_0001_{turn}.wav", worker=worker, word=word)
        for turn, words in GIVEN.items()
        for worker, word in enumerate(words)
    ]
    (root / "Labels/labels_detailed.csv").write_text("\n".join([header, *lines]) + "\n")
    assert {u.id[-4:]: u.extra["agreement"] for u in MSPPodcast().scan(root)} == AGREEMENT


def test_a_list_of_workers_without_their_classes_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "root", ONE)
    (root / "Labels/labels_detailed.csv").write_text("FileName,Workers\nMSP-PODCAST_0001_0001.wav,WORKER1\n")
    with pytest.raises(BenchError, match=r"labels_detailed\.csv does not tell what workers gave"):
        MSPPodcast().scan(root)


def test_the_test_set_of_release_1_3_is_told_by_its_list(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"Train": {"N": 2}, "Test1": {"N": 2}}, release="1.6")
    names = {u.id: u.split for u in MSPPodcast().scan(root)}
    old, new = sorted(name for name, split in names.items() if split == "test")
    trained = min(name for name, split in names.items() if split == "train")
    rows = [f"{name}.wav,N,4,4,4,1,Male,{split}" for name, split in ((old, "Test"), (new, "Train"), (trained, "Test"))]
    (root / "Labels" / "labels_consensus-1.3.csv").write_text("\n".join([",".join(HEADER), *rows]) + "\n")
    found = {u.id: u.extra["eval_1.3"] for u in MSPPodcast().scan(root)}
    # What release 1.6 trains on is not tested, whatever it was.
    assert found == {
        name: None if split == "train" else "yes" if name == old else "no" for name, split in names.items()
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("MSP-PODCAST_0001_0001.wav,Q,4,4,4,1,Male,Train", r"labels_consensus.csv, line 2 has the class 'Q'"),
        ("MSP-PODCAST_0001_0001.wav,N,4,high,4,1,Male,Train", "line 2: emoval is 'high'"),
        ("MSP-PODCAST_0001_0001.wav,N,4,4,4,1,Male,Later", "line 2 has the split 'Later'"),
        ("BIIC-PODCAST_0001_0001.wav,N,4,4,4,1,Male,Train", "line 2 has the file 'BIIC-PODCAST_0001_0001.wav'"),
        ("0001.wav,N,4,4,4,1,Male,Train", "line 2 has the file '0001.wav'"),
        ("MSP-PODCAST_0001_0001.wav,N,4,4,4,1,Male", "line 2 has 7 fields instead of 8"),
        ('"MSP-PODCAST_0001_0001.wav', "is not a CSV file"),
    ],
)
def test_a_row_that_is_none_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        MSPPodcast().scan(write_rows(tmp_path / "root", row))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    root = write_rows(tmp_path / "root", header="FileName,EmoClass,EmoAct,EmoVal,EmoDom")
    with pytest.raises(BenchError, match="has no column 'split_set'"):
        MSPPodcast().scan(root)


def test_a_row_that_is_there_twice_is_named(tmp_path: Path) -> None:
    row = "MSP-PODCAST_0001_0001.wav,N,4,4,4,1,Male,Train"
    with pytest.raises(BenchError, match="both utterance 'MSP-PODCAST_0001_0001'"):
        MSPPodcast().scan(write_rows(tmp_path / "root", row, row))


def test_a_damaged_partition_list_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "root", ONE)
    (root / "Partitions.txt").write_text("Test3 MSP-PODCAST_test3_0001.wav\n")
    with pytest.raises(BenchError, match=r"Partitions.txt, line 1 is 'Test3 MSP"):
        MSPPodcast().scan(root)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"has no Labels/labels_consensus\.csv in"):
        MSPPodcast().scan(tmp_path)
    root = write(tmp_path / "root", ONE, audio=False)
    (root / "Audios").rmdir()
    with pytest.raises(BenchError, match="has no folder 'Audios'"):
        MSPPodcast().scan(root)


def test_the_four_classes_of_release_1_10(tmp_path: Path) -> None:
    found = MSPPodcast().scan(write(tmp_path / "root", FULL_MSP, audio=False))
    assert sum(u.labels["emotion"] in FOUR for u in found) == 49018
