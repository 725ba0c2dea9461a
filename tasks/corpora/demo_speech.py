"""How the demo corpus is spoken: four emotions acted by twelve voices of espeak-ng.

Emotion is expressed by rate, pitch level, pitch range, volume and high-frequency energy, after three reviews of human
speech: Murray & Arnott (1993, JASA 93(2), 1097-1108), Juslin & Laukka (2003, Psychological Bulletin 129(5), 770-814)
and Scherer (2003, Speech Communication 40(1-2), 227-256). They agree that anger and happiness are higher and wider in
pitch and louder than neutral speech, and that sadness is slower, lower, narrower and softer. Anger is faster;
happiness too in Juslin & Laukka (Murray & Arnott report both directions). Juslin & Laukka find high-frequency energy
high in anger, medium in happiness and low in sadness; Murray & Arnott do not treat it. The amounts are ours.

So is what makes it hard: voices differ in their baselines and in how strongly they express, about one utterance in
ten is weakly expressed, every parameter is jittered, and recording level and background noise vary at random.

It is made to come out the same everywhere, and a digest checks every byte. espeak-ng keeps state between utterances
(the phase of its flutter), so each is spoken by a freshly loaded library. No voice uses the parts of espeak-ng that are
random or rest on the mathematical library (breath, Klatt synthesis). All that is added here is integer arithmetic on
draws from SHA-256 and SHAKE-256.

`python -m tasks.corpora.demo_speech FOLDER [FILE ...]` renders by hand.
"""

from __future__ import annotations

import _ctypes
import ctypes
import hashlib
import io
import os
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError, UsageError

LOADER = "espeakng-loader"
SAMPLE_RATE = 22_050  # espeak-ng's own [Hz]


@dataclass(frozen=True)
class Speaker:
    """A voice of espeak-ng and its habits.

    Attributes:
        voice: Language and variant, as espeak-ng names them.
        rate: Words a minute.
        pitch: 50 is the variant's own, 50 more is one octave up.
        span: Pitch range: 50 is the variant's own, 100 twice as wide.
        strength: How strongly it expresses an emotion [%].
    """

    voice: str
    rate: int
    pitch: int
    span: int
    strength: int


@dataclass(frozen=True)
class Expression:
    """How an emotion at full strength differs from neutral speech: all in % but pitch, in 1/50 of an octave."""

    rate: int
    pitch: int
    span: int
    volume: int
    brightness: int


SPEAKERS = {
    "F1": Speaker("en-us+f1", 178, 48, 50, 110),
    "F2": Speaker("en+f4", 166, 52, 42, 95),
    "F3": Speaker("en-us+belinda", 172, 46, 54, 115),
    "F4": Speaker("en-gb-x-rp+f4", 182, 42, 46, 90),
    "F5": Speaker("en-us-nyc+steph", 164, 50, 50, 100),
    "F6": Speaker("en-gb-scotland+linda", 174, 40, 52, 85),
    "M1": Speaker("en-us+m1", 170, 52, 52, 105),
    "M2": Speaker("en+m3", 180, 50, 44, 85),
    "M3": Speaker("en-us+m4", 166, 56, 54, 110),
    "M4": Speaker("en-gb-scotland+m6", 176, 50, 48, 95),
    "M5": Speaker("en-us-nyc+max", 184, 46, 50, 90),
    "M6": Speaker("en-gb-x-rp+Mike", 168, 58, 52, 120),
}
EMOTIONS = {
    "angry": Expression(rate=26, pitch=12, span=40, volume=45, brightness=120),
    "happy": Expression(rate=16, pitch=36, span=95, volume=20, brightness=30),
    "neutral": Expression(rate=0, pitch=0, span=0, volume=0, brightness=0),
    "sad": Expression(rate=-26, pitch=-16, span=-60, volume=-25, brightness=-55),
}
SENTENCES = {
    "S1": "The keys are on the kitchen table.",
    "S2": "We will meet them at the station.",
    "S3": "She has put the letter in the drawer.",
    "S4": "It will be ready in about an hour.",
    "S5": "They moved the chairs to the other room.",
    "S6": "He is going to call you on Monday.",
}
FILES = {
    f"{speaker}/{speaker}_{emotion}_{sentence}.wav": (speaker, emotion, sentence)
    for speaker in sorted(SPEAKERS)
    for emotion in sorted(EMOTIONS)
    for sentence in sorted(SENTENCES)
}

# Half widths of the triangular jitter, in the units of `Expression`; recording gain in %.
JITTER = Expression(rate=7, pitch=5, span=15, volume=10, brightness=12)
STRENGTH_JITTER = 20
GAIN_JITTER = 60
# One utterance in so many is expressed at this strength [%].
WEAK_EVERY, WEAK_STRENGTH = 10, 40
VOLUME = 34  # of espeak-ng for neutral speech: so low that its limiter never acts and nothing clips
NOISE = range(95, 286)  # 1/256 of a noise of standard deviation 148


@dataclass(frozen=True)
class Recipe:
    """Everything that decides one utterance: what espeak-ng is told, then factors in 1/256 for what is added."""

    voice: str
    text: str
    rate: int
    pitch: int
    span: int
    volume: int
    brightness: int
    gain: int
    noise: int


