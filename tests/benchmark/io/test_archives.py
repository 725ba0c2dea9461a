"""Unpacking: the right files, and nothing outside of the folder, no links, no traps."""

from __future__ import annotations

import io
import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from archives_factory import FILES, found, quiet, tarred, zipped
from hypothesis import given
from hypothesis import strategies as st

import benchmark.io.archives
from benchmark.errors import BenchError
from benchmark.io.archives import unpack


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_zip_is_unpacked(tmp_path: Path, compression: int) -> None:
    unpack(zipped(tmp_path / "a.zip", compression=compression), tmp_path / "out", quiet)
    assert found(tmp_path / "out") == FILES


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_unpacked(tmp_path: Path, mode: str) -> None:
    unpack(tarred(tmp_path / "a.tar", mode=mode), tmp_path / "out", quiet)
    assert found(tmp_path / "out") == FILES


def test_progress_tells_of_every_byte(tmp_path: Path) -> None:
    told: list[object] = []

    def meter(title: str, total: int | None, done: int) -> nullcontext[Callable[[int], object]]:
        told.append((title, total, done))
        return nullcontext(told.append)

    unpack(zipped(tmp_path / "a.zip"), tmp_path / "out", meter)
    assert told[0] == ("unpack a.zip", 401, 0)
    assert sum(told[1:]) == 401  # type: ignore[arg-type]


