"""Downloads, from a host of our own: resumed, checked, and in their place only when complete."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pooch
import pytest
from archives_factory import found, quiet, zipped

import benchmark.data.downloads
import benchmark.io.archives
from benchmark.base import Corpus
from benchmark.data.downloads import MOST_FAILURES, fetch, file_name, get
from benchmark.data.layout import audio_files
from benchmark.data.status import look
from benchmark.errors import BenchError, MissingError
from benchmark.io.settings import load_settings
from benchmark.registry.registry import Registry
from benchmark.types import CorpusCounts, Download, Utterance

CONTENT = random.Random(0).randbytes(300_000)


@dataclass
class Host:
    """A web host that behaves as told.

    Attributes:
        files: Content of each path.
        redirects: Where else a path is.
        has_ranges: Whether it sends parts of files.
        skew: How many bytes beside the asked one a part begins.
        cut: Connections break off after so many bytes of a body; the last entry holds for all that follow.
        statuses: Answers to give before anything else.
        requests: The path and `Range` of every request.
        sent: Bytes of bodies that were sent.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    has_ranges: bool = True
    skew: int = 0
    cut: list[int | None] = field(default_factory=lambda: [None])
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    address: str = ""

    def download(self, path: str = "/corpus.zip", folder: str = "") -> Download:
        """What is published of a file."""
        return Download(self.address + path, f"md5:{hashlib.md5(self.files[path]).hexdigest()}", folder)


