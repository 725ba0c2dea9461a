"""IEMOCAP: its layout, on a made tree of full size and on single lines as they occur."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from trees.iemocap import write

from benchmark.errors import BenchError, MissingError
from benchmark.types import Utterance
from tasks.corpora.iemocap import IEMOCAP

DIALOGUE = "Ses01F_impro01"
# What the corpus's documentation and the literature count: utterances of four classes, excited being happy.
PER_SESSION = {"Session1": 1085, "Session2": 1023, "Session3": 1151, "Session4": 1031, "Session5": 1241}
FOUR = {"neutral": 1708, "happy": 1636, "angry": 1103, "sad": 1084}

# Male and female talk in turn; the lines are not in the order of time.
LINES = """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[14.8872 - 18.0175]	Ses01F_impro01_F001	neu	[2.5000, 2.0000, 3.0000]
C-E2:	Neutral;	()
C-E3:	Neutral state;	(calm; (almost))
C-F1:	Anger;	()
A-E3:	val 3; act 2; dom  ;	()

[6.2901 - 8.2357]	Ses01F_impro01_F000	ang	[1.5000, 4.0000, 4.5000]
C-E2:	Anger;	()
C-E4:	Anger; Frustration;	()
C-M1:	Anger;	()

[10.0100 - 11.3925]	Ses01F_impro01_M000	xxx	[2.6667, 3.0000, 3.3333]
C-E2:	Sadness;	()
C-E4:	Anger;	()

[20.0000 - 21.0000]	Ses01F_impro01_M001	fru	[2.0000, 3.0000, 3.0000]
C-F1:	Frustration;	()
"""


def write_dialogue(root: Path, content: bytes, name: str = DIALOGUE) -> Path:
    folder = root / "Session1" / "dialog" / "EmoEvaluation"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_bytes(content)
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The complete corpus without its audio; not to be changed."""
    return write(tmp_path_factory.mktemp("iemocap") / "root", audio=False)


def test_the_complete_corpus_has_the_counts_of_the_literature(tree: Path) -> None:
    utterances = IEMOCAP().scan(tree)
    counts = IEMOCAP.counts["all"]
    assert len(utterances) == counts.utterances == sum(counts.per_class.values()) == 10039
    assert Counter(u.labels["emotion"] for u in utterances) == counts.per_class
    joined = [(u.session, "happy" if u.labels["emotion"] == "excited" else u.labels["emotion"]) for u in utterances]
    assert Counter(label for _, label in joined if label in FOUR) == FOUR
    assert Counter(session for session, label in joined if label in FOUR) == PER_SESSION
    assert {u.speaker for u in utterances} == {f"Ses0{n}{talker}" for n in range(1, 6) for talker in "FM"}
    assert [u.id for u in utterances] == sorted(u.id for u in utterances)
    assert {tuple(u.extra) for u in utterances} == {tuple(utterances[0].extra)}
    assert IEMOCAP().gaps(utterances) == []


