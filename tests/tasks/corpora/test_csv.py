"""The generic corpus: a folder with an index."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmark.errors import BenchError, MissingError
from tasks.corpora.csv import CSV


def scan(tmp_path: Path, text: str):
    (tmp_path / "index.csv").write_text(text, encoding="utf-8")
    return CSV().scan(tmp_path)


def test_every_column_finds_its_field(tmp_path: Path) -> None:
    header = "file,speaker,label,session,split,gender,language,start,end,arousal,style\n"
    (utterance,) = scan(tmp_path, header + "a/x.wav,s1,angry,1,dev,female,de,0.5,1.25,3.5,acted\n")
    assert (utterance.id, utterance.file, utterance.speaker) == ("a/x.wav#0.5-1.25", "a/x.wav", "s1")
    assert (utterance.start, utterance.end, utterance.split, utterance.session) == (0.5, 1.25, "dev", "1")
    assert (utterance.gender, utterance.language) == ("female", "de")
    assert utterance.labels == {"emotion": "angry", "arousal": 3.5}
    assert utterance.extra == {"arousal": "3.5", "style": "acted"}


def test_a_dimension_may_lack_values(tmp_path: Path) -> None:
    text = "file,speaker,arousal,valence,note\n1.wav,s,1e-1,, \n2.wav,s, ,2,\n3.wav,s,3,x,\n"
    first, second, third = scan(tmp_path, text)
    assert (first.labels, second.labels, third.labels) == ({"arousal": 0.1}, {}, {"arousal": 3.0})
    assert first.extra == {"arousal": "1e-1", "valence": None, "note": None}
    assert second.extra == {"arousal": None, "valence": "2", "note": None}
    assert third.extra == {"arousal": "3", "valence": "x", "note": None}


def test_an_index_that_is_no_readable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.csv").write_text("file,speaker\n")

    def refuse(path: Path, *given: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BenchError, match=r"cannot read index\.csv: Permission denied"):
        CSV().scan(tmp_path)


def test_rows_are_sorted_and_an_id_column_counts(tmp_path: Path) -> None:
    utterances = scan(tmp_path, "id,file,speaker,label\nb,1.wav,s,x\na,2.wav,s,x\n")
    assert [utterance.id for utterance in utterances] == ["a", "b"]


def test_a_byte_order_mark_of_a_spreadsheet_does_no_harm(tmp_path: Path) -> None:
    assert len(scan(tmp_path, "\ufefffile,speaker,label\n1.wav,s,x\n")) == 1


# What people have, and what it means.
ROWS = [("a/1.wav", "s1", "calm"), ("a/2.wav", "s2", "upset, angry")]


def written(path: Path, text: str, encoding: str = "utf-8") -> list[tuple[str, str | None, object]]:
    (path / "index.csv").write_text(text, encoding=encoding, newline="")
    return [(one.id, one.speaker, one.labels["emotion"]) for one in CSV().scan(path)]


@pytest.mark.parametrize(
    ("text", "encoding", "note"),
    [
        ('file, speaker ,label\na/1.wav, s1,calm \na/2.wav,s2,"upset, angry"\n', "utf-8", None),
        ('File,SPEAKER,Label\na/1.wav,s1,calm\na/2.wav,s2,"upset, angry"\n', "utf-8", None),
        ('file,speaker,label,,\na/1.wav,s1,calm,,\na/2.wav,s2,"upset, angry",,\n,,,,\n', "utf-8", None),
        ("file;speaker;label\na/1.wav;s1;calm\na/2.wav;s2;upset, angry\n", "utf-8", "separated by semicolons"),
        ("file\tspeaker\tlabel\r\na/1.wav\ts1\tcalm\r\na/2.wav\ts2\tupset, angry\r\n", "utf-8", "separated by tabs"),
        ("sep=;\nfile;speaker;label\na/1.wav;s1;calm\na/2.wav;s2;upset, angry\n", "utf-8-sig", "by semicolons"),
        ("file\tspeaker\tlabel\na/1.wav\ts1\tcalm\na/2.wav\ts2\tupset, angry\n", "utf-16", "is read as UTF-16"),
        ('file,speaker,label\na/1.wav,s1,calm\na/2.wav,s2,"upset, angry"\n', "utf-16-le", "is read as UTF-16"),
        ('file,speaker,label\na\\1.wav,s1,calm\n.\\a\\2.wav,s2,"upset, angry"\n', "utf-8", None),
    ],
)
def test_what_spreadsheets_save_is_read(
    tmp_path: Path, text: str, encoding: str, note: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    found = [(name.removeprefix("./"), *rest) for name, *rest in written(tmp_path, text, encoding)]
    assert sorted(found) == [tuple(row) for row in ROWS]
    assert (note is None and caplog.text == "") or (note is not None and note in caplog.text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90.5", 90.5),
        ("1:30.5", 90.5),
        ("00:01:30.5", 90.5),
        ("0 days 00:01:30.500000", 90.5),
        ("1 day 00:00:01", 86_401.0),
        ("1.2s", 1.2),
        ("0", 0.0),
    ],
)
def test_times_are_read_as_they_are_written_elsewhere(tmp_path: Path, text: str, seconds: float) -> None:
    (found,) = scan(tmp_path, f"file,speaker,label,start\nx.wav,s,a,{text}\n")
    assert found.start == seconds


def test_decimal_commas_are_numbers_where_semicolons_separate(tmp_path: Path) -> None:
    (found,) = scan(tmp_path, "file;speaker;arousal;end;note\nx.wav;s;3,5;1,25;1,2,3\n")
    assert (found.labels, found.end, found.extra["note"]) == ({"arousal": 3.5}, 1.25, "1,2,3")
    (found,) = scan(tmp_path, 'file,speaker,label,arousal\nx.wav,s,a,"3,5"\n')
    assert found.labels == {"emotion": "a"}


def test_thousands_of_columns_take_no_longer_than_they_are_many(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(20_000)]
    began = time.monotonic()
    (found,) = scan(tmp_path, f"file,speaker,{','.join(names)}\nx.wav,s,{','.join('1' for _ in names)}\n")
    assert len(found.labels) == len(names)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "file,speaker,emotion\nx.wav,s,calm\n",
            "no column 'label', and no column of numbers .* .it has file, speaker, emo",
        ),
        ("file,speaker,label,\nx.wav,s,a,b\n", "line 2: a value 'b' in column 4, which has no name"),
        ("", "index.csv is empty .a folder with index.csv: columns file and speaker"),
        ("file,speaker,label,start,end\nx.wav,s,a,2,1\n", "line 2: it ends at 1.0 s, where it starts at 2.0 s"),
        ("file,speaker,label,start\nx.wav,s,a,1:75\n", "line 2: start is '1:75' .seconds, .* or minutes:seconds"),
        ("file,speaker,label\nC:\\x.wav,s,a\n", "leaves the folder"),
        ("file,speaker,label\na\\..\\..\\x.wav,s,a\n", "leaves the folder"),
        ("file,speaker,label\n\\\\host\\x.wav,s,a\n", "leaves the folder"),
        ('file,speaker,label\nx.wav,s,"a\n', "index.csv, line 2: not a CSV file"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "index.csv is a pointer of Git LFS"),
        ("file,label\nx.wav,a\n", "no column 'speaker' .it has file, label"),
        ("file,speaker\nx.wav,s\nx.wav,s\n", "lists 'x.wav' twice: lines 2 and 3"),
        ("file,speaker,start\nx.wav,s,soon\n", "line 2: start is 'soon'"),
        ("file,speaker,start\nx.wav,s,-1\n", "line 2: start is '-1'"),
        ("file,speaker,split\nx.wav,s,validation\n", "line 2: split is 'validation'"),
        ("file,speaker\n../x.wav,s\n", "leaves the folder"),
        ("file,speaker\n/etc/x.wav,s\n", "leaves the folder"),
        ("file,speaker\n,s\n", "line 2: the file is empty"),
        ("file,speaker,label\n", "index.csv has a header and no row"),
        ("file,speaker\nx.wav,s,more\n", "line 2: the number of fields"),
        ("file,speaker\nx.wav\n", "line 2: the number of fields"),
        ("file,speaker\n\ny.wav,s\n\nx.wav\n", "line 5: the number of fields"),
        ("file,speaker,mood\nx.wav\n", "line 2: the number of fields"),
        ("file,speaker,file\nx.wav,s,y.wav\n", "has two columns 'file'"),
        ("file,speaker,mood,mood\nx.wav,s,1,2\n", "has two columns 'mood'"),
    ],
)
def test_a_wrong_index_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        scan(tmp_path, text)


def test_a_folder_without_an_index_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no index.csv in .*columns file and speaker"):
        CSV().scan(tmp_path)
