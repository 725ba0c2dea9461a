"""CREMA-D: the renamed file, and the votes of those who had the sound alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import BenchError
from tasks.corpora.crema_d import CremaD

CORPUS = CremaD()


def test_the_renamed_file_of_crema_d_keeps_its_id(tmp_path: Path) -> None:
    (tmp_path / "1040_ITH_SAD_XX.wav").touch()
    assert [utterance.id for utterance in CORPUS.scan(tmp_path)] == ["1040_ITH_SAD_XX"]


HEARD = """"","A","D","F","H","N","S","fileName","numResponses"
"100001",0,0,0,0,9,0,"1001_DFA_ANG_XX",9
"200001",9,0,0,0,0,0,"1001_DFA_ANG_XX",9
"100002",6,4,0,0,0,1,"1001_DFA_DIS_XX",11
"300002",0,9,0,0,0,0,"1001_DFA_DIS_XX",9
"100003",5,5,0,0,1,1,"1001_DFA_FEA_XX",12
"107000",0,0,0,0,0,8,"1040_ITH_SAD_X",8
"""


def test_the_agreement_of_crema_d_is_that_of_those_who_had_the_sound_alone(tmp_path: Path) -> None:
    for name in ("1001_DFA_ANG_XX", "1001_DFA_DIS_XX", "1001_DFA_FEA_XX", "1001_DFA_HAP_XX", "1040_ITH_SAD_XX"):
        (tmp_path / f"{name}.wav").touch()
    table = tmp_path / "processedResults/tabulatedVotes.csv"
    table.parent.mkdir()
    table.write_text(HEARD)
    assert {one.id: one.extra["agreement"] for one in CORPUS.scan(tmp_path)} == {
        "1001_DFA_ANG_XX": "full",
        "1001_DFA_DIS_XX": "majority",
        "1001_DFA_FEA_XX": "none",
        "1001_DFA_HAP_XX": None,
        "1040_ITH_SAD_XX": "full",
    }
    table.write_text(HEARD.replace(",6,4,", ",six,4,"))
    with pytest.raises(BenchError, match=r"tabulatedVotes\.csv, line 4: a number of votes is none"):
        CORPUS.scan(tmp_path)