def recipe(file: str) -> Recipe:
    """The recipe of one of `FILES`: the speaker's habits, changed by the emotion at this utterance's strength."""
    speaker, emotion, sentence = FILES[file]
    habits, full = SPEAKERS[speaker], EMOTIONS[emotion]

    def below(what: str, limit: int) -> int:
        return int.from_bytes(hashlib.sha256(f"{file} {what}".encode()).digest()[:8], "big") % limit

    def around(what: str, width: int) -> int:
        return below(f"{what} a", width + 1) + below(f"{what} b", width + 1) - width

    strength = habits.strength * (100 + around("strength", STRENGTH_JITTER)) // 100
    if below("weak", WEAK_EVERY) == 0:
        strength = strength * WEAK_STRENGTH // 100

    def change(what: str) -> int:
        return int(getattr(full, what)) * strength // 100 + around(what, getattr(JITTER, what))

    return Recipe(
        voice=habits.voice,
        text=SENTENCES[sentence],
        rate=habits.rate * (100 + change("rate")) // 100,
        pitch=min(max(habits.pitch + change("pitch"), 0), 99),
        span=min(max(habits.span * (100 + change("span")) // 100, 0), 99),
        volume=VOLUME * (100 + change("volume")) // 100,
        brightness=256 * (100 + change("brightness")) // 100,
        gain=256 * (100 + around("gain", GAIN_JITTER)) // 100,
        noise=NOISE[below("noise", len(NOISE))],
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def speak(how: Recipe, library: Path) -> NDArray[np.int32]:
    """Speak one utterance with a freshly loaded espeak-ng, from the folder that holds its data.

    The data are named relative to the working directory, because espeak-ng keeps their path in 160 characters.

    Returns:
        (n,) int32 in the range of int16, at `SAMPLE_RATE`.

    Raises:
        BenchError: espeak-ng refuses.
    """
    blocks: list[bytes] = []

    def collect(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            blocks.append(ctypes.string_at(samples, 2 * count))
        return 0

    def demand(wanted: int, found: int, call: str) -> None:
        if found != wanted:
            raise BenchError(f"espeak-ng: {call} returned {found} instead of {wanted}", f"reinstall {LOADER}")

    # speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS = 2, espeakINITIALIZE_DONT_EXIT = 0x8000, espeakCHARS_UTF8 = 1 and
    # espeakRATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4.
    espeak = ctypes.CDLL(str(library))
    callback = CALLBACK(collect)  # lives until the library is unloaded
    try:
        demand(SAMPLE_RATE, espeak.espeak_Initialize(2, 0, b"espeak-ng-data", 0x8000), "espeak_Initialize")
        espeak.espeak_SetSynthCallback(callback)
        demand(0, espeak.espeak_SetVoiceByName(how.voice.encode()), f"espeak_SetVoiceByName({how.voice!r})")
        for number, value in enumerate((how.rate, how.volume, how.pitch, how.span), start=1):
            demand(0, espeak.espeak_SetParameter(number, value, 0), f"espeak_SetParameter({number}, {value})")
        text = how.text.encode() + b"\0"
        status = espeak.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, 1, None, None)
        demand(0, status, f"espeak_Synth({how.text!r})")
        espeak.espeak_Terminate()
    finally:
        if sys.platform == "win32":
            _ctypes.FreeLibrary(espeak._handle)
        else:
            _ctypes.dlclose(espeak._handle)
    return np.frombuffer(b"".join(blocks), dtype="<i2").astype(np.int32)


def record(speech: NDArray[np.int32], how: Recipe, file: str) -> NDArray[np.int16]:
    """Set the brightness and level of what was spoken and add noise: (n,) int32 to (n,) int16.

    Brightness scales what a moving average of seven samples leaves over: what lies above about 1.4 kHz. The noise is
    white, each sample the sum of four random bytes.
    """
    low = np.convolve(speech, np.ones(7, dtype=np.int32), mode="same") // 7
    bright = low + ((speech - low) * how.brightness >> 8)
    drawn = hashlib.shake_256(f"{file} background".encode()).digest(4 * len(speech))
    noise = np.frombuffer(drawn, dtype=np.uint8).reshape(-1, 4).sum(axis=1, dtype=np.int32) - 510
    mixed: NDArray[np.int32] = (bright * how.gain >> 8) + (noise * how.noise >> 8)
    return mixed.astype(np.int16)


def write(path: Path, samples: NDArray[np.int16]) -> None:
    """Write a mono WAV file of 16 bits: a header of 44 bytes and the samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with wave.open(content, "wb") as handle:
        handle.setnchannels(1)
        handle.setsampwidth(2)
        handle.setframerate(SAMPLE_RATE)
        handle.writeframes(samples.tobytes())
    path.write_bytes(content.getvalue())


def main(arguments: Sequence[str]) -> None:
    """Render files, all by default, into a folder.

    Raises:
        UsageError: There is no folder, or a file that the corpus does not have.
    """
    import espeakng_loader

    unknown = [file for file in arguments[1:] if file not in FILES]
    if not arguments or unknown:
        problem = f"the demo corpus has no file {unknown[0]!r}" if unknown else "a folder is missing"
        raise UsageError(problem, "python -m tasks.corpora.demo_speech FOLDER [F1/F1_angry_S3.wav ...]")
    folder = Path(arguments[0]).resolve()
    library = Path(espeakng_loader.get_library_path()).resolve()
    os.chdir(Path(espeakng_loader.get_data_path()).parent)
    for file in arguments[1:] or sorted(FILES):
        how = recipe(file)
        write(folder / file, record(speak(how, library), how, file))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (BenchError, OSError) as error:
        sys.exit(str(error))
