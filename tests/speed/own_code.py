"""What is written by hand beside what a library offers for it: time of the processor, and what the library lets pass.

Each line of JSON is one piece of code: `own` is ours, the other keys are the library's ways. Seconds are of the
processor (all threads), the best of some repeats, so that other work on the machine counts little.

    python tests/speed/own_code.py
    python tests/speed/own_code.py shards adam --repeats 9

shards          benchmark/features/shards.py          safetensors.safe_open, tensor by tensor
video           benchmark/data/video.py               soundfile
precomputed     upstreams/precomputed/files.py        numpy.load, numpy.loadtxt
downloads       benchmark/data/downloads.py           pooch.HTTPDownloader
archives        benchmark/io/archives.py              pooch.Unzip, pooch.Untar
product         benchmark/statistics/scores.py        numpy's product in one piece, numpy.einsum, threadpoolctl
markup          leaderboard/figures/markup.py         matplotlib's metadata and svg.hashsalt
adam            downstreams/training/adam.py          torch.optim.Adam, plain, foreach and fused
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import re
import sys
import tarfile
import tempfile
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from material import tell

LAYERS, DIM = 13, 768  # of a base model: what most heads read of an utterance
UTTERANCES = 1000


def best(repeats: int, **ways: Callable[[], object]) -> dict[str, float]:
    """Seconds of the processor that each way takes, the best of some; ways take turns."""
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(repeats):
        for name, work in ways.items():
            started = time.process_time()
            work()
            seconds[name] = min(seconds[name], time.process_time() - started)
    return seconds


def outcome(work: Callable[[], object]) -> str:
    """What comes of a piece of work: "accepted", or the kind of error."""
    try:
        work()
    except Exception as error:  # what a library raises is what is measured
        return type(error).__name__
    return "accepted"


def shards(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """Opening and reading a shard, the cost of its header, and who notices a flipped byte."""
    from safetensors import safe_open
    from safetensors.numpy import save

    from benchmark.features.shards import discard, open_shard, write_shard

    for count, layers, dim in ((UTTERANCES, LAYERS, DIM), (10_000, 1, 32)):
        rng = np.random.default_rng(0)
        tensors = {f"{index:064x}": rng.random((layers, 1, dim), dtype=np.float32) for index in range(count)}
        shard = write_shard(folder / "shards", tensors, {})
        some = list(tensors)[:: count // 10]

        def ours(keys: list[str] | None, path: Path = shard.path) -> None:
            opened = open_shard(path)
            assert opened is not None
            if keys is not None:
                assert not opened.damaged(keys)
                assert all(opened.tensor(key).dtype == np.float32 for key in keys)

        def theirs(keys: list[str] | None, path: Path = shard.path) -> None:
            with safe_open(path, framework="numpy") as opened:
                names = opened.keys()
                for key in names if keys is None else keys:
                    # The index of the store needs form and type of every tensor.
                    if keys is None:
                        opened.get_slice(key).get_shape()
                    else:
                        opened.get_tensor(key)

        for what, keys in (("open", None), ("read 10", some), ("read all", list(tensors))):
            seconds = best(repeats, own=lambda keys=keys: ours(keys), safe_open=lambda keys=keys: theirs(keys))
            yield {"what": what, "tensors": count, "shape": [layers, 1, dim], **seconds}
        plain = 8 + int.from_bytes(save(tensors)[:8], "little")
        with shard.path.open("rb") as handle:
            header = 8 + int.from_bytes(handle.read(8), "little")
        yield {"what": "header", "tensors": count, "own_bytes": header, "safetensors_bytes": plain}
        content = bytearray(shard.path.read_bytes())
        content[header + 5] ^= 1
        discard(shard.path)
        shard.path.write_bytes(content)
        opened = open_shard(shard.path)
        noticed = opened is None or opened.damaged(tensors)
        read = outcome(lambda keys=list(tensors): theirs(keys))
        yield {"what": "flipped byte", "own": "noticed" if noticed else "accepted", "safe_open": read}
        discard(shard.path)
    shard = write_shard(folder / "shards", {"frames": np.zeros((LAYERS, 1500, DIM), dtype=np.float32)}, {})

    def layer_of_theirs() -> None:
        with safe_open(shard.path, framework="numpy") as opened:
            opened.get_slice("frames")[6:7].sum()

    seconds = best(repeats, own=lambda: np.sum(shard.tensor("frames")[6:7]), safe_open=layer_of_theirs)
    yield {"what": "sum one layer", "shape": [LAYERS, 1500, DIM], **seconds}


def video(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """A minute of 48 kHz stereo as the bytes of a WAV file, and whether a second later they are the same."""
    del folder
    import soundfile

    from benchmark.data.video import _wav

    samples = np.random.default_rng(0).uniform(-1, 1, (48_000 * 60, 2)).astype("<f4")

    def by_soundfile() -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 48_000, format="WAV", subtype="FLOAT")
        return buffer.getvalue()

    ways = {"own": lambda: _wav(samples, 48_000), "soundfile": by_soundfile}
    first = {name: make() for name, make in ways.items()}
    time.sleep(1.1)
    same = {f"{name}_same_bytes": first[name] == make() for name, make in ways.items()}
    yield {**best(repeats, **ways), **same}


def precomputed(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """Reading arrays and tables, and the memory that a header takes which promises far more than follows."""
    from upstreams.precomputed.files import open_arrays

    rng = np.random.default_rng(0)
    means = {f"u{index}": rng.random((LAYERS, 1, DIM), dtype=np.float32) for index in range(UTTERANCES)}
    np.savez(folder / "means.npz", **means)

    def read(path: Path) -> None:
        arrays = open_arrays(path)
        for name in arrays.ids:
            arrays.read(name)

    def load(path: Path) -> None:
        with np.load(path, allow_pickle=False) as found:
            for name in found.files:
                found[name]

    path = folder / "means.npz"
    yield {"what": "npz", "arrays": len(means), **best(repeats, own=lambda: read(path), numpy=lambda: load(path))}
    table = folder / "table.csv"
    with table.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", *(f"f{index}" for index in range(88))])
        writer.writerows([name, *rng.random(88).tolist()] for name in means)

    def loadtxt(path: Path) -> None:
        names = np.loadtxt(path, delimiter=",", comments=None, skiprows=1, usecols=0, dtype=str)
        values = np.loadtxt(path, delimiter=",", comments=None, skiprows=1, usecols=range(1, 89), dtype=np.float32)
        assert len(names) == len(values)

    yield {"what": "csv", "rows": len(means), **best(repeats, own=lambda: read(table), loadtxt=lambda: loadtxt(table))}
    for what, text in (
        ("csv with a row too short", "id,a,b\nu1,1,2\nu2,1\n"),
        ("csv with 1_000 for a number", "id,a\nu1,1_000\n"),
        ("csv with one column name twice", "id,a,a\nu1,1,2\n"),
    ):
        path = folder / "wrong.csv"
        path.write_text(text)
        columns = text.split("\n")[0].count(",")

        def by_loadtxt(path: Path = path, columns: int = columns) -> None:
            np.loadtxt(path, delimiter=",", comments=None, skiprows=1, usecols=0, dtype=str)
            np.loadtxt(path, delimiter=",", comments=None, skiprows=1, usecols=range(1, columns + 1), dtype=np.float32)

        yield {"what": what, "own": outcome(lambda path=path: read(path)), "loadtxt": outcome(by_loadtxt)}
    promise = io.BytesIO()
    np.lib.format.write_array_header_1_0(promise, {"descr": "<f4", "fortran_order": False, "shape": (1 << 28,)})
    with zipfile.ZipFile(folder / "hostile.npz", "w") as archive:
        archive.writestr("u1.npy", promise.getvalue() + bytes(64))
    path, peaks = folder / "hostile.npz", {}
    for name, work in (("own", read), ("numpy", load)):
        tracemalloc.start()
        peaks[name] = outcome(lambda work=work: work(path))
        peaks[f"{name}_bytes"] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    yield {"what": "header of 1 GiB over 64 bytes", **peaks}


class _Breaking(BaseHTTPRequestHandler):
    """Sends a file, or what is missing of it, and breaks off after half of it the first time."""

    content = bytes(10_000_000)
    sent, cut = 0, True

    def do_GET(self) -> None:
        cls, asked = type(self), self.headers["Range"]
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(cls.content) - 1}/{len(cls.content)}")
        self.send_header("Content-Length", str(len(cls.content) - first))
        self.end_headers()
        body = cls.content[first : len(cls.content) // 2 if cls.cut else None]
        cls.cut = False
        cls.sent += len(body)
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def downloads(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """A connection that breaks at half of 10 MB: what the host sends until the file is there, and how many calls."""
    del repeats
    import pooch

    from benchmark.data.downloads import fetch
    from benchmark.types import Download

    pooch.get_logger().setLevel("ERROR")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Breaking)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/corpus.zip"
    checksum = f"sha256:{hashlib.sha256(_Breaking.content).hexdigest()}"
    told: dict[str, Any] = {"bytes": len(_Breaking.content)}
    for name, get in (
        ("own", lambda: fetch(Download(url, checksum), folder / "own", _unseen)),
        ("pooch", lambda: pooch.retrieve(url, checksum, "corpus.zip", folder / "pooch")),
    ):
        _Breaking.sent, _Breaking.cut = 0, True
        outcomes = [outcome(get)]
        while outcomes[-1] != "accepted" and len(outcomes) < 5:
            outcomes.append(outcome(get))
        told |= {f"{name}_sent": _Breaking.sent, f"{name}_calls": outcomes}
    server.shutdown()
    yield told


def _unseen(title: str, total: int | None, done: int) -> nullcontext[Callable[[int], object]]:
    """Progress that nobody sees."""
    del title, total, done
    return nullcontext(lambda count: None)


def archives(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """Traps: refused or unpacked; and the time of a harmless archive of 1000 files of 100 kB."""
    import pooch

    from benchmark.io.archives import unpack

    def zipped(name: str, files: Mapping[str, bytes]) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return folder / name

    def tarred(file: str, **info: object) -> Path:
        member = tarfile.TarInfo("a/one.wav")
        for key, value in info.items():
            setattr(member, key, value)
        with tarfile.open(folder / file, "w:gz") as archive:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
        return folder / file

    traps = {
        "zip out of its folder": zipped("out.zip", {"../evil.wav": b"x"}),
        "zip that expands 1000 times": zipped("bomb.zip", {"zeros.wav": bytes(200 << 20)}),
        "tar out of its folder": tarred("out.tar.gz", name="../evil.wav"),
        "tar with a link inside": tarred("link.tar.gz", type=tarfile.SYMTYPE, linkname="two.wav"),
        "tar with a link outside": tarred("far.tar.gz", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "tar with a device": tarred("pipe.tar.gz", type=tarfile.FIFOTYPE),
        "tar that expands 1000 times": tarred("bomb.tar.gz", size=200 << 20),
    }

    def by_pooch(archive: Path) -> None:
        target = folder / f"pooch-{archive.name}"
        processor = pooch.Unzip if archive.suffix == ".zip" else pooch.Untar
        processor(extract_dir=str(target))(str(archive), "download", None)

    pooch.get_logger().setLevel("ERROR")
    for what, archive in traps.items():
        own = outcome(lambda archive=archive: unpack(archive, folder / f"own-{archive.name}", _unseen))
        yield {"what": what, "own": own, "pooch": outcome(lambda archive=archive: by_pooch(archive))}
    noise = np.random.default_rng(0).bytes(100_000)
    harmless = zipped("harmless.zip", {f"wav/{index}.wav": noise for index in range(1000)})
    turn = iter(range(10**6))
    seconds = best(
        repeats,
        own=lambda: unpack(harmless, folder / f"own-{next(turn)}", _unseen),
        pooch=lambda: pooch.Unzip(extract_dir=str(folder / f"pooch-{next(turn)}"))(str(harmless), "download", None),
    )
    yield {"what": "harmless", **seconds}


def product(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """The product that weights speakers, on the sizes of tests/speed/board.py, of more classes, of more speakers."""
    del folder
    from threadpoolctl import ThreadpoolController

    from benchmark.statistics import scores

    controller = ThreadpoolController()

    def alone(matrix: np.ndarray, weights: np.ndarray) -> np.ndarray:
        with controller.limit(limits=1):
            return matrix @ weights

    for rows, speakers, cases in ((80, 24, 24), (80, 24, 1250), (320, 24, 312), (80, 240, 416), (16, 1000, 100)):
        rng = np.random.default_rng(0)
        matrix, weights = rng.random((rows, speakers)), rng.random((speakers, cases))
        ways: dict[str, Callable[[], object]] = {
            "own": lambda a=matrix, b=weights: scores._product(a, b),
            "matmul": lambda a=matrix, b=weights: a @ b,
            "einsum": lambda a=matrix, b=weights: np.einsum("ms,sb->mb", a, b),
            "one_thread": lambda a=matrix, b=weights: alone(a, b),
        }
        ways = {name: lambda work=work: [work() for _ in range(20)] for name, work in ways.items()}
        wall = dict.fromkeys(ways, float("inf"))
        for _ in range(repeats):
            for name, work in ways.items():
                started = time.perf_counter()
                work()
                wall[name] = min(wall[name], time.perf_counter() - started)
        told = {f"{name}_wall": seconds for name, seconds in wall.items()}
        yield {"shape": [rows, speakers, cases], "times": 20, **best(repeats, **ways), **told}


def markup(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """One figure as matplotlib writes it, with all its options against what changes, and as the page gets it."""
    del folder
    from leaderboard.figures import canvas

    @canvas.drawn
    def draw(colour: str) -> Any:
        figure = canvas.blank(2.0, "A title", "A note")
        axes = figure.subplots()
        axes.barh(range(30), np.arange(30) / 30, color=colour, gid=canvas.tip("48.2 of 100"))
        canvas.name_rows(axes, [f"system-{index}" for index in range(30)])
        return figure

    def plain(figure: Any) -> str:
        buffer = io.StringIO()
        with canvas.style():
            figure.savefig(buffer, format="svg", metadata=dict.fromkeys(["Date", "Creator", "Format", "Type"]))
        return buffer.getvalue()

    figures = [draw(canvas.BLUE), draw(canvas.GREEN)]
    for name, make in (("own", canvas.svg), ("matplotlib", plain)):
        one, other = (make(figure) for figure in figures)
        ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (one, other)]
        yield {
            "what": name,
            "bytes": len(one.encode()),
            "same_bytes_again": make(figures[0]) == one,
            "ids_that_two_figures_share": len(ids[0] & ids[1]),
            "style_attributes": one.count(' style="'),
            "style_sheets": one.count("<style"),
            "titles": one.count("<title"),
            "page_colours": one.count("currentColor"),
            **{"seconds": best(repeats, work=lambda make=make: make(figures[0]))["work"]},
        }


def adam(folder: Path, repeats: int) -> Iterator[dict[str, Any]]:
    """A hundred steps of five members of SUPERB's head, each with its learning rate."""
    del folder
    import torch

    from downstreams.heads.superb import initial_parameters
    from downstreams.training.adam import StackedAdam
    from downstreams.training.initial import generator_of

    torch.set_num_threads(1)
    rates, steps = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1], 100
    start = initial_parameters(LAYERS, DIM, 256, 4, generator_of(0))
    gradients = [torch.randn_like(tensor, generator=None) for tensor in start]
    stacked = StackedAdam(start, rates)

    def own() -> None:
        for _ in range(steps):
            for row in range(len(rates)):
                for view, gradient in zip(stacked.gradient, gradients, strict=True):
                    view.copy_(gradient)
                stacked.step(row)

    def library(flat: bool = False, **options: bool) -> Callable[[], None]:
        """torch.optim.Adam, one for each member."""
        members = []
        for rate in rates:
            tensors = [torch.cat([tensor.flatten() for tensor in start])] if flat else [one.clone() for one in start]
            for tensor in tensors:
                tensor.grad = torch.zeros_like(tensor)
            members.append((tensors, torch.optim.Adam(tensors, lr=rate, **options)))

        def work() -> None:
            for _ in range(steps):
                for tensors, optimizer in members:
                    begin = 0
                    for number, gradient in enumerate(gradients):
                        if flat:
                            size = gradient.numel()
                            tensors[0].grad[begin : begin + size].copy_(gradient.flatten())
                            begin += size
                        else:
                            tensors[number].grad.copy_(gradient)
                    optimizer.step()

        return work

    ways = {
        "own": own,
        "plain": library(foreach=False, fused=False),
        "foreach": library(foreach=True),
        "fused": library(fused=True),
        "fused_flat": library(flat=True, fused=True),
    }
    weights = sum(tensor.numel() for tensor in start)
    yield {"members": len(rates), "weights": weights, "steps": steps, **best(repeats, **ways)}


PIECES = {work.__name__: work for work in (shards, video, precomputed, downloads, archives, product, markup, adam)}


def main() -> None:
    """Measure what is asked for, in a folder that is removed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="*", metavar="PIECE", help=f"of {', '.join(PIECES)}; all where none is named")
    parser.add_argument("--repeats", type=int, default=5, help="the best of so many counts")
    given = parser.parse_args()
    unknown = set(given.pieces) - set(PIECES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(PIECES)}")
    for name in given.pieces or PIECES:
        with tempfile.TemporaryDirectory() as folder:
            for figures in PIECES[name](Path(folder), given.repeats):
                tell(piece=name, **figures)
                sys.stdout.flush()


if __name__ == "__main__":
    main()
