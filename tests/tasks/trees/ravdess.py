"""A made RAVDESS: speech, song, and some of the videos that lie in the same folders."""

from __future__ import annotations

import itertools
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

OUTER = {"01": "Audio_Speech_Actors_01-24/", "02": "Audio_Song_Actors_01-24/"}
# As many as the corpus has: five spoken recordings and a sung one.
STEREO = {
    "03-01-01-01-01-01-01",
    "03-01-02-01-01-01-01",
    "03-01-03-01-01-01-05",
    "03-01-04-01-01-01-05",
    "03-01-05-01-01-01-20",
    "03-02-03-01-01-01-05",
}


def names(channel: str) -> list[str]:
    """All official names of speech (01) or song (02), without suffix."""
    emotions = range(1, 9) if channel == "01" else range(1, 7)
    return [
        f"03-{channel}-{emotion:02d}-{intensity:02d}-{statement:02d}-{repetition:02d}-{actor:02d}"
        for actor, emotion, intensity, statement, repetition in itertools.product(
            range(1, 25), emotions, (1, 2), (1, 2), (1, 2)
        )
        if (emotion, intensity) != (1, 2) and (channel, actor) != ("02", 18)
    ]


def write(root: Path, *, outer: bool = True, channels: tuple[str, ...] = ("01", "02")) -> Path:
    """Write all 1440 spoken and 1012 sung recordings.

    Args:
        root: The folder of the corpus.
        outer: Whether speech and song lie apart, in the folders that their archives are named after.
        channels: "01" for speech, "02" for song.
    """
    for channel in channels:
        for number, name in enumerate(names(channel)):
            folder = f"{OUTER[channel] if outer else ''}Actor_{name[-2:]}"
            seed = number + 10_000 * int(channel)
            write_wav(root / folder / f"{name}.wav", seed, rate=48_000, channels=1 + (name in STEREO))
    actor = root / (OUTER[channels[0]] if outer else "") / "Actor_01"
    # The same performance as a video with and without sound.
    for modality in ("01", "02"):
        (actor / f"{modality}-01-06-01-01-01-01.mp4").write_bytes(b"video")
    first = names(channels[0])[0]
    add_junk(root, f"{OUTER[channels[0]] if outer else ''}Actor_01/{first}.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="03-02-06-02-01-02-12",
        file="Audio_Song_Actors_01-24/Actor_12/03-02-06-02-01-02-12.wav",
        speaker="12",
        gender="female",
        language="en",
        labels={"emotion": "fearful"},
        extra={"channel": "song", "intensity": "strong", "sentence": "01", "take": "02", "style": "scripted"},
    ),
    speakers=24,
    women=12,
    strangers=("Actor_01/03-01-09-01-01-01-01.wav", "Actor_25/03-01-01-01-01-01-25.wav", "01-01-06-01-01-01-01.wav"),
    again="copy/Audio_Song_Actors_01-24/Actor_12/03-02-06-02-01-02-12.wav",
    missing={("03-02-01-01-01-01-05",): ("song: 1 utterance is missing: 03-02-01-01-01-01-05",)},
    packagings=({"outer": False},),
)
