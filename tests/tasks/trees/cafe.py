"""A made CaFE, with the names of its folders as several ways to unpack the archive leave them."""

from __future__ import annotations

import itertools
import unicodedata
from pathlib import Path

from trees.audio import write_wav
from trees.expected import Expected
from trees.junk import add_junk

from benchmark.types import Utterance

FOLDERS = {"C": "Colère", "D": "Dégoût", "J": "Joie", "P": "Peur", "S": "Surprise", "T": "Tristesse"}


def as_published(folder: str) -> str:
    """The names with their accents in one character each."""
    return unicodedata.normalize("NFC", folder)


def decomposed(folder: str) -> str:
    """The names as macOS stores them, accents apart."""
    return unicodedata.normalize("NFD", folder)


def mojibake(folder: str) -> str:
    """The names as a program shows them that takes UTF-8 for the code page of old archives."""
    return folder.encode().decode("cp437")


def write(root: Path, spelling: str = "as_published") -> Path:
    """Write all 936 recordings.

    Args:
        root: The folder of the corpus.
        spelling: Name of the function of this module that spells the folders.
    """
    spell = {"as_published": as_published, "decomposed": decomposed, "mojibake": mojibake}[spelling]
    files = [f"Neutre/{speaker:02d}-N-1-{text}.wav" for speaker in range(1, 13) for text in range(1, 7)]
    for letter, folder in FOLDERS.items():
        for speaker, (code, strength), text in itertools.product(
            range(1, 13), (("1", "Faible"), ("2", "Fort")), range(1, 7)
        ):
            files.append(f"{spell(folder)}/{strength}/{speaker:02d}-{letter}-{code}-{text}.wav")
    for seed, file in enumerate(files):
        write_wav(root / file, seed, rate=48_000)
    add_junk(root, files[-1])
    return root


EXPECTED = Expected(
    write=write,
    example=Utterance(
        id="02-C-2-6",
        file="Colère/Fort/02-C-2-6.wav",
        speaker="02",
        gender="female",
        language="fr",
        labels={"emotion": "anger"},
        extra={"intensity": "strong", "sentence": "6", "style": "scripted"},
    ),
    speakers=12,
    women=6,
    strangers=("Neutre/01-N-2-1.wav", "Peur/Fort/13-P-2-1.wav", "Peur/Fort/01-P-3-1.wav"),
    again="copy/Colère/Fort/02-C-2-6.wav",
    missing={("07-N-1-2", "12-T-2-6"): ("2 utterances are missing: 07-N-1-2, 12-T-2-6",)},
    packagings=({"spelling": "decomposed"}, {"spelling": "mojibake"}),
)
