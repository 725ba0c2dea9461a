"""Getting openly licensed corpora: transfers go on where they stopped, a folder appears only when it is complete.

pooch checks and places the files. Its downloader begins a broken transfer anew, when it is called again: of 10 MB whose
connection breaks at half, the host sends 15 MB in two calls, and 10 MB in one call to the one here
(`tests/speed/own_code.py downloads`).
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from benchmark.base import Corpus
from benchmark.data.scanning import scan_corpus
from benchmark.data.status import PartCount, count_parts, in_words
from benchmark.errors import BenchError, MissingError
from benchmark.io.archives import Meter, unpack
from benchmark.io.files import safe_name
from benchmark.types import Download

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

TIMEOUT = (10.0, 60.0)  # to connect, and between two blocks [s]
MOST_FAILURES = 5  # in a row, without a byte more than before
FIRST_PAUSE = 1.0  # before the second try [s]; doubled before each further one
LOCK, UNPACKED = "lock", "unpacked"  # in the hidden folder, beside what arrives
BLOCK = 1 << 15  # [bytes]; what had come of one is lost when the connection breaks
PASSING = (429, 500, 502, 503, 504)  # answers after which it is worth to try again
TAKEN_UP = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
BEYOND_END = re.compile(r"bytes \*/(\d+)")


class _BrokenOffError(Exception):
    """A transfer ended before its end; it may be tried again."""


def get(corpus: Corpus, folder: Path, meter: Meter) -> list[PartCount]:
    """Download a corpus, check it, and put it in its place.

    Everything happens in a hidden folder beside the place, which is removed at the end. After an interruption or an
    error what arrived is kept there, and the next call goes on with it; where nothing arrived it is removed.

    Args:
        corpus: One that has `downloads`.
        folder: The place; not there yet, or empty.
        meter: Told of bytes that arrive and are unpacked.

    Returns:
        What was got, compared with the counts of the corpus.

    Raises:
        MissingError: A file cannot be got.
        BenchError: A file is not the published one, cannot be unpacked safely, or does not hold the corpus; or
            another process is getting it. The place is left as it was.
    """
    from filelock import Timeout

    work = folder.parent / f".{folder.name}.getting"
    try:
        with _alone(work):
            if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
                raise BenchError(f"{folder} is there already", "move it away, or choose another place by --to")
            archives = [fetch(download, work, meter) for download in corpus.downloads]
            fresh = work / UNPACKED
            if fresh.exists():  # of a process that was killed
                shutil.rmtree(fresh)
            for download, archive in zip(corpus.downloads, archives, strict=True):
                _unpack(archive, fresh / download.folder, meter)
            parts = _checked(corpus, fresh, work)
            if folder.is_dir():
                folder.rmdir()  # fails, as it should, where something was put into it meanwhile
            fresh.rename(folder)
            for path in work.iterdir():
                if path.name != LOCK:
                    path.unlink()
    except Timeout as error:
        raise BenchError(f"another process is getting {corpus.name!r} into {folder}", "wait for it") from error
    except OSError as error:
        kept = f" What arrived is kept in {work}" if work.exists() else ""
        raise BenchError(
            f"cannot get {corpus.name!r} into {folder}: {error.strerror or error}",
            f"is there room, and who may write there?{kept}",
        ) from error
    return parts


@contextlib.contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Make the hidden folder and hold it; at the end it is removed, unless something in it is worth keeping."""
    lock = _lock(work)
    try:
        yield
    finally:
        _tidy(work)
        lock.release()


def _lock(work: Path) -> BaseFileLock:
    """Hold the lock that lies in the hidden folder, and not one that another process has just removed from there.

    Raises:
        Timeout: Another process holds it.
    """
    from filelock import FileLock

    path = work / LOCK
    while True:
        lock = FileLock(path, timeout=0)
        # Not found: who held it has removed the folder between two of these lines.
        with contextlib.suppress(FileNotFoundError):
            work.mkdir(parents=True, exist_ok=True)
            path.touch()
            number = path.stat().st_ino
            lock.acquire()
            # As long as it is open here, no other file gets its number: the same number is the same file.
            if path.stat().st_ino == number:
                return lock
        lock.release()


def _tidy(work: Path) -> None:
    """Remove what the next call does not need; while the lock is held, as others may come as soon as it is gone."""
    with contextlib.suppress(OSError):  # the error that led here is to be told, and not that something is left
        if (work / UNPACKED).exists():
            shutil.rmtree(work / UNPACKED)
        for path in work.iterdir():
            if path.name != LOCK and path.is_file() and path.stat().st_size == 0:
                path.unlink()
        if [path.name for path in work.iterdir()] == [LOCK]:
            (work / LOCK).unlink()
            work.rmdir()


def _unpack(archive: Path, folder: Path, meter: Meter) -> None:
    try:
        unpack(archive, folder, meter)
    except BenchError as error:
        kept = f"it has the published checksum and is kept: {archive}"
        raise BenchError(error.message, f"{error.hint}; {kept}") from error


def _checked(corpus: Corpus, fresh: Path, work: Path) -> list[PartCount]:
    parts = count_parts(corpus, scan_corpus(corpus, fresh))
    wrong = [in_words(part) for part in parts if part.state not in ("complete", "unknown")]
    if wrong:
        raise BenchError(
            f"what was downloaded is not the corpus {corpus.name!r}: {'; '.join(wrong)}",
            f"its files have the published checksums and are kept in {work}; report it",
        )
    return parts