def test_folders_and_dots_and_backslashes_are_folders(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("empty") if hasattr(archive, "mkdir") else archive.writestr("empty/", b"")
        archive.writestr("./wav//a.wav", b"1")
        archive.writestr("wav\\b.wav", b"2")
    unpack(path, tmp_path / "out", quiet)
    assert found(tmp_path / "out") == {"wav/a.wav": b"1", "wav/b.wav": b"2"}
    assert (tmp_path / "out/empty").is_dir()


@pytest.mark.parametrize(
    "name", ["../out.wav", "a/../../out.wav", "/tmp/out.wav", "..\\out.wav", "\\out.wav", "C:\\out.wav", "c:out.wav"]
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_no_member_leaves_the_folder(tmp_path: Path, name: str, make: Callable[..., Path]) -> None:
    archive = make(tmp_path / "archive", {"good.wav": b"1", name: b"2"})
    with pytest.raises(BenchError, match=r"archive would write outside of its folder: '") as caught:
        unpack(archive, tmp_path / "deep/er/out", quiet)
    assert repr(name) in caught.value.message
    assert found(tmp_path) == {"archive": archive.read_bytes()}  # not even the good one


@given(
    name=st.lists(st.sampled_from(["..", ".", "", "a", "b", "C:", "\\", "...", "~"]), min_size=1)
    .map("/".join)
    .filter(bool)
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_whatever_the_name_only_the_folder_changes(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[..., Path]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    archive = make(folder / "archive", {name: b"1"})
    outside = found(folder)
    out = folder / "one/two/three"
    try:
        unpack(archive, out, quiet)
    except BenchError:
        assert found(folder) == outside
    else:
        assert {name: content for name, content in found(folder).items() if not name.startswith("one/two/three/")} == (
            outside
        )


def test_a_zip_may_not_hold_a_link(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
        archive.writestr("link/passwd", b"x")
    with pytest.raises(BenchError, match="holds a link or a device: 'link'"):
        unpack(path, tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_tar_may_not_hold_a_link_or_a_device(tmp_path: Path, kind: bytes) -> None:
    path = tarred(tmp_path / "a.tar.gz", {"odd": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(BenchError, match="holds a link or a device: 'odd'"):
        unpack(path, tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()


def test_modes_are_not_kept(tmp_path: Path) -> None:
    unpack(tarred(tmp_path / "a.tar", {"run": b"#!"}, mode="w", type=tarfile.REGTYPE), tmp_path / "plain", quiet)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        member = tarfile.TarInfo("run")
        member.mode = 0o6777
        archive.addfile(member, io.BytesIO())
    unpack(tmp_path / "b.tar", tmp_path / "out", quiet)
    modes = [stat.S_IMODE((tmp_path / folder / "run").stat().st_mode) for folder in ("plain", "out")]
    assert modes[0] == modes[1]
    assert not modes[1] & 0o6111


@pytest.mark.parametrize("make", [zipped, tarred])
def test_what_expands_absurdly_is_refused_before_it_does(tmp_path: Path, make: Callable[..., Path]) -> None:
    archive = make(tmp_path / "bomb", {"zeros.wav": bytes(20_000_000)})
    assert archive.stat().st_size < 50_000
    with pytest.raises(BenchError, match=r"bomb expands absurdly: from \d+ bytes to more than \d+"):
        unpack(archive, tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark.io.archives, "MOST_MEMBERS", 2)
    with pytest.raises(BenchError, match="expands absurdly"):
        unpack(zipped(tmp_path / "a.zip"), tmp_path / "out", quiet)


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 400})
    monkeypatch.setattr(benchmark.io.archives.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(BenchError, match=r"a\.zip needs 401 bytes unpacked and there are 400 \(free some space\)"):
        unpack(zipped(tmp_path / "a.zip"), tmp_path / "out", quiet)
    assert found(tmp_path / "out") == {}


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as opened:
        for content in (b"1", b"2"):
            member = tarfile.TarInfo("a.wav")
            member.size = 1
            opened.addfile(member, io.BytesIO(content))
    with pytest.raises(BenchError, match=r"holds 'a\.wav' twice, or it is there already"):
        unpack(archive, tmp_path / "out", quiet)


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be unpacked into"):
        unpack(zipped(tmp_path / "a.zip", {"a": b"1", "a/b": b"2"}), tmp_path / "out", quiet)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.wav": b"1"})
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 8  # the flags in the central directory
    content[at : at + 2] = struct.pack("<H", 1)
    path.write_bytes(content)
    with pytest.raises(BenchError, match=r"a\.zip is encrypted: 'a\.wav'"):
        unpack(path, tmp_path / "out", quiet)


def test_a_flipped_byte_in_a_zip_is_noticed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.wav": b"a" * 1000}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"aaaa", b"aaba", 1))
    with pytest.raises(BenchError, match=r"a\.zip is damaged: Bad CRC-32"):
        unpack(path, tmp_path / "out", quiet)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_tar_that_was_cut_off_is_noticed(tmp_path: Path, mode: str, kept: float) -> None:
    noise = random.Random(0).randbytes(50_000)
    path = tarred(tmp_path / "a.tar", {f"{number}.wav": noise for number in range(3)}, mode=mode)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(BenchError, match=r"a\.tar (is damaged|cannot be unpacked|is neither)"):
        unpack(path, tmp_path / "out", quiet)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.zip"
    path.write_text("<html>log in first</html>")
    with pytest.raises(BenchError, match=r"page\.zip is neither a zip nor a tar archive"):
        unpack(path, tmp_path / "out", quiet)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        archive.addfile(tarfile.TarInfo("Colère.wav"), io.BytesIO())
    with pytest.raises(BenchError, match="has a name that is no text"):
        unpack(path, tmp_path / "out", quiet)


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"deep.txt": b"deep"}).read_bytes()
    unpack(tarred(tmp_path / "a.tar", {"one.txt": b"1", "inner.zip": inner}, mode="w"), tmp_path / "out", quiet)
    assert found(tmp_path / "out") == {"one.txt": b"1", "inner.zip": inner}


def test_a_folder_of_a_windows_zip_is_a_folder(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("folder/")
    info.filename = "folder\\"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"")
        archive.writestr("folder/x.txt", b"x")
    unpack(tmp_path / "a.zip", tmp_path / "out", quiet)
    assert found(tmp_path / "out") == {"folder/x.txt": b"x"}


def test_a_drive_anywhere_in_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="would write outside of its folder"):
        unpack(zipped(tmp_path / "a.zip", {"./C:/evil.txt": b""}), tmp_path / "out", quiet)
