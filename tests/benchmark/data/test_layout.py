"""Files of a corpus by their names: junk is passed over, a wrong name is refused, a copy is noticed."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from benchmark.data.layout import as_stored, audio_files, listed_once, matched_files, one_of_each
from benchmark.errors import BenchError
from benchmark.types import Utterance

PATTERN = re.compile(r"(?P<speaker>\w)-(?P<number>\d)")


def touch(root: Path, *names: str) -> Path:
    """Files each of which has its own name in it."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_junk_and_other_files_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "b/x.WAV", "a/y.wav", "a/._y.wav", ".hidden/z.wav", "__MACOSX/a/y.wav", "readme.txt", "a.mp3")
    assert [file for file, _ in audio_files(tmp_path)] == ["a/y.wav", "b/x.WAV"]


def test_names_are_composed_and_files_are_as_they_are_on_disk(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Colère/a-1.wav")
    ((file, name),) = audio_files(touch(tmp_path, decomposed))
    assert (file, name) == (decomposed, unicodedata.normalize("NFC", decomposed))


def test_what_the_names_tell_is_given(tmp_path: Path) -> None:
    touch(tmp_path, "x/b-2.wav", "a-1.wav")
    found = {file: match["speaker"] for file, match in matched_files("toy", tmp_path, PATTERN, "a-1.wav")}
    assert found == {"a-1.wav": "a", "x/b-2.wav": "b"}


def test_wrong_names_are_named_before_anything_is_given(tmp_path: Path) -> None:
    touch(tmp_path, "a-1.wav", *(f"other {n}.wav" for n in range(5)))
    message = r"unexpected file other 0.wav, other 1.wav, other 2.wav and 2 more .remove what is not of the corpus"
    with pytest.raises(BenchError, match=message):
        next(matched_files("toy", tmp_path, PATTERN, "a-1.wav"))


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="there is no audio in"):
        list(matched_files("toy", touch(tmp_path, "a-1.txt"), PATTERN, "a-1.wav"))


def test_a_second_recording_of_one_name_is_refused_and_both_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "a/u.wav", "a/t.wav", "b/u.wav")
    twice = [Utterance("u", "a/u.wav"), Utterance("t", "a/t.wav"), Utterance("u", "b/u.wav")]
    with pytest.raises(BenchError, match=r"a/u.wav and b/u.wav are both utterance 'u' .was it unpacked twice"):
        listed_once("toy", twice, tmp_path)
    assert [utterance.id for utterance in listed_once("toy", twice[:2], tmp_path)] == ["t", "u"]


def test_of_identical_copies_the_first_is_taken_with_a_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "a/u.wav", "t.wav")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/u.wav").write_bytes((tmp_path / "a/u.wav").read_bytes())
    twice = [Utterance("u", "a/u.wav"), Utterance("t", "t.wav"), Utterance("u", "b/u.wav")]
    assert [utterance.file for utterance in listed_once("toy", twice, tmp_path)] == ["t.wav", "a/u.wav"]
    assert "corpus toy: 1 file is there twice, byte for byte, and counted once: b/u.wav = a/u.wav" in caplog.text
    # A list that names one file twice is wrong, whatever the file holds; so is one whose files are nowhere.
    for files in (("a/u.wav", "a/u.wav"), ("c/u.wav", "d/u.wav")):
        with pytest.raises(BenchError, match="are both utterance 'u'"):
            listed_once("toy", [Utterance("u", file) for file in files], tmp_path)


def test_a_clip_that_two_files_claim_to_be_is_one_of_them_or_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "c.wav").write_bytes((tmp_path / "a.wav").read_bytes())
    assert one_of_each("toy", tmp_path, {1: ["a.wav", "c.wav"], 2: ["b.wav"]}, str) == {1: "a.wav", 2: "b.wav"}
    with pytest.raises(BenchError, match=r"corpus toy: a\.wav and b\.wav are clip 1"):
        one_of_each("toy", tmp_path, {1: ["a.wav", "c.wav", "b.wav"]}, lambda number: f"are clip {number}")


def test_folders_behind_links_are_followed_once_each(tmp_path: Path) -> None:
    touch(tmp_path, "disk/one/a-1.wav", "disk/one/deep/b-2.wav", "corpus/here/c-3.wav")
    corpus = tmp_path / "corpus"
    (corpus / "z").symlink_to("../disk/one")
    (corpus / "y").symlink_to("../disk/one")  # again
    (corpus / "a").symlink_to("here")  # what lies here is found as it lies here
    (corpus / "here/up").symlink_to("..")  # in circles
    (corpus / "nowhere").symlink_to("../disk/two")
    assert [file for file, _ in audio_files(corpus)] == ["here/c-3.wav", "y/a-1.wav", "y/deep/b-2.wav"]
    (tmp_path / "link").symlink_to("corpus")
    assert [file for file, _ in audio_files(tmp_path / "link")] == ["here/c-3.wav", "y/a-1.wav", "y/deep/b-2.wav"]


def test_files_behind_links_are_files_and_one_that_leads_nowhere_is_not_dropped(tmp_path: Path) -> None:
    touch(tmp_path, "disk/x.wav")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a-1.wav").symlink_to("../disk/x.wav")
    (tmp_path / "corpus/b-2.wav").symlink_to("../disk/y.wav")  # as of git-annex, where it was not fetched
    assert [file for file, _ in audio_files(tmp_path / "corpus")] == ["a-1.wav", "b-2.wav"]


@pytest.mark.parametrize(
    ("there", "read"),
    [
        (["a.wav", "b.WAV", "a.flac", "b.mp3"], ["a.wav", "b.WAV"]),
        (["a.flac", "b.FLAC", "a.mp3"], ["a.flac", "b.FLAC"]),
        (["a.aiff", "b.aif", "a.ogg"], ["a.aiff", "b.aif"]),
        (["a.mp3", "b.mp3"], ["a.mp3", "b.mp3"]),
        (["a.opus", "b.ogg", "b.mp3"], ["a.opus", "b.ogg"]),
        (["a.txt"], []),
    ],
)
def test_copies_of_other_suffixes_are_read_where_none_is_as_published(
    tmp_path: Path, there: list[str], read: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert [file for file, _ in audio_files(touch(tmp_path, *there))] == read
    assert ("has no .wav: its" in caplog.text) == (bool(read) and "a.wav" not in there)


def test_a_recording_that_a_list_names_may_have_another_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.wav", "x/a.flac", "x/b.mp3", "x/b.flac", "x/c.WAV")
    stored = {name: as_stored(tmp_path, f"x/{name}.wav") for name in "abcd"}
    assert stored == {"a": "x/a.wav", "b": "x/b.flac", "c": "x/c.WAV", "d": "x/d.wav"}
