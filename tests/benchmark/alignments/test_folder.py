"""A folder of alignments: whose each is, what lacks, what frames it means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.alignments import load_alignments
from benchmark.alignments.folder import LARGEST
from benchmark.errors import BenchError, MissingError
from benchmark.types import Utterance

PHONES = ((0.0, 0.1, "sil"), (0.1, 0.3, "AA1"), (0.3, 0.4, "T"), (0.4, 0.6, "IY0"))


def text_grid(phones: tuple[tuple[float, float, str], ...] = PHONES) -> str:
    lines = [f'{start}\n{end}\n"{label}"' for start, end, label in phones]
    head = f'File type = "ooTextFile"\n"TextGrid"\n0\n1\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n1\n{len(phones)}\n'
    return head + "\n".join(lines)


def ctm(name: str, phones: tuple[tuple[float, float, str], ...] = PHONES) -> str:
    return "".join(f"{name} 1 {start} {end - start} {label}\n" for start, end, label in phones)


def utterance(name: str, file: str = "", **more: float) -> Utterance:
    return Utterance(name, file or f"{name}.wav", **more)


def put(folder: Path, name: str, content: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)


@pytest.mark.parametrize(
    "place", ["a.TextGrid", "a.textgrid", "here/a.TextGrid", "wavs/x.TextGrid", "here/wavs/x.TextGrid"]
)
def test_a_text_grid_is_found_by_id_or_by_the_path_of_the_recording(tmp_path: Path, place: str) -> None:
    put(tmp_path, place, text_grid())
    found = load_alignments(tmp_path, {"here": [utterance("a", "wavs/x.wav")]}, {"a": 0.55})
    assert [one.label for one in found.segments["a"]] == ["sil", "AA1", "T", "IY0"]


def test_ids_of_two_corpora_are_found_without_their_prefix(tmp_path: Path) -> None:
    put(tmp_path, "here/a.TextGrid", text_grid())
    put(tmp_path, "lines.ctm", ctm("there/a") + ctm("other"))
    found = load_alignments(tmp_path, {"here": [utterance("here:a")], "there": [utterance("there:a")]}, {})
    assert set(found.segments) == {"here:a", "there:a"}
    assert found.common == ("a", "i")


def test_a_part_of_a_recording_has_no_alignment_of_the_whole(tmp_path: Path) -> None:
    put(tmp_path, "x.TextGrid", text_grid())
    with pytest.raises(MissingError, match="1 of 1 utterance of here have no phone alignment"):
        load_alignments(tmp_path, {"here": [utterance("a", "x.wav", start=0.0, end=0.5)]}, {})


def test_one_file_is_of_one_utterance(tmp_path: Path) -> None:
    put(tmp_path, "a.TextGrid", text_grid())
    with pytest.raises(BenchError, match=r"is the alignment of 'one:a' and of 'two:a' .*folder with its name"):
        load_alignments(tmp_path, {"one": [utterance("one:a")], "two": [utterance("two:a")]}, {})


def test_two_alignments_of_one_utterance_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.TextGrid", text_grid())
    put(tmp_path, "b.ctm", ctm("a"))
    with pytest.raises(BenchError, match=r"'a' of here has 2 alignments: .*keep one"):
        load_alignments(tmp_path, {"here": [utterance("a")]}, {})


def test_what_lacks_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a.TextGrid", text_grid())
    with pytest.raises(MissingError, match=r"4 of 5 utterances of here have no .*: 'b', 'c', 'd' and 1 more"):
        load_alignments(tmp_path, {"here": [utterance(name) for name in "abcde"]}, {})
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingError, match=r"no phone alignment in .*\*.TextGrid or \*.ctm"):
        load_alignments(tmp_path / "empty", {"here": [utterance("a")]}, {})
    with pytest.raises(MissingError, match="given for phone alignments is none"):
        load_alignments(tmp_path / "nowhere", {"here": [utterance("a")]}, {})


def test_an_alignment_of_another_recording_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.TextGrid", text_grid())
    with pytest.raises(BenchError, match=r"'a' ends at 0.60 s, and the recording at 0.40 s"):
        load_alignments(tmp_path, {"here": [utterance("a")]}, {"a": 0.4})


def test_a_file_that_is_far_too_large_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    with path.open("wb") as handle:
        handle.truncate(LARGEST[".textgrid"] + 1)
    with pytest.raises(BenchError, match=r"a.TextGrid: it has \d+ bytes"):
        load_alignments(tmp_path, {"here": [utterance("a")]}, {})
    path.unlink()
    path.symlink_to(tmp_path / "nowhere.TextGrid")
    with pytest.raises(BenchError, match=r"a.TextGrid: it cannot be read"):
        load_alignments(tmp_path, {"here": [utterance("a")]}, {})


def test_corpora_without_vowels_in_common_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "one/a.TextGrid", text_grid())
    put(tmp_path, "two/b.TextGrid", text_grid(((0.0, 0.1, "UW1"), (0.1, 0.2, "wort"))))
    with pytest.raises(BenchError, match=r"one and two share 0 of the vowels a ɛ .*'wort' .1 times"):
        load_alignments(tmp_path, {"one": [utterance("a")], "two": [utterance("b")]}, {})


def test_a_frame_is_of_the_phone_in_which_its_middle_lies(tmp_path: Path) -> None:
    put(tmp_path, "a.TextGrid", text_grid())
    found = load_alignments(tmp_path, {"here": [utterance("a")]}, {})
    np.testing.assert_array_equal(found.vowels("a", 10.0), [-1, 0, 0, -1, 3, 3])
    # Middles lie at 0.125, 0.375 and 0.625 s.
    np.testing.assert_array_equal(found.vowels("a", 4.0), [0, -1])
    np.testing.assert_array_equal(found.kinds("a", 10.0, ("consonant", "vowel")), [-1, 1, 1, 0, 1, 1])
    assert len(found.vowels("a", 50.0)) == 30
    assert (found.vowels("a", 50.0) == 0).sum() == 10


def test_the_digest_is_of_what_is_said_and_not_of_the_files(tmp_path: Path) -> None:
    digests = []
    for name, place, content in (
        ("one", "a.TextGrid", text_grid()),
        ("two", "here/a.TextGrid", text_grid() + "\n! a comment"),
        ("three", "a.TextGrid", text_grid().replace("AA1", "EH1")),
    ):
        put(tmp_path / name, place, content)
        digests.append(load_alignments(tmp_path / name, {"here": [utterance("a")]}, {}).sha256)
    assert digests[0] == digests[1] != digests[2]


def test_the_alphabet_and_strange_labels_are_told(tmp_path: Path) -> None:
    put(tmp_path, "a.TextGrid", text_grid((*PHONES, (0.6, 0.7, "xyz"))))
    (remark,) = load_alignments(tmp_path, {"here": [utterance("a")]}, {}).remarks
    assert remark == "phones of here are read as ARPAbet; no phones of it, and passed over: 'xyz' (1 times)"
