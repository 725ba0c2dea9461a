"""The embedded demo corpus: four emotions acted by twelve voices of espeak-ng, rendered on this machine.

It exists so that the benchmark can be tried without obtaining anything. It is synthetic: a score on it says nothing
about people.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import ClassVar

from benchmark.base import Corpus
from benchmark.errors import BenchError, MissingError
from benchmark.io.files import temporary_prefix
from benchmark.types import CorpusCounts, Utterance
from tasks.corpora.demo_speech import FILES, LOADER, SENTENCES, SPEAKERS

log = logging.getLogger(__name__)

# Of the names and bytes of all files, see `digest`; made with this version of espeakng-loader (espeak-ng 1.52.0).
SHA256 = "858a7037e422851c4e3eaf2d7387b7ffe504e732259ccf89b14f8e11d1ac46f5"
MADE_WITH = "0.2.4"


class Demo(Corpus):
    """Synthetic demo: 288 utterances by 12 voices of espeak-ng, 4 emotions; it needs no download."""

    name: ClassVar[str] = "demo"
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = "Apache-2.0 (sentences and recipe; the synthesiser espeak-ng is GPL-3.0-or-later)"
    citation: ClassVar[str] = (
        "synthesised with eSpeak NG 1.52.0; rules of expression after I. R. Murray, J. L. Arnott: Toward the "
        "simulation of emotion in synthetic speech. J. Acoust. Soc. Am. 93(2), 1993; P. N. Juslin, P. Laukka: "
        "Communication of emotions in vocal expression and music performance. Psychological Bulletin 129(5), 2003; "
        "K. R. Scherer: Vocal communication of emotion. Speech Communication 40(1-2), 2003"
    )
    homepage: ClassVar[str] = "https://github.com/espeak-ng/espeak-ng"
    how_to_get: ClassVar[str] = "nothing to get: it is rendered into the cache on first use"
    counts: ClassVar[Mapping[str, CorpusCounts]] = {
        "all": CorpusCounts(288, 12, {"angry": 72, "happy": 72, "neutral": 72, "sad": 72})
    }
    synthetic: ClassVar[bool] = True

    def prepare(self, cache: Path) -> Path:
        """Render the corpus into the cache where it is not there yet, and check every byte of it.

        A file that is missing or changed is rendered again; a file that does not belong there is left alone (and
        `scan` refuses it).

        Raises:
            BenchError: What this machine renders is not the published corpus, or the cache cannot be written.
            MissingError: espeakng-loader is not installed.
        """
        root = cache / f"{self.name}-{SHA256[:12]}"
        if digest(root) == SHA256:
            return root
        if root.exists():
            log.warning("the demo corpus in %s is damaged: rendering it again", root)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=temporary_prefix(), dir=cache) as scratch:
                fresh = Path(scratch).resolve() / self.name
                render_apart(fresh)
                place(fresh, root)
        except OSError as error:
            raise BenchError(
                f"cannot make the demo corpus in {cache}: {error.strerror or error}",
                "is there space, and is the folder writable? BENCH_CACHE moves it",
            ) from error
        return root

    def scan(self, root: Path) -> list[Utterance]:
        """List every utterance; ids are `SPEAKER/SPEAKER_EMOTION_SENTENCE`, for example `F1/F1_angry_S3`."""
        if not root.is_dir():
            raise MissingError(f"the demo corpus has no folder {root}", self.how_to_get)
        utterances = []
        for path in sorted(root.rglob("*")):
            file = path.relative_to(root).as_posix()
            if file.startswith(".") or "/." in file or (path.is_dir() and file in SPEAKERS):
                continue
            if file not in FILES:
                raise BenchError(
                    f"corpus demo: unexpected file {file} in {root}",
                    "files there are named SPEAKER/SPEAKER_EMOTION_SENTENCE.wav, for example F1/F1_angry_S3.wav",
                )
            speaker, emotion, sentence = FILES[file]
            utterance = Utterance(
                id=file.removesuffix(".wav"),
                file=file,
                speaker=speaker,
                gender={"F": "female", "M": "male"}[speaker[0]],
                language="en",
                labels={"emotion": emotion},
                extra={"sentence": sentence, "text": SENTENCES[sentence], "voice": SPEAKERS[speaker].voice},
            )
            utterances.append(utterance)
        return sorted(utterances, key=lambda utterance: utterance.id)

    def gaps(self, utterances: Sequence[Utterance]) -> list[str]:
        """The files of the corpus that are missing."""
        return [f"{file} is missing" for file in sorted(set(FILES) - {utterance.file for utterance in utterances})]


def digest(root: Path) -> str | None:
    """The sha256 of the sorted names and bytes of all `FILES`; None where one is missing or cannot be read."""
    checksum = hashlib.sha256()
    for file in sorted(FILES):
        try:
            content = (root / file).read_bytes()
        except OSError:
            return None
        checksum.update(f"{file} {len(content)}\n".encode())
        checksum.update(content)
    return checksum.hexdigest()


def render_apart(folder: Path) -> None:
    """Render all files into a new folder in a process of its own, and check them.

    A process of its own, because espeak-ng sets the locale of its process, needs its working directory, and must not
    be loaded already.

    Raises:
        BenchError: The process fails, or the files are not the published ones.
        MissingError: espeakng-loader is not installed.
    """
    try:
        installed = metadata.version(LOADER)
    except metadata.PackageNotFoundError as error:
        raise MissingError(
            f"the demo corpus needs {LOADER}, which is not installed", f"pip install {LOADER}=={MADE_WITH}"
        ) from error
    packages = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(  # noqa: S603 - a module of this package
        [sys.executable, "-m", "tasks.corpora.demo_speech", str(folder)],
        cwd=folder.parent,  # Python looks for modules there first, and it is empty
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, packages))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    versions = f"it was made with {LOADER} {MADE_WITH}, installed is {installed} on {platform.platform()}"
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BenchError(
            f"rendering the demo corpus failed with exit code {done.returncode}: {reason}",
            f"is there space in the cache? {versions}",
        )
    found = digest(folder)
    if found != SHA256:
        raise BenchError(
            f"the demo corpus rendered here is not the published one: digest {str(found)[:12]} instead of "
            f"{SHA256[:12]}",
            f"{versions}; pip install {LOADER}=={MADE_WITH}" if installed != MADE_WITH else f"{versions}; report it",
        )


def place(fresh: Path, root: Path) -> None:
    """Move a rendered folder to its place; where there is one already, replace those of its files that differ."""
    try:
        fresh.rename(root)
    except OSError:
        if not root.is_dir():
            raise
        replaced = []
        for file in sorted(FILES):
            old, new = root / file, fresh / file
            if not old.is_file() or old.read_bytes() != new.read_bytes():
                old.parent.mkdir(exist_ok=True)
                new.replace(old)
                replaced.append(file)
        if replaced:
            log.warning("%d files of the demo corpus had been changed or lost: %s, ...", len(replaced), replaced[0])