def fetch(download: Download, folder: Path, meter: Meter) -> Path:
    """Download one file, going on where an earlier transfer stopped, and check it.

    Args:
        download: What to download.
        folder: Where to keep it. A finished file with the right checksum is not downloaded again.
        meter: Told of bytes that arrive.

    Raises:
        MissingError: The host does not have the file, or cannot be reached.
        BenchError: The file is not the published one, or the disk has no room for it; it is deleted.
    """
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)  # it tells of what it does on stderr
    name = file_name(download)
    downloader = _Resuming(folder / f"{name}.part", meter)
    while True:
        try:
            found = pooch.retrieve(
                download.url, known_hash=download.checksum, fname=name, path=folder, downloader=downloader
            )
            downloader.forget()
            return Path(found)
        except ValueError as error:  # the checksum differs, and pooch has deleted the file
            downloader.forget()
            if not downloader.had_part:
                raise BenchError(
                    f"{download.url} is not the published file: its checksum is not {download.checksum}",
                    "it was deleted; try again, and report it if it stays so",
                ) from error
            log.warning("%s is damaged, or has changed since its transfer began: getting it afresh", name)


def file_name(download: Download) -> str:
    """The local name of a download: that of its address, with what tells apart two versions of it."""
    checksum = download.checksum.partition(":")[2]
    return f"{checksum[:8]}-{safe_name(unquote(urlsplit(download.url).path.rpartition('/')[2]))}"


class _Resuming:
    """A downloader for pooch that keeps what arrived in a file of its own and goes on from there.

    Attributes:
        had_part: Whether an earlier call had left a part of the file.
    """

    def __init__(self, part: Path, meter: Meter) -> None:
        self._part = part
        self._meter = meter
        self.had_part = False

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download into `output_file`.

        Raises:
            MissingError: The host does not have it, or nothing more came after `MOST_FAILURES` tries.
        """
        del pooch
        most, failures = self._arrived(), 0
        self.had_part = most > 0
        while True:
            try:
                self._transfer(url)
                break
            except _BrokenOffError as error:
                arrived = self._arrived()
                failures = 1 if arrived > most else failures + 1
                most = max(most, arrived)
                if failures == MOST_FAILURES:
                    hint = f"{arrived} bytes arrived; run it again to go on from there"
                    raise MissingError(
                        f"cannot download {url}: {error}",
                        hint if arrived else "nothing of it arrived: is this machine online? Run it again later",
                    ) from error
                pause = FIRST_PAUSE * 2 ** (failures - 1)
                log.info("%s: %s; trying again in %.0f s", url, error, pause)
                time.sleep(pause)
        # What arrived stays until pooch has found it right: killed while it hashes, nothing is lost.
        given = Path(output_file)
        given.unlink(missing_ok=True)
        try:
            given.hardlink_to(self._part)
        except OSError:  # a file system without hard links
            shutil.copyfile(self._part, given)

    def forget(self) -> None:
        """Delete what an earlier call left."""
        self._part.unlink(missing_ok=True)

    def _arrived(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _transfer(self, url: str) -> None:
        """One transfer: all of the file, or what is missing of it.

        Raises:
            _BrokenOffError: It ended early, or could not begin for a reason that may pass.
            MissingError: The host does not have the file.
        """
        import requests

        arrived = self._arrived()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={arrived}-"} if arrived else {})
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                if arrived and response.status_code == requests.codes.requested_range_not_satisfiable:
                    self._judge_end(response.headers.get("Content-Range", ""), arrived)
                    return
                if response.status_code in PASSING:
                    raise _BrokenOffError(f"the host answers {response.status_code} {response.reason}")
                if not response.ok:
                    raise MissingError(
                        f"cannot download {url}: the host answers {response.status_code} {response.reason}",
                        "it may have moved: bench data how-to names its home page",
                    )
                self._receive(response, arrived)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _BrokenOffError(f"the connection failed ({type(error).__name__})") from error
        except requests.RequestException as error:
            raise MissingError(f"cannot download {url}: {error}", "is the address right?") from error

    def _judge_end(self, content_range: str, arrived: int) -> None:
        """The host has nothing after what arrived: that is all of the file, or something else."""
        end = BEYOND_END.fullmatch(content_range)
        if end is not None and int(end[1]) == arrived:
            return
        self._part.unlink()
        raise _BrokenOffError(f"the host has less than the {arrived} bytes that had arrived")

    def _receive(self, response: Any, arrived: int) -> None:
        taken_up = TAKEN_UP.fullmatch(response.headers.get("Content-Range", ""))
        goes_on = response.status_code == 206 and taken_up is not None and int(taken_up[1]) == arrived
        if response.status_code == 206 and not goes_on:
            self._part.unlink()
            raise _BrokenOffError("the host sent another part of the file than the one asked for")
        done = arrived if goes_on else 0
        is_plain = "Content-Encoding" not in response.headers
        announced = response.headers.get("Content-Length", "")
        length = int(announced) if announced.isdecimal() and is_plain else None
        free = shutil.disk_usage(self._part.parent).free
        if length is not None and length > free:
            raise BenchError(
                f"{response.url} needs {length} bytes more and there are {free}",
                f"free some space in {self._part.parent}",
            )
        title = self._part.name.removesuffix(".part")
        with (
            self._part.open("ab" if goes_on else "wb") as output,
            self._meter(title, None if length is None else done + length, done) as advance,
        ):
            for block in response.iter_content(BLOCK):
                output.write(block)
                advance(len(block))
        if length is not None and self._arrived() != done + length:
            raise _BrokenOffError(f"{self._arrived()} bytes of {done + length} came")
