"""MSP-IMPROV: its layout, on a made tree of full size and on single lines as they occur."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from trees.msp_improv import write

from benchmark.errors import BenchError, MissingError
from benchmark.types import Utterance
from tasks.corpora.msp_improv import MSPImprov

# What the literature counts, by session: angry, happy, neutral, sad.
PER_SESSION = {
    "session1": [128, 181, 502, 105],
    "session2": [121, 401, 692, 115],
    "session3": [142, 577, 771, 132],
    "session4": [76, 424, 440, 111],
    "session5": [165, 581, 506, 156],
    "session6": [160, 480, 566, 266],
}


def scan_lines(root: Path, *lines: str, name: str = "Evaluation.txt") -> dict[str, Utterance]:
    (root / name).write_bytes("\r\n".join(lines).encode("latin-1"))
    return {utterance.id: utterance for utterance in MSPImprov().scan(root)}


@pytest.mark.parametrize(("labels", "folder"), [("Evalution.txt", ""), ("Evaluation.txt", "Audio")])
def test_the_complete_corpus_has_the_counts_of_the_literature(tmp_path: Path, labels: str, folder: str) -> None:
    utterances = MSPImprov().scan(write(tmp_path / "root", audio=False, labels=labels, folder=folder))
    counts = MSPImprov.counts["all"]
    assert len(utterances) == counts.utterances == sum(counts.per_class.values()) == 8438
    assert Counter(u.labels["emotion"] for u in utterances) == counts.per_class
    found = Counter((u.session, u.labels["emotion"]) for u in utterances)
    four = ("angry", "happy", "neutral", "sad")
    assert {s: [found[s, label] for label in four] for s in PER_SESSION} == PER_SESSION
    assert sum(sum(numbers) for numbers in PER_SESSION.values()) == 7798
    assert {u.speaker for u in utterances} == {f"{gender}0{n}" for n in range(1, 7) for gender in "FM"}
    assert {tuple(u.extra) for u in utterances} == {tuple(utterances[0].extra)}
    assert all(u.file.startswith(f"{folder}/session" if folder else "session") for u in utterances)
    assert MSPImprov().gaps(utterances) == []
    assert MSPImprov().gaps(utterances[1:]) == ["session1 has 501 neutral instead of 502"]


def test_a_turn_is_read(tmp_path: Path) -> None:
    found = scan_lines(
        tmp_path,
        "UTD-IMPROV-S08H-M05-S-FM11.avi; N; A:2.333333; V:3.0; D:2.666 ; N:3.2;",
        "WORKER01; Neutral; Neutral,Happy; A:2.000000; V:3.000000; D:3.000000; N:4.000000;",
        "WORKER01; Neutral; Neutral,Happy; A:2.000000; V:3.000000; D:3.000000; N:4.000000;",
        "W\xe9RKER02; Neutral; Sad; A:2.000000; V:3.000000; D:NaN; N:NaN;",
        "",
    )
    name = "MSP-IMPROV-S08H-M05-S-FM11"
    assert found == {
        name: Utterance(
            id=name,
            file=f"session5/S08H/S/{name}.wav",
            speaker="M05",
            session="session5",
            gender="male",
            language="en",
            labels={"emotion": "neutral", "arousal": 2.333333, "valence": 3.0, "dominance": 2.666},
            extra={
                "dialogue": "session5-S08H-S-FM",
                "number": 11.0,
                "scene": "S08H",
                "sentence": None,
                "target": "happy",
                "style": "improvised",
                "agreement": "full",
            },
        )
    }


@pytest.mark.parametrize(
    ("turn", "style", "dialogue", "sentence"),
    [
        ("S01A-F01-P-MF02", "natural", "session1-S01A-P-MF", None),
        ("S01A-F01-S-MF02", "improvised", "session1-S01A-S-MF", None),
        ("S01A-F01-T-FM01", "target improvised", "session1-S01A-S-FM", "01"),
        ("S01A-F01-R-FF01", "read", None, "01"),
    ],
)
def test_a_name_tells_what_is_said_and_where(
    tmp_path: Path, turn: str, style: str, dialogue: str | None, sentence: str | None
) -> None:
    (utterance,) = scan_lines(tmp_path, f"UTD-IMPROV-{turn}.avi; A; A:2.0; V:3.0; D:2.6; N:NaN;").values()
    extra = utterance.extra
    assert (extra["style"], extra["dialogue"], extra["sentence"]) == (style, dialogue, sentence)


@pytest.mark.parametrize(
    ("code", "classes", "agreement"),
    [
        ("S", ["Sad", "Sad", "Sad"], "full"),
        ("S", ["Sad", "Neutral", "Sad"], "majority"),
        ("O", ["Other", "Other"], "full"),
        ("X", ["Sad", "Neutral"], "none"),
        ("S", [], None),
    ],
)
def test_agreement_is_that_of_the_one_class_of_each(
    tmp_path: Path, code: str, classes: list[str], agreement: str | None
) -> None:
    evaluations = [f"W{i}; {label}; {label},Angry; A:2.0; V:2.0; D:2.0; N:2.0;" for i, label in enumerate(classes)]
    head = f"UTD-IMPROV-S01A-F01-P-FM01.avi; {code}; A:2.0; V:3.0; D:2.6;"
    # What follows the next turn is not of this one.
    after = ["UTD-IMPROV-S01A-F01-P-FM02.avi; N; A:2.0; V:3.0; D:2.6;", "W9; Happy; Happy; A:2.0; V:2.0; D:2.0; N:2;"]
    found = scan_lines(tmp_path, head, *evaluations, "", *after)
    assert found["MSP-IMPROV-S01A-F01-P-FM01"].extra["agreement"] == agreement


def test_more_than_99_turns_are_numbered(tmp_path: Path) -> None:
    (utterance,) = scan_lines(tmp_path, "UTD-IMPROV-S01A-F01-P-FM100.avi; A; A:2.0; V:3.0; D:2.6; N:NaN;").values()
    assert (utterance.id, utterance.extra["number"]) == ("MSP-IMPROV-S01A-F01-P-FM100", 100.0)


def test_a_dimension_that_nobody_rated_is_left_out(tmp_path: Path) -> None:
    (utterance,) = scan_lines(tmp_path, "UTD-IMPROV-S01A-F01-P-FM01.avi; H; A:NaN; V:3.0; D:2.6 ; N:NaN;").values()
    assert utterance.labels == {"emotion": "happy", "valence": 3.0, "dominance": 2.6}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("UTD-IMPROV-S01A-F01-P-FM01.avi; Q; A:2.0; V:3.0; D:2.6; N:3.2;", "line 1 is .*codes are A, H, S, N, O, X"),
        ("UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.0; V:3.0;", "Evaluation.txt, line 1 is"),
        ("UTD-IMPROV-S01A-F07-P-FM01.avi; N; A:2.0; V:3.0; D:2.6;", "lists the turn 'S01A-F07-P-FM01'"),
        ("UTD-IMPROV-S01A-F01-Q-FM01.avi; N; A:2.0; V:3.0; D:2.6;", "lists the turn 'S01A-F01-Q-FM01'"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        scan_lines(tmp_path, line)


def test_a_turn_that_is_listed_twice_is_named(tmp_path: Path) -> None:
    line = "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.0; V:3.0; D:2.6; N:3.2;"
    with pytest.raises(BenchError, match="both utterance 'MSP-IMPROV-S01A-F01-P-FM01'"):
        scan_lines(tmp_path, line, line)


def test_a_folder_without_label_file_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"has no Evaluation.txt or Evalution.txt in"):
        MSPImprov().scan(tmp_path)
