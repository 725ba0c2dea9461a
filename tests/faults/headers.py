"""Mutated files against what reads them: nothing but an answer or one line of error, soon, and in bounded memory.

    python tests/faults/headers.py sound 4000       # headers of sound files of every container and codec
    python tests/faults/headers.py index 4000       # index.csv
    python tests/faults/headers.py features 2000    # npz, npy with lengths, folders, csv

A mutation flips, sets, removes or repeats a few bytes, most of them near the beginning. Each reads in a process of its
own kind of limits: MEMORY bytes in all, SECONDS for one file. What is neither read nor refused in one line is printed
with the seed that makes it again, and the exit status is 1.
"""

from __future__ import annotations

import random
import resource
import signal
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from sound_files import content, pcm, unsized, voice, wav  # noqa: E402

from benchmark.data.audio import decode  # noqa: E402
from benchmark.errors import BenchError  # noqa: E402
from benchmark.types import Utterance  # noqa: E402
from tasks.corpora.csv import CSV  # noqa: E402
from upstreams.precomputed.upstream import Precomputed  # noqa: E402

MEMORY, TRACED, SECONDS = 8 << 30, 1 << 30, 20
HEADER = 120  # bytes from the beginning in which most mutations lie
SPECIAL = (b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"data", b"OggS")


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The data with a few bytes changed, most of them near the beginning."""
    found = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(min(len(found), HEADER) if draw.random() < 0.8 else len(found)) if found else 0
        kind = draw.randrange(5)
        if kind == 0 and found:
            found[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            piece = draw.choice(SPECIAL)
            found[at : at + len(piece)] = piece
        elif kind == 2:
            del found[at : at + draw.randint(1, 12)]
        elif kind == 3:
            found[at:at] = found[at : at + draw.randint(1, 40)]
        else:
            del found[draw.randrange(len(found) + 1) :]
    return bytes(found)


def sounds(folder: Path) -> dict[str, bytes]:
    """A sound file of every container and codec."""
    found = {}
    for kind in soundfile.available_formats():
        for codec in soundfile.available_subtypes(kind):
            try:
                name = f"{kind}-{codec}"
                found[name] = bytes(content(folder / "x", voice(0.5, 8_000), 8_000, format=kind, subtype=codec))
            except (soundfile.SoundFileError, ValueError):  # not a codec of this container
                continue
    found["streamed.wav"] = wav(pcm(voice(0.5)), 0, 0)
    found["untabled.mp3"], _ = unsized(folder / "x", voice(0.5))
    return found


def read_sound(path: Path, draw: random.Random) -> None:
    """Decode a file, at times a stretch of it."""
    stretch = (None, None) if draw.random() < 0.7 else (0.1, 0.3)
    wave = decode(path.parent, Utterance("u", path.name, *stretch))
    assert wave.samples.ndim == 1
    assert np.isfinite(wave.samples).all()


def indexes(folder: Path) -> dict[str, bytes]:
    """What an index.csv looks like in the wild."""
    del folder
    rows = [
        "file,speaker,label,start,end,arousal",
        *(f'a/{i}.wav,s{i % 3},"calm, so",{i},{i + 1},0.{i}' for i in range(9)),
    ]
    text = "\n".join(rows) + "\n"
    other = text.replace(",", ";")
    return {"commas": text.encode(), "semicolons": other.encode(), "utf-16": text.encode("utf-16")}


def read_index(path: Path, draw: random.Random) -> None:
    """Scan a folder with this index."""
    del draw
    path.rename(path.with_name("index.csv"))
    for utterance in CSV().scan(path.parent):
        assert utterance.file
        assert ".." not in Path(utterance.file).parts


def features(folder: Path) -> dict[str, bytes]:
    """Features in every format that is one file."""
    arrays = {name: np.ones((4, 3), np.float32) for name in ("a", "b")}
    np.savez_compressed(folder / "x.npz", **arrays, frame_rate=np.array(50.0))
    np.save(folder / "x.npy", np.ones((8, 3), np.float32))
    table = b"id,x,y\na,1,2\nb,3,4\n"
    return {
        "x.npz": (folder / "x.npz").read_bytes(),
        "x.npy": (folder / "x.npy").read_bytes(),
        "x.csv": table,
    }


def read_features(path: Path, draw: random.Random) -> None:
    """Look up what is there."""
    del draw
    if path.suffix == ".npy":
        path.with_suffix(".lengths").write_text("4\n4\n")
        path.with_suffix(".ids").write_text("a\nb\n")
        path.with_suffix(".frame_rate").write_text("50\n")
    found = Precomputed(str(path)).lookup(["a", "b"], ["a", "b"])
    assert all(np.isfinite(found[name].layers).all() for name in ("a", "b"))


KINDS: dict[str, tuple[Callable[[Path], dict[str, bytes]], Callable[[Path, random.Random], None]]] = {
    "sound": (sounds, read_sound),
    "index": (indexes, read_index),
    "features": (features, read_features),
}


def attack(kind: str, number: int, first_seed: int = 0) -> int:
    """Read that many mutated files; how many were answered by anything but a result or one line."""
    make, read = KINDS[kind]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError(f"longer than {SECONDS} s")))
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        originals = sorted(make(Path(scratch)).items())
        for seed in range(first_seed, first_seed + number):
            draw = random.Random(seed)
            name, data = draw.choice(originals)
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                path = Path(folder) / name
                path.write_bytes(mutated(data, draw))
                outcomes[_outcome(path, read, draw, f"{kind} {name}, seed {seed}")] += 1
    sys.stdout.write(f"{kind}: {', '.join(f'{outcome} {times}' for outcome, times in sorted(outcomes.items()))}\n")
    return outcomes["wrong"]


def _outcome(path: Path, read: Callable[[Path, random.Random], None], draw: random.Random, what: str) -> str:
    began = time.monotonic()
    tracemalloc.start()
    signal.alarm(SECONDS)
    try:
        read(path, draw)
        outcome, told = "read", ""
    except BenchError as error:
        outcome, told = "refused", error.message
    except BaseException as error:  # whatever else comes is a finding
        outcome, told = "wrong", f"{type(error).__name__}: {error}"
    signal.alarm(0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if "\n" in told or peak > TRACED:
        outcome = "wrong"
    if outcome == "wrong":
        sys.stdout.write(f"{what}: {told} ({peak >> 20} MiB, {time.monotonic() - began:.1f} s)\n")
    return outcome


if __name__ == "__main__":
    sys.exit(attack(sys.argv[1], *map(int, sys.argv[2:])) > 0)
