"""Archives made up for tests."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

FILES = {"wav/a01.wav": b"RIFF" * 100, "wav/Colère/é.wav": b"x", "list.txt": b""}


def quiet(title: str, total: int | None, done: int) -> nullcontext[Callable[[int], object]]:
    """Progress that nobody sees."""
    del title, total, done
    return nullcontext(lambda count: None)


def zipped(path: Path, files: Mapping[str, bytes] = FILES, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Mapping[str, bytes] = FILES, mode: str = "w:gz", **info: object) -> Path:
    """A tar archive; `info` is set on every member."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in info.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return path


def found(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
