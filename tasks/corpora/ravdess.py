"""RAVDESS (Livingstone and Russo 2018): two sentences spoken and sung by 24 actors."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.data.layout import listed_once, matched_files
from benchmark.types import CorpusCounts, Download, PublishedSound, Utterance
from tasks.corpora.gaps import gaps_by_speaker

CHANNELS = {"01": "speech", "02": "song"}
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
INTENSITIES = {"01": "normal", "02": "strong"}
ACTORS = tuple(f"{number:02d}" for number in range(1, 25))
# Nobody sang disgust or surprise, and actor 18 did not sing.
SUNG = ("01", "02", "03", "04", "05", "06")
SINGERS = tuple(actor for actor in ACTORS if actor != "18")
# Modality 03 is audio alone; 01 and 02 are the videos, which are no .wav.
PATTERN = re.compile(
    r"03-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<statement>0[12])-(?P<repetition>0[12])"
    r"-(?P<actor>0[1-9]|1\d|2[0-4])"
)


class Ravdess(Corpus):
    """RAVDESS: 1440 spoken and 1012 sung utterances of 24 actors, 8 emotions in two intensities."""

    name: ClassVar[str] = "ravdess"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    citation: ClassVar[str] = (
        "S. R. Livingstone, F. A. Russo: The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS). "
        "PLoS ONE 13(5), 2018. doi:10.1371/journal.pone.0196391"
    )
    homepage: ClassVar[str] = "https://zenodo.org/records/1188976"
    how_to_get: ClassVar[str] = (
        "download Audio_Speech_Actors_01-24.zip and Audio_Song_Actors_01-24.zip from "
        "https://zenodo.org/records/1188976; the folder holds their folders Actor_01 to Actor_24, merged or apart"
    )
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "speech": CorpusCounts(
            1440,
            24,
            {
                "neutral": 96,
                "calm": 192,
                "happy": 192,
                "sad": 192,
                "angry": 192,
                "fearful": 192,
                "disgust": 192,
                "surprised": 192,
            },
            sound=PublishedSound(1.48, 2.936, 5.272, (48_000,)),
        ),
        "song": CorpusCounts(
            1012,
            23,
            {"neutral": 92, "calm": 184, "happy": 184, "sad": 184, "angry": 184, "fearful": 184},
            sound=PublishedSound(1.307, 3.503, 6.373, (48_000,)),
        ),
    }
    downloads: ClassVar[tuple[Download, ...]] = (
        Download(
            "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
            "md5:bc696df654c87fed845eb13823edef8a",
            "Audio_Speech_Actors_01-24",
        ),
        Download(
            "https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip",
            "md5:5411230427d67a21e18aa4d466e6d1b9",
            "Audio_Song_Actors_01-24",
        ),
    )

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are the official file names, for example `03-01-06-01-02-01-12`."""
        return listed_once(
            self.name,
            [
                Utterance(
                    id=match[0],
                    file=file,
                    speaker=match["actor"],
                    gender="male" if int(match["actor"]) % 2 else "female",
                    language="en",
                    labels={"emotion": EMOTIONS[match["emotion"]]},
                    extra={
                        "channel": CHANNELS[match["channel"]],
                        "intensity": INTENSITIES[match["intensity"]],
                        "sentence": match["statement"],
                        "take": match["repetition"],
                        "style": "scripted",
                    },
                )
                for file, match in matched_files(self.name, root, PATTERN, "03-01-06-01-02-01-12.wav")
            ],
            root,
        )

    def part_of(self, utterance: Utterance) -> str:
        """Either "speech" or "song"."""
        return str(utterance.extra["channel"])

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """Actors and files that are missing from speech, and from song."""
        problems = []
        for code, part in CHANNELS.items():
            found = [utterance.id for utterance in utterances if self.part_of(utterance) == part]
            if found:
                problems += [f"{part}: {problem}" for problem in gaps_by_speaker(_expected(code), found, "actor")]
            else:
                problems.append(f"{part}: none of it is here, and only tasks on {part} need it")
        return problems


def _expected(channel: str) -> dict[str, list[str]]:
    """Ids of the complete corpus by actor."""
    actors, emotions = (ACTORS, tuple(EMOTIONS)) if CHANNELS[channel] == "speech" else (SINGERS, SUNG)
    conditions = [
        f"03-{channel}-{emotion}-{intensity}-{statement}-{repetition}"
        for emotion, intensity, statement, repetition in itertools.product(
            emotions, INTENSITIES, ("01", "02"), ("01", "02")
        )
        if (EMOTIONS[emotion], INTENSITIES[intensity]) != ("neutral", "strong")
    ]
    return {actor: [f"{condition}-{actor}" for condition in conditions] for actor in actors}
