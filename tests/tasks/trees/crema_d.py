"""A made CREMA-D: the official names; which twenty takes of the whole grid are missing is partly made up."""

from __future__ import annotations

from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
SENTENCES = ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
MISSING = {
    *("1006_TIE_NEU_XX", "1020_DFA_NEU_XX", "1030_ITS_NEU_XX", "1044_TAI_NEU_XX", "1058_IWL_NEU_XX"),
    *("1011_TSI_ANG_XX", "1033_IOM_ANG_XX", "1071_ITH_ANG_XX"),
    *("1013_WSI_DIS_XX", "1035_MTI_DIS_XX", "1073_IWW_DIS_XX"),
    *("1017_IWW_FEA_XX", "1037_DFA_FEA_XX", "1075_TIE_FEA_XX"),
    *("1019_IEO_HAP_HI", "1039_TSI_HAP_XX", "1077_ITS_HAP_XX"),
    *("1021_TAI_SAD_XX", "1041_WSI_SAD_XX", "1079_IWL_SAD_XX"),
}
ODD = {"1040_ITH_SAD_XX": "1040_ITH_SAD_X"}
WITHOUT_SPEECH = "1076_MTI_SAD_XX"


def write(root: Path) -> Path:
    """Write all 7442 recordings, one of them silent, with the compressed twin of one and a list of the repository."""
    names = [
        f"{actor}_{sentence}_{emotion}_{level}"
        for actor in range(1001, 1092)
        for sentence in SENTENCES
        for emotion in EMOTIONS
        for level in (("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",))
    ]
    for seed, name in enumerate(name for name in names if name not in MISSING):
        path = root / f"AudioWAV/{ODD.get(name, name)}.wav"
        if name == WITHOUT_SPEECH:
            write_wav(path, seed, seconds=0)
        else:
            write_wav(path, seed)
    (root / "AudioMP3").mkdir()
    (root / "AudioMP3/1001_DFA_ANG_XX.mp3").write_bytes(b"ID3")
    (root / "VideoDemographics.csv").write_text('"ActorID","Sex"\n')
    add_junk(root, "AudioWAV/1001_DFA_ANG_XX.wav")
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="1040_ITH_SAD_XX",
        file="AudioWAV/1040_ITH_SAD_X.wav",
        speaker="1040",
        gender="male",
        language="en",
        labels={"emotion": "sad"},
        extra={"sentence": "ITH", "intensity": "unspecified", "style": "scripted", "agreement": None},
    ),
    speakers=91,
    women=43,
    strangers=("AudioWAV/1092_DFA_ANG_XX.wav", "AudioWAV/1001_DFA_CAL_XX.wav", "AudioWAV/1001_DFA_ANG.wav"),
    again="copy/AudioWAV/1040_ITH_SAD_X.wav",
    missing={("1001_", "1091_", "1002_DFA"): ("2 of 91 actors are missing: 1001, 1091",)},
)