class Handler(BaseHTTPRequestHandler):
    """Answers for a `Host`."""

    host: ClassVar[Host]

    def do_GET(self) -> None:
        host, asked = self.host, self.headers["Range"]
        host.requests.append((self.path, asked))
        if host.statuses:
            self.answer(host.statuses.pop(0), {"Content-Length": "0"})
        elif self.path in host.redirects:
            self.answer(302, {"Location": host.redirects[self.path], "Content-Length": "0"})
        elif self.path not in host.files:
            self.answer(404, {"Content-Length": "0"})
        else:
            self.send_file(host.files[self.path], asked)

    def send_file(self, content: bytes, asked: str | None) -> None:
        host, first = self.host, 0
        headers = {}
        status = 200
        if asked and host.has_ranges:
            first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) + host.skew  # type: ignore[index]
            if first >= len(content):
                self.answer(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
                return
            status = 206
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        body = content[first:]
        self.answer(status, {**headers, "Content-Length": str(len(body))})
        body = body[: host.cut.pop(0) if len(host.cut) > 1 else host.cut[0]]
        host.sent += len(body)  # before: the client may be done with it before we are
        self.wfile.write(body)

    def answer(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host on this machine; retries do not wait."""
    host = Host(files={"/corpus.zip": CONTENT})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"host": host}))
    host.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(benchmark.data.downloads, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(benchmark.data.downloads, "BLOCK", 1000)  # every break in these tests is at the end of one
    yield host
    server.shutdown()
    server.server_close()
    thread.join()


# -- one file ---------------------------------------------------------------------------------------------------------


def test_a_file_is_fetched_once(host: Host, tmp_path: Path) -> None:
    pooch.get_logger().setLevel(logging.NOTSET)
    path = fetch(host.download(), tmp_path, quiet)
    assert path.read_bytes() == CONTENT
    assert fetch(host.download(), tmp_path, quiet) == path
    assert host.requests == [("/corpus.zip", None)]
    assert list(tmp_path.iterdir()) == [path]
    assert not pooch.get_logger().isEnabledFor(logging.INFO)  # it writes to stderr of its own


def test_progress_tells_what_is_there_and_what_comes(host: Host, tmp_path: Path) -> None:
    told: list[tuple[int | None, int]] = []
    arrived = []

    def meter(title: str, total: int | None, done: int) -> nullcontext[Callable[[int], object]]:
        assert title == file_name(host.download())
        told.append((total, done))
        return nullcontext(arrived.append)

    host.cut = [100_000, None]
    fetch(host.download(), tmp_path, meter)
    assert told == [(len(CONTENT), 0), (len(CONTENT), 100_000)]
    assert sum(arrived) == len(CONTENT)


def test_a_file_of_another_checksum_is_not_kept(host: Host, tmp_path: Path) -> None:
    download = host.download()
    host.files["/corpus.zip"] = CONTENT[::-1]
    with pytest.raises(BenchError) as caught:
        fetch(download, tmp_path, quiet)
    assert caught.value.exit_code == 1
    assert caught.value.message == (
        f"{download.url} is not the published file: its checksum is not {download.checksum}"
    )
    assert list(tmp_path.iterdir()) == []
    assert len(host.requests) == 1  # nothing was left from before that could be blamed


def test_a_changed_checksum_is_another_file(host: Host) -> None:
    before = file_name(host.download())
    host.files["/corpus.zip"] += b"2"
    assert re.fullmatch(r"[0-9a-f]{8}-corpus\.zip", before)
    assert file_name(host.download()) != before
    assert file_name(Download("https://x.org/a%20b/..%2Fc.zip?download=1", "md5:0123456789")) == "01234567--c.zip"


def test_a_body_that_breaks_off_goes_on_from_there(host: Host, tmp_path: Path) -> None:
    host.cut = [100_000, 50_000, None]
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert host.requests == [
        ("/corpus.zip", None),
        ("/corpus.zip", "bytes=100000-"),
        ("/corpus.zip", "bytes=150000-"),
    ]
    assert host.sent == len(CONTENT)


def test_a_body_that_always_breaks_off_at_one_place_is_given_up(host: Host, tmp_path: Path) -> None:
    host.cut, host.has_ranges = [100_000], False
    with pytest.raises(MissingError, match=r"cannot download .*: the connection failed .*100000 bytes arrived"):
        fetch(host.download(), tmp_path, quiet)
    assert len(host.requests) == MOST_FAILURES
    host.cut = [None]
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT


def test_as_long_as_more_comes_it_is_not_given_up(host: Host, tmp_path: Path) -> None:
    host.cut = [20_000]
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert len(host.requests) == 15 > MOST_FAILURES
    assert host.sent == len(CONTENT)


def interrupted(host: Host, folder: Path) -> int:
    """Lose the connection for good in the middle of a transfer; how many bytes are left of it."""
    host.cut = [140_000, 0]
    with pytest.raises(MissingError, match="140000 bytes arrived; run it again to go on from there"):
        fetch(host.download(), folder, quiet)
    host.cut = [None]
    host.requests.clear()
    host.sent = 0
    (part,) = folder.iterdir()
    assert part.name == f"{file_name(host.download())}.part"
    return part.stat().st_size


def test_an_interrupted_transfer_is_resumed(host: Host, tmp_path: Path) -> None:
    assert interrupted(host, tmp_path) == 140_000
    path = fetch(host.download(), tmp_path, quiet)
    assert path.read_bytes() == CONTENT
    assert host.requests == [("/corpus.zip", "bytes=140000-")]
    assert host.sent == len(CONTENT) - 140_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_transfer_that_the_user_interrupts_is_resumed(host: Host, tmp_path: Path) -> None:
    def meter(title: str, total: int | None, done: int) -> nullcontext[Callable[[int], object]]:
        def advance(count: int) -> None:
            raise KeyboardInterrupt

        return nullcontext(advance)

    with pytest.raises(KeyboardInterrupt):
        fetch(host.download(), tmp_path, meter)
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert host.requests == [("/corpus.zip", None), ("/corpus.zip", "bytes=1000-")]


def test_without_ranges_it_starts_again(host: Host, tmp_path: Path) -> None:
    interrupted(host, tmp_path)
    host.has_ranges = False
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert host.requests == [("/corpus.zip", "bytes=140000-")]
    assert host.sent == len(CONTENT)


def test_what_was_left_of_another_version_does_not_stay(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(host, tmp_path)
    (part,) = tmp_path.iterdir()
    part.write_bytes(b"?" * 1000)
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert host.requests == [("/corpus.zip", "bytes=1000-"), ("/corpus.zip", None)]
    assert "is damaged, or has changed since its transfer began: getting it afresh" in caplog.text


def test_a_wrong_file_is_fetched_afresh_once_and_not_for_ever(host: Host, tmp_path: Path) -> None:
    interrupted(host, tmp_path)
    download = host.download()
    host.files["/corpus.zip"] = CONTENT[::-1]
    with pytest.raises(BenchError, match="is not the published file"):
        fetch(download, tmp_path, quiet)
    assert len(host.requests) == 2


def test_an_unknown_kind_of_checksum_is_no_endless_loop(host: Host, tmp_path: Path) -> None:
    download = Download(host.download().url, "md9:00000000")
    (tmp_path / f"{file_name(download)}.part").write_bytes(CONTENT[:1000])
    with pytest.raises(BenchError, match="is not the published file: its checksum is not md9:00000000"):
        fetch(download, tmp_path, quiet)


@pytest.mark.parametrize(
    ("left", "sent", "told"), [(CONTENT, 0, ""), (CONTENT + b"more", len(CONTENT), "the host has less than the 300004")]
)
def test_a_part_that_reaches_the_end(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture, left: bytes, sent: int, told: str
) -> None:
    caplog.set_level(logging.INFO, logger="benchmark.data.downloads")
    (tmp_path / f"{file_name(host.download())}.part").write_bytes(left)
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert host.sent == sent
    assert told in caplog.text
    assert bool(told) == bool(caplog.text)


def test_another_part_than_the_one_asked_for_is_not_used(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(host, tmp_path)
    host.skew = 1
    caplog.clear()
    caplog.set_level(logging.INFO, logger="benchmark.data.downloads")
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    assert "sent another part of the file than the one asked for" in caplog.text
    assert "damaged" not in caplog.text
    assert host.requests == [("/corpus.zip", "bytes=140000-"), ("/corpus.zip", None)]


def test_a_file_that_is_not_there_is_asked_for_once(host: Host, tmp_path: Path) -> None:
    download = Download(f"{host.address}/gone.zip", "md5:00")
    with pytest.raises(MissingError, match=r"/gone\.zip: the host answers 404 Not Found \(it may have moved"):
        fetch(download, tmp_path, quiet)
    assert len(host.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_busy_host_is_asked_again(host: Host, tmp_path: Path) -> None:
    host.statuses = [503, 429]
    assert fetch(host.download(), tmp_path, quiet).read_bytes() == CONTENT
    host.statuses = [503] * MOST_FAILURES
    host.files["/other.zip"] = b"other"
    with pytest.raises(MissingError, match="503 Service Unavailable"):
        fetch(host.download("/other.zip"), tmp_path, quiet)


def test_pauses_grow(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(benchmark.data.downloads, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(benchmark.data.downloads.time, "sleep", pauses.append)
    host.statuses = [503, 503, 503]
    fetch(host.download(), tmp_path, quiet)
    assert pauses == [1.0, 2.0, 4.0]


def test_a_redirect_is_followed_and_resumed(host: Host, tmp_path: Path) -> None:
    host.redirects["/old.zip"] = "/corpus.zip"
    host.cut = [1000, None]
    download = Download(f"{host.address}/old.zip", host.download().checksum)
    assert fetch(download, tmp_path, quiet).read_bytes() == CONTENT
    assert host.sent == len(CONTENT)
    assert host.requests[-2:] == [("/old.zip", "bytes=1000-"), ("/corpus.zip", "bytes=1000-")]


def test_a_host_that_cannot_be_reached_is_one_error_without_warnings(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    download = Download("http://127.0.0.1:9/corpus.zip", "md5:00")
    caplog.set_level(logging.INFO)
    with pytest.raises(MissingError, match=r"the connection failed \(ConnectionError\)") as caught:
        fetch(download, tmp_path, quiet)
    assert caught.value.hint == "nothing of it arrived: is this machine online? Run it again later"
    assert "bytes" not in str(caught.value)
    tries = [record.levelno for record in caplog.records if "trying again" in record.getMessage()]
    assert tries == [logging.INFO] * (MOST_FAILURES - 1)  # --debug shows them
    assert max(record.levelno for record in caplog.records) == logging.INFO


def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"is the address right\?"):
        fetch(Download("corpus.zip", "md5:00"), tmp_path, quiet)


def test_a_full_disk_is_told_before_the_transfer(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        benchmark.data.downloads.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 299_999})
    )
    with pytest.raises(BenchError, match="needs 300000 bytes more and there are 299999"):
        fetch(host.download(), tmp_path, quiet)


# -- a corpus ---------------------------------------------------------------------------------------------------------


class Toys(Corpus):
    """A corpus of two archives."""

    name: ClassVar[str] = "toys"
    licence: ClassVar[str] = "CC0"
    citation: ClassVar[str] = "none"
    homepage: ClassVar[str] = "none"
    how_to_get: ClassVar[str] = "get it"
    counts: ClassVar[Mapping[str, CorpusCounts]] = {"all": CorpusCounts(4, 2)}

    def scan(self, root: Path) -> list[Utterance]:
        """Every file; the speaker is the last folder."""
        return [Utterance(name, file, speaker=name.split("/")[-2]) for file, name in audio_files(root)]


FIRST = {"anna/1.wav": b"1" * 5000, "anna/2.wav": b"2" * 5000}
SECOND = {"bert/1.wav": b"3" * 5000, "bert/2.wav": b"4" * 5000}
UNPACKED = {**{f"a/{name}": FIRST[name] for name in FIRST}, **SECOND}


@pytest.fixture
def toys(host: Host, tmp_path: Path) -> Toys:
    """A corpus that the host has."""
    host.files = {
        f"/{name}.zip": zipped(tmp_path / f"{name}.zip", files).read_bytes()
        for name, files in (("first", FIRST), ("second", SECOND))
    }
    toys = Toys()
    toys.downloads = (host.download("/first.zip", "a"), host.download("/second.zip"))  # type: ignore[misc]
    return toys


def left(folder: Path) -> dict[str, set[str]]:
    """What is in each folder in a folder."""
    return {path.name: {inner.name for inner in path.iterdir()} for path in folder.iterdir()}


def test_a_corpus_is_put_in_its_place(toys: Toys, tmp_path: Path) -> None:
    (part,) = get(toys, tmp_path / "data/toys", quiet)
    assert (part.state, part.utterances, part.speakers) == ("complete", 4, 2)
    assert found(tmp_path / "data") == {f"toys/{name}": content for name, content in UNPACKED.items()}
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["toys"]


def test_a_place_that_is_not_empty_is_left_alone(toys: Toys, host: Host, tmp_path: Path) -> None:
    place = tmp_path / "toys"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(BenchError, match=r"/toys is there already"):
        get(toys, place, quiet)
    assert found(place) == {"mine.txt": b"mine"}
    assert host.requests == []
    assert not (tmp_path / ".toys.getting").exists()
    (place / "mine.txt").unlink()
    get(toys, place, quiet)
    assert found(place) == UNPACKED


def test_what_is_not_the_corpus_is_not_put_in_its_place(toys: Toys, host: Host, tmp_path: Path) -> None:
    toys.counts = {"all": CorpusCounts(5, 2)}  # type: ignore[misc]
    with pytest.raises(BenchError, match="is not the corpus 'toys': 4 utterances instead of 5"):
        get(toys, tmp_path / "data/toys", quiet)
    assert not (tmp_path / "data/toys").exists()
    asked = len(host.requests)
    assert left(tmp_path / "data") == {".toys.getting": {"lock", *map(file_name, toys.downloads)}}
    toys.counts = {"all": CorpusCounts(4, 2)}  # type: ignore[misc]
    get(toys, tmp_path / "data/toys", quiet)
    assert len(host.requests) == asked == 2  # what has its checksum is kept


def test_a_part_of_the_corpus_that_did_not_come_is_told(toys: Toys, tmp_path: Path) -> None:
    toys.counts = {**toys.counts, "song": CorpusCounts(3, 1)}  # type: ignore[misc]
    with pytest.raises(BenchError, match="is not the corpus 'toys': song: nothing of it is here"):
        get(toys, tmp_path / "toys", quiet)


def test_a_second_process_waits_for_nobody(toys: Toys, host: Host, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / ".toys.getting").mkdir()
    with (
        FileLock(tmp_path / ".toys.getting/lock"),
        pytest.raises(BenchError, match=r"another process is getting 'toys' into .*/toys \(wait for it\)"),
    ):
        get(toys, tmp_path / "toys", quiet)
    assert host.requests == []
    assert (tmp_path / ".toys.getting/lock").exists()  # it is the other's


def test_of_a_download_that_brought_nothing_nothing_stays(toys: Toys, host: Host, tmp_path: Path) -> None:
    good, host.files = host.files, {}
    with pytest.raises(MissingError, match="404"):
        get(toys, tmp_path / "data/toys", quiet)
    assert left(tmp_path / "data") == {}
    host.files, host.cut = good, [0]
    with pytest.raises(MissingError, match="nothing of it arrived"):
        get(toys, tmp_path / "data/toys", quiet)
    assert left(tmp_path / "data") == {}


def test_a_download_that_brought_something_stays(
    toys: Toys, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark.data.downloads, "BLOCK", 100)
    first = file_name(toys.downloads[0])
    host.cut = [100, 0]
    with pytest.raises(MissingError, match="100 bytes arrived; run it again to go on"):
        get(toys, tmp_path / "data/toys", quiet)
    assert left(tmp_path / "data") == {".toys.getting": {"lock", f"{first}.part"}}
    host.cut = [None]
    gone = host.files.pop("/second.zip")
    with pytest.raises(MissingError, match="404"):
        get(toys, tmp_path / "data/toys", quiet)
    assert left(tmp_path / "data") == {".toys.getting": {"lock", first}}
    host.files["/second.zip"] = gone
    get(toys, tmp_path / "data/toys", quiet)
    assert found(tmp_path / "data") == {f"toys/{name}": content for name, content in UNPACKED.items()}


def test_a_published_file_that_is_no_archive_is_kept_and_it_is_said(toys: Toys, host: Host, tmp_path: Path) -> None:
    host.files["/page.zip"] = b"<html>log in first</html>"
    toys.downloads = (*toys.downloads[:1], host.download("/page.zip"))  # type: ignore[misc]
    kept = tmp_path / "data/.toys.getting" / file_name(toys.downloads[1])
    with pytest.raises(BenchError, match=r"page\.zip is neither a zip nor a tar archive") as caught:
        get(toys, tmp_path / "data/toys", quiet)
    assert caught.value.hint == (f"nothing of it is used: report it; it has the published checksum and is kept: {kept}")
    assert kept.read_bytes() == host.files["/page.zip"]
    assert left(tmp_path / "data") == {".toys.getting": {"lock", *map(file_name, toys.downloads)}}


def test_one_lock_is_held_by_one_although_it_is_removed_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was about to take the lock when it was removed takes the new one, and not the one that nobody sees."""
    import filelock

    from benchmark.data.downloads import _alone, _lock

    work = tmp_path / ".toys.getting"
    acquire = filelock.FileLock.acquire
    removed: list[Path] = []

    def late(lock: filelock.FileLock, *arguments: object, **options: object) -> object:
        held = acquire(lock, *arguments, **options)  # type: ignore[arg-type]
        if not removed:  # the one before us ends, and a third one begins
            removed.append(work / "lock")
            (work / "lock").rename(tmp_path / "orphan")  # its number is in use still
            (work / "lock").touch()
        return held

    monkeypatch.setattr(filelock.FileLock, "acquire", late)
    lock = _lock(work)
    assert removed
    with pytest.raises(filelock.Timeout), _alone(work):
        pass
    lock.release()
    monkeypatch.undo()
    with _alone(work):
        assert work.exists()
    assert not work.exists()


def test_a_lock_whose_folder_is_removed_between_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.data.downloads import _alone

    work, touch, calls = tmp_path / ".toys.getting", Path.touch, []

    def late(path: Path) -> None:
        calls.append(path)
        if len(calls) == 1:
            work.rmdir()
        touch(path)

    monkeypatch.setattr(Path, "touch", late)
    with _alone(work):
        assert (work / "lock").exists()
    assert calls == [work / "lock"] * 2


def test_a_folder_that_cannot_be_made_is_one_line(toys: Toys, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BenchError, match=r"cannot get 'toys' into .*/file/toys"):
        get(toys, tmp_path / "file/toys", quiet)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_an_archive_that_leaves_its_folder_changes_nothing(toys: Toys, host: Host, tmp_path: Path) -> None:
    evil = zipped(tmp_path / "evil.zip", {"anna/1.wav": b"1", "../../../evil.wav": b"2"})
    host.files["/evil.zip"] = evil.read_bytes()
    toys.downloads = (host.download("/evil.zip"),)  # type: ignore[misc]
    with pytest.raises(BenchError, match="would write outside of its folder"):
        get(toys, tmp_path / "data/toys", quiet)
    assert not list(tmp_path.rglob("*.wav"))


def test_interrupted_while_unpacking_nothing_is_in_its_place(
    toys: Toys, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))

    def meter(title: str, total: int | None, done: int) -> nullcontext[Callable[[int], object]]:
        def advance(count: int) -> None:
            if "second" in title and title.startswith("unpack"):
                raise KeyboardInterrupt

        return nullcontext(advance)

    with pytest.raises(KeyboardInterrupt):
        get(toys, tmp_path / "data/toys", meter)
    assert left(tmp_path / "data") == {".toys.getting": {"lock", *map(file_name, toys.downloads)}}
    assert look(toys, load_settings()).state == "not here"
    get(toys, tmp_path / "data/toys", quiet)
    assert found(tmp_path / "data/toys") == UNPACKED
    assert len(host.requests) == 2


KILLED = """
import sys, time
from pathlib import Path
import benchmark.io.archives as archives
from benchmark.data.downloads import get
from contextlib import nullcontext
from test_downloads import Toys
from benchmark.types import Download

def slow(archive, member, folder, advance, write=archives._write):
    write(archive, member, folder, advance)
    print(member.parts, flush=True)
    time.sleep(60)

archives._write = slow
toys = Toys()
toys.downloads = tuple(Download(*values.split("|")) for values in sys.argv[2:])
get(toys, Path(sys.argv[1]), lambda title, total, done: nullcontext(lambda count: None))
"""


def test_killed_while_unpacking_nothing_is_in_its_place(toys: Toys, host: Host, tmp_path: Path) -> None:
    place = tmp_path / "data/toys"
    arguments = [f"{one.url}|{one.checksum}|{one.folder}" for one in toys.downloads]
    own = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "support"), str(Path(__file__).parents[3])]
    path = os.pathsep.join([*own, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(place), *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline()  # one file is unpacked, or it ended with an error
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not place.exists()
    assert len(list(tmp_path.rglob("*.wav"))) == 1
    started = time.monotonic()
    get(toys, place, quiet)  # the lock died with its process
    assert time.monotonic() - started < 10
    assert found(tmp_path / "data") == {f"toys/{name}": content for name, content in UNPACKED.items()}
    assert len(host.requests) == 2


# -- what is published ------------------------------------------------------------------------------------------------


def downloads() -> list[tuple[str, Download]]:
    registry = Registry()
    return [(entry.name, one) for entry in registry.corpora() for one in registry.corpus(entry.name).downloads]


def test_every_download_has_an_address_and_a_checksum() -> None:
    for name, download in downloads():
        assert re.fullmatch(r"https://[^ ?#]+\.(zip|tar|tar\.gz|tgz)", download.url), name
        assert re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", download.checksum), name
        assert not Path(download.folder).is_absolute(), name
        assert ".." not in Path(download.folder).parts, name
        assert Registry().corpus(name).counts, f"{name} cannot be checked after its download"
    addresses = [download.url for _, download in downloads()]
    assert len(set(addresses)) == len(addresses)
    assert {name for name, _ in downloads()} >= {"ravdess"}
