"""A complete IEMOCAP in the official layout: 10039 utterances with the counts of the corpus, invented all through."""

from __future__ import annotations

import random
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected

from benchmark.types import Utterance

# Utterances of each label in each session; undecided fills up to the session's total.
PER_SESSION = {
    "Session1": {"ang": 229, "hap": 135, "exc": 143, "neu": 384, "sad": 194, "fru": 280, "fea": 8, "sur": 20},
    "Session2": {"ang": 137, "hap": 117, "exc": 210, "neu": 362, "sad": 197, "fru": 325, "fea": 8, "sur": 20, "dis": 2},
    "Session3": {"ang": 240, "hap": 135, "exc": 151, "neu": 320, "sad": 305, "fru": 382, "fea": 7, "sur": 25, "oth": 2},
    "Session4": {"ang": 327, "hap": 65, "exc": 238, "neu": 258, "sad": 143, "fru": 481, "fea": 7, "sur": 24, "oth": 1},
    "Session5": {"ang": 170, "hap": 143, "exc": 299, "neu": 384, "sad": 245, "fru": 381, "fea": 10, "sur": 18},
}
UNDECIDED = {"Session1": 426, "Session2": 433, "Session3": 569, "Session4": 559, "Session5": 520}
CATEGORY = {
    "ang": "Anger",
    "hap": "Happiness",
    "exc": "Excited",
    "neu": "Neutral state",
    "sad": "Sadness",
    "fru": "Frustration",
    "fea": "Fear",
    "sur": "Surprise",
    "dis": "Disgust",
    "oth": "Other",
}
# Names as they occur, odd ones too: a second part, a letter.
STYLES = {
    "impro": ("impro01", "impro02", "impro03", "impro04", "impro05a", "impro05b", "impro06", "impro07"),
    "script": ("script01_1", "script01_1b", "script01_2", "script01_3", "script02_1", "script02_2", "script03_2"),
}
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"


def write(root: Path, *, audio: bool = True) -> Path:
    """Write the corpus; without audio it is there in a moment."""
    draw = random.Random(0)
    seed = 0
    for number, (session, counts) in enumerate(PER_SESSION.items(), start=1):
        codes = [code for code, count in counts.items() for _ in range(count)] + ["xxx"] * UNDECIDED[session]
        draw.shuffle(codes)
        names = [f"Ses0{number}{side}_{name}" for style in STYLES.values() for name in style for side in "FM"]
        labels = root / session / "dialog" / "EmoEvaluation"
        labels.mkdir(parents=True)
        for position, dialogue in enumerate(names):
            said = _talk(dialogue, codes[position :: len(names)], draw)
            # Not every file is in the order of time, nor ends its lines alike.
            listed = sorted(said, reverse=position % 3 == 0)
            end = b"\r\n" if position % 2 else b"\n"
            lines = [HEADER, "", *(line for _, name, code in listed for line in _entry(_, name, code, draw))]
            (labels / f"{dialogue}.txt").write_bytes(end.join(_encoded(line) for line in lines) + end)
            (labels / f"._{dialogue}.txt").write_bytes(b"\x00\x05\x16\x07\n[Mac OS X]\xff")
            if position:
                _write_text(root / session / "dialog" / "transcriptions" / f"{dialogue}.txt", said)
            for _, name, _ in said:
                if audio:
                    write_wav(root / session / "sentences" / "wav" / dialogue / f"{name}.wav", seed)
                seed += 1
        # Each annotator's own files stand below the consensus, with other lines.
        for folder in ("Attribute", "Categorical", "Self-evaluation"):
            (labels / folder).mkdir()
            (labels / folder / f"{names[0]}_e1_cat.txt").write_text(f"{names[0]}_F000 :Neutral state; ()\n")
    return root


def _talk(dialogue: str, codes: list[str], draw: random.Random) -> list[tuple[float, str, str]]:
    """(start [s], utterance, code) in the order of time: talkers take turns of one to three utterances."""
    said, counters, talker, clock = [], {"F": 0, "M": 0}, dialogue[5], 5.0
    remaining = 0
    for code in codes:
        if remaining == 0:
            talker, remaining = {"F": "M", "M": "F"}[talker], draw.choice((1, 1, 2, 3))
        clock = round(clock + draw.uniform(0.5, 9), 4)
        said.append((clock, f"{dialogue}_{talker}{counters[talker]:03d}", code))
        counters[talker] += 1
        remaining -= 1
    return said


def _entry(start: float, name: str, code: str, draw: random.Random) -> list[str]:
    values = [draw.choice((1.5, 2.0, 2.5, 3.0, 3.6667, 4.0)) for _ in range(3)]
    lines = [f"[{start:.4f} - {start + 2:.4f}]\t{name}\t{code}\t[{values[0]:.4f}, {values[1]:.4f}, {values[2]:.4f}]"]
    first, second = draw.sample(sorted(CATEGORY.values()), 2)
    if code == "xxx":
        given = ["Neutral state;", f"{first};", f"{first}; {second};"]
    else:
        own = CATEGORY[code]
        other = first if first != own else second
        given = draw.choice(
            (
                [f"{own};", f"{own};", f"{own};"],  # full
                [f"{own};", f"{own};", f"{other};"],  # a majority
                [f"{own};", f"{own}; {other};", f"{own};"],  # a second class beside the consensus: not full
            )
        )
    evaluators = ("E2", "E3", "E4")
    lines += [f"C-{who}:\t{what}\t({_comment(draw)})" for who, what in zip(evaluators, given, strict=True)]
    # What the actor says of himself is no evaluation.
    lines.append(f"C-{name.rpartition('_')[2][0]}1:\t{second};\t()")
    lines += [f"A-{who}:\tval 3; act 2; dom  ;\t()" for who in evaluators]
    return [*lines, ""]


def _comment(draw: random.Random) -> str:
    # NEXT LINE is a full stop or three in old code pages, and ends a line in Unicode.
    return draw.choice(("", "", "calm; (almost)", "na\xefve\x85", "it\x92s fine"))


def _encoded(line: str) -> bytes:
    return line.encode("latin-1")


def _write_text(path: Path, said: list[tuple[float, str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} [{start:08.4f}-{start + 2:08.4f}]: Word {name[-3:]}." for start, name, _ in said]
    # Speech that nobody labelled stands between.
    path.write_text("\n".join([*lines, "F: [LAUGHTER]", f"{path.stem}_FXX0 [001.0000-002.0000]: Unlabelled."]) + "\n")


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="Ses01F_impro01_M007",
        file="Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M007.wav",
        speaker="Ses01M",
        session="Session1",
        gender="male",
        language="en",
        labels={"emotion": "excited", "valence": 4.0, "arousal": 1.5, "dominance": 1.5},
        extra={
            "dialogue": "Ses01F_impro01",
            "turn": 16.0,
            "dialogue_start": 69.1493,
            "dialogue_end": 71.1493,
            "style": "improvised",
            "agreement": "full",
            "text": None,
        },
    ),
    speakers=10,
    women=5,
    options={"audio": False},
)