def test_turns_of_a_dialogue_are_numbered_in_the_order_of_time(tree: Path) -> None:
    dialogues: dict[object, list[Utterance]] = {}
    for utterance in IEMOCAP().scan(tree):
        dialogues.setdefault(utterance.extra["dialogue"], []).append(utterance)
    assert len(dialogues) == 150
    for said in dialogues.values():
        said.sort(key=lambda u: u.extra["dialogue_start"])
        assert [u.extra["turn"] for u in said] == [float(n) for n in range(1, len(said) + 1)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_label_file_is_read(tmp_path: Path, end: bytes) -> None:
    write_dialogue(tmp_path, LINES.encode().replace(b"\n", end))
    spoken = tmp_path / "Session1" / "dialog" / "transcriptions" / f"{DIALOGUE}.txt"
    spoken.parent.mkdir()
    text = f"{DIALOGUE}_F001 [014.8872-018.0175]: It\x92s na\xefve\x85 no?\nM: [LAUGHTER]\n"
    spoken.write_bytes(text.encode("latin-1").replace(b"\n", end))
    by_id = {utterance.id: utterance for utterance in IEMOCAP().scan(tmp_path)}
    assert by_id[f"{DIALOGUE}_F001"] == Utterance(
        id=f"{DIALOGUE}_F001",
        file=f"Session1/sentences/wav/{DIALOGUE}/{DIALOGUE}_F001.wav",
        speaker="Ses01F",
        session="Session1",
        gender="female",
        language="en",
        labels={"emotion": "neutral", "valence": 2.5, "arousal": 2.0, "dominance": 3.0},
        extra={
            "dialogue": DIALOGUE,
            "turn": 3.0,
            "dialogue_start": 14.8872,
            "dialogue_end": 18.0175,
            "style": "improvised",
            "agreement": "full",
            "text": "It\x92s na\xefve\x85 no?",
        },
    )
    turns = [by_id[name].extra["turn"] for name in sorted(by_id)]
    assert turns == [1.0, 3.0, 2.0, 4.0]  # F000, F001, M000, M001


def test_the_talker_is_told_by_the_last_part_of_the_name(tmp_path: Path) -> None:
    """Ses01F is whose movements were captured: the man talks in that dialogue too."""
    (utterance,) = (u for u in IEMOCAP().scan(write_dialogue(tmp_path, LINES.encode())) if u.id.endswith("M000"))
    assert (utterance.speaker, utterance.gender) == ("Ses01M", "male")


def test_agreement_is_that_of_external_evaluators(tmp_path: Path) -> None:
    found = {u.id[-4:]: u.extra["agreement"] for u in IEMOCAP().scan(write_dialogue(tmp_path, LINES.encode()))}
    # Of F001 the actor says anger, which does not count; of F000 one evaluator gives a second class.
    assert found == {"F001": "full", "F000": "majority", "M000": "none", "M001": None}


def test_a_word_of_an_evaluator_that_is_no_class_agrees_with_none(tmp_path: Path) -> None:
    line = "[1.0000 - 2.0000]\tSes01F_impro01_F000\tneu\t[1.0, 1.0, 1.0]\nC-E2:\tNeutral;\t()\nC-E3:\tBoredom;\t()"
    (utterance,) = IEMOCAP().scan(write_dialogue(tmp_path, line.encode()))
    assert utterance.extra["agreement"] == "majority"


@pytest.mark.parametrize(("dialogue", "style"), [("Ses05M_script01_1b", "scripted"), ("Ses05F_impro05a", "improvised")])
def test_odd_names_of_dialogues_are_read(tmp_path: Path, dialogue: str, style: str) -> None:
    folder = tmp_path / "Session5" / "dialog" / "EmoEvaluation"
    folder.mkdir(parents=True)
    (folder / f"{dialogue}.txt").write_text(f"[1.0000 - 2.0000]\t{dialogue}_M000\thap\t[4.0000, 3.0000, 3.0000]\n")
    (utterance,) = IEMOCAP().scan(tmp_path)
    assert (utterance.extra["style"], utterance.extra["dialogue"]) == (style, dialogue)


def test_files_beside_the_consensus_are_passed_over(tmp_path: Path) -> None:
    root = write_dialogue(tmp_path, LINES.encode())
    labels = root / "Session1" / "dialog" / "EmoEvaluation"
    (labels / f"._{DIALOGUE}.txt").write_bytes(b"\x00\x05\x16\x07\n[Mac OS X]\xff")
    (labels / "Categorical").mkdir()
    (labels / "Categorical" / f"{DIALOGUE}_e1_cat.txt").write_text("[not of the consensus]")
    assert len(IEMOCAP().scan(root)) == 4


def test_the_folder_of_the_archive_is_accepted(tmp_path: Path) -> None:
    write_dialogue(tmp_path / "IEMOCAP_full_release", LINES.encode())
    outer, inner = IEMOCAP().scan(tmp_path), IEMOCAP().scan(tmp_path / "IEMOCAP_full_release")
    assert outer[0].file == f"IEMOCAP_full_release/{inner[0].file}"
    assert [u.id for u in outer] == [u.id for u in inner]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1.0000 - 2.0000]\tSes01F_impro01_F000\tbor\t[1.0000, 1.0000, 1.0000]", "line 1 is .*bor.*codes are ang"),
        ("[1.0000 - 2.0000]\tSes01F_impro01_F000\tneu\t[1.0000, 1.0000]", "Ses01F_impro01.txt, line 1 is"),
        ("[1.0000 - 2.0000]\tSes01F_impro02_F000\tneu\t[1.0, 1.0, 1.0]", "lists the utterance 'Ses01F_impro02_F000'"),
        ("[1.0000 - 2.0000]\tSes02F_impro01_F000\tneu\t[1.0, 1.0, 1.0]", "lists the utterance 'Ses02F_impro01_F000'"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, message: str) -> None:
    write_dialogue(tmp_path, line.encode())
    with pytest.raises(BenchError, match=message):
        IEMOCAP().scan(tmp_path)


def test_a_name_from_another_session_is_refused(tmp_path: Path) -> None:
    name = "Ses02F_impro01"
    line = f"[1.0000 - 2.0000]\t{name}_F000\tneu\t[1.0000, 1.0000, 1.0000]"
    with pytest.raises(BenchError, match=f"Session1/{name}.txt lists the utterance '{name}_F000'"):
        IEMOCAP().scan(write_dialogue(tmp_path, line.encode(), name))


def test_an_utterance_that_is_listed_twice_is_named(tmp_path: Path) -> None:
    line = "[1.0000 - 2.0000]\tSes01F_impro01_F000\tneu\t[1.0000, 1.0000, 1.0000]\n"
    with pytest.raises(BenchError, match="both utterance 'Ses01F_impro01_F000'"):
        IEMOCAP().scan(write_dialogue(tmp_path, 2 * line.encode()))


def test_no_session_is_missing_and_one_without_labels_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="has no session in"):
        IEMOCAP().scan(tmp_path)
    (tmp_path / "Session4" / "sentences").mkdir(parents=True)
    with pytest.raises(BenchError, match=r"has no label files in .*Session4"):
        IEMOCAP().scan(tmp_path)


def test_gaps_name_sessions(tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(tree, root)
    shutil.rmtree(root / "Session2")
    label_file = root / "Session4" / "dialog" / "EmoEvaluation" / "Ses04F_script02_1.txt"
    content = label_file.read_text(encoding="latin-1")
    label_file.write_text(content.replace("\tang\t", "\tfru\t", 1), encoding="latin-1")
    gaps = IEMOCAP().gaps(IEMOCAP().scan(root))
    assert gaps == ["Session2 is missing", "Session4 has 326 angry instead of 327"]
