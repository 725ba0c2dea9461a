"""The generic corpus: a folder with an index."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\nx.wav,a\n", "no column 'speaker' .it has file, label"),
        ("file,speaker\nx.wav,s\nx.wav,s\n", "lists 'x.wav' twice: lines 2 and 3"),
        ("file,speaker,start\nx.wav,s,soon\n", "line 2: start is 'soon'"),
        ("file,speaker,start\nx.wav,s,-1\n", "line 2: start is '-1'"),
        ("file,speaker,split\nx.wav,s,validation\n", "line 2: split is 'validation'"),
        ("file,speaker\n../x.wav,s\n", "leaves the folder"),
        ("file,speaker\n/etc/x.wav,s\n", "leaves the folder"),
        ("file,speaker\n,s\n", "line 2: the file is empty"),
        ("", "index.csv is empty .its first line names the columns"),
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
