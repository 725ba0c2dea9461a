"""Files with one array for each utterance id: npz, safetensors, csv, folders of npy, and npy with lengths beside it.

What is read is data and nothing else: no pickle is ever loaded, and an array whose header promises other than what
follows is an error before memory is taken for it.

numpy's own `load` takes the whole 1 GiB that a hostile header promises, where this takes 22 kB, and is no faster; its
`loadtxt` is (0.03 s instead of 0.07 s for 1000 rows of 88 values), but it takes a table in which two columns have one
name, and tells of one wrong row at a time (`tests/speed/own_code.py precomputed`).
"""

from __future__ import annotations

import csv
import math
import tokenize
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import JUNK_FOLDER, files_below, pointed_at
from benchmark.text import clean, some
from upstreams.precomputed.npy import MOST_BYTES, check_size, npy_header, read_npy

FRAME_RATE = "frame_rate"
LISTED = 5  # names that an error gives
HOW_TO_GIVE = (
    "PATH is a file NAME.npz, NAME.safetensors or NAME.csv, a folder with one ID.npy for each utterance, or NAME.npy "
    "with NAME.lengths and NAME.ids (or NAME.emo) beside it"
)
HOW_TO_FORM = (
    "each utterance has one array of floating-point numbers under its id: (dimension), (frames, dimension) or "
    "(layers, frames, dimension), in one form throughout; in a csv one row under a header: id, then its vector"
)
# What a damaged or hostile file makes csv, zipfile and numpy raise.
UNREADABLE = (
    EOFError,
    MemoryError,
    NotImplementedError,  # a kind of compression that is not known
    OSError,
    RecursionError,
    RuntimeError,  # an encrypted member
    SyntaxError,
    TypeError,
    ValueError,
    csv.Error,
    tokenize.TokenError,  # of a header that is no Python
    zipfile.BadZipFile,
    zlib.error,
)


class ArrayFile(ABC):
    """Arrays by utterance id, in a file or folder. Opening and reading raise what `UNREADABLE` lists.

    Attributes:
        ids: In the order of the file, each as often as it is there.
        frame_rate: Frames a second [Hz]; None where it is not given.
    """

    ids: list[str]
    frame_rate: float | None = None

    @abstractmethod
    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an array, read from its header."""

    @abstractmethod
    def read(self, name: str) -> NDArray[Any]:
        """An array as it is stored, whatever its type and shape."""


class _Archive(ArrayFile):
    """One .npy for each utterance in a zip, as `numpy.savez` writes it."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        # Archives that were made on a Mac have twins of their files in a folder of their own.
        inside = [info for info in self._zip.infolist() if info.filename.partition("/")[0] != JUNK_FOLDER]
        members = [info for info in inside if not info.is_dir()]
        others = [info.filename for info in members if not info.filename.endswith(".npy")]
        if others:
            raise ValueError(f"it holds what is no array: {named(others)}")
        self._members = {info.filename.removesuffix(".npy"): info for info in members}
        self.ids = [info.filename.removesuffix(".npy") for info in members]
        if FRAME_RATE in self._members:
            self.frame_rate = _frame_rate(self.read(FRAME_RATE))
            self.ids.remove(FRAME_RATE)

    def shape(self, name: str) -> tuple[int, ...]:
        with self._zip.open(self._members[name]) as handle:
            return npy_header(handle)[0]

    def read(self, name: str) -> NDArray[Any]:
        with self._zip.open(self._members[name]) as handle:
            return read_npy(handle, self._members[name].file_size)


class _Folder(ArrayFile):
    """One ID.npy for each utterance; an id with slashes lies in folders."""

    def __init__(self, path: Path) -> None:
        self._files = {file.relative_to(path).as_posix().removesuffix(".npy"): file for file in files_of(path)}
        self.ids = [name for name in self._files if name != FRAME_RATE]
        if FRAME_RATE in self._files:
            self.frame_rate = _frame_rate(self.read(FRAME_RATE))

    def shape(self, name: str) -> tuple[int, ...]:
        with self._opened(name) as handle:
            return npy_header(handle)[0]

    def read(self, name: str) -> NDArray[Any]:
        with self._opened(name) as handle:
            return read_npy(handle, self._files[name].stat().st_size)

    def _opened(self, name: str) -> IO[bytes]:
        if (pointer := pointed_at(self._files[name])) is not None:
            raise ValueError(f"it {pointer}")
        return self._files[name].open("rb")


class _Joined(ArrayFile):
    """The frames of all utterances one after another in NAME.npy, as emotion2vec's recipes write them.

    NAME.lengths has the number of frames of each utterance, one on a line; NAME.ids begins each line with an id, as
    does NAME.emo, where a label follows; NAME.frame_rate has the rate. The array is mapped, and read by utterance.
    """

    def __init__(self, path: Path) -> None:
        lengths = _words(_beside(path, ".lengths"))
        self.ids = _words(_beside(path, ".ids", ".emo"))
        if len(lengths) != len(self.ids):
            raise ValueError(f"{len(lengths)} lengths and {len(self.ids)} ids are beside it")
        wrong = [text for text in lengths if not (text.isascii() and text.isdigit())]
        if wrong:
            raise ValueError(f"lengths are whole numbers, not {named(wrong)}")
        with path.open("rb") as handle:
            shape, _, dtype = npy_header(handle)
            if dtype.hasobject:
                raise ValueError("it holds Python objects, which are never loaded")
            check_size(shape, dtype, path.stat().st_size - handle.tell(), MOST_BYTES << 10)
        numbers = [int(text) for text in lengths]
        if len(shape) != 2 or sum(numbers) != shape[0]:
            raise ValueError(f"it is of shape {shape}, and its lengths are {sum(numbers)} frames in all")
        self._frames = np.load(path, mmap_mode="r", allow_pickle=False)
        ends = np.cumsum(numbers, dtype=np.int64)
        self._stretches = {
            name: slice(int(end) - number, int(end)) for name, number, end in zip(self.ids, numbers, ends, strict=True)
        }
        rate = path.with_suffix(f".{FRAME_RATE}")
        if rate.is_file():
            self.frame_rate = _frame_rate(rate.read_text(encoding="utf-8").strip())

    def shape(self, name: str) -> tuple[int, ...]:
        stretch = self._stretches[name]
        return (stretch.stop - stretch.start, *self._frames.shape[1:])

    def read(self, name: str) -> NDArray[Any]:
        return np.asarray(self._frames[self._stretches[name]])


def _beside(path: Path, *suffixes: str) -> Path:
    found = next((path.with_suffix(suffix) for suffix in suffixes if path.with_suffix(suffix).is_file()), None)
    if found is None:
        raise ValueError(f"there is no {' or '.join(path.with_suffix(suffix).name for suffix in suffixes)} beside it")
    return found


def _words(path: Path) -> list[str]:
    """The first word of each line that has any."""
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


class _Tensors(ArrayFile):
    """One tensor for each utterance in safetensors; the library bounds and checks the header."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = _opened(path, "numpy")
        self.ids = list(self._open.keys())
        rate = (self._open.metadata() or {}).get(FRAME_RATE)
        self.frame_rate = None if rate is None else _frame_rate(rate)

    @cached_property
    def _torch(self) -> Any:
        """The same file for bfloat16, which numpy does not know."""
        return _opened(self._path, "pt")

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._open.get_slice(name).get_shape())

    def read(self, name: str) -> NDArray[Any]:
        kind = self._open.get_slice(name).get_dtype()
        if kind == "BF16":
            return np.asarray(self._torch.get_tensor(name).float().numpy())
        if kind not in ("F16", "F32", "F64"):
            raise TypeError(f"its numbers are of type {kind}")
        return np.asarray(self._open.get_tensor(name))


def _opened(path: Path, framework: str) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(path, framework=framework)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


class _Csv(ArrayFile):
    """One row for each utterance: its id, then the numbers of its vector. Read once, all of it."""

    def __init__(self, path: Path) -> None:
        self.ids = []
        self._rows: dict[str, NDArray[np.float32]] = {}
        wrong = []
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.reader(handle, strict=True)
            columns = next(reader, [])
            _check_header(columns)
            for row in reader:
                if not row:  # an empty line is no row
                    continue
                try:
                    self._rows[row[0]] = _numbers(row, columns)
                except ValueError as error:
                    wrong.append(f"{error} in line {reader.line_num}")
                self.ids.append(row[0])
        if wrong:
            raise ValueError(named(wrong))

    def shape(self, name: str) -> tuple[int, ...]:
        return self._rows[name].shape

    def read(self, name: str) -> NDArray[Any]:
        return self._rows[name]


def _check_header(columns: Sequence[str]) -> None:
    if columns[:1] != ["id"] or len(columns) < 2:
        found = f"{named(columns):.80}" if columns else "nothing"
        raise ValueError(
            f"the first line names the columns, id and one for each value with commas between, not {found}"
        )
    twice = [name for name, times in Counter(columns).items() if times > 1]
    if twice:
        raise ValueError(f"several columns have one name: {named(twice)}")


def _numbers(row: Sequence[str], columns: Sequence[str]) -> NDArray[np.float32]:
    """The vector of a row; what is too large for float32 becomes infinite.

    Raises:
        ValueError: It has too few or too many fields, or one is no number.
    """
    if len(row) != len(columns):
        raise ValueError(f"{len(row)} fields instead of {len(columns)}")
    for column, cell in zip(columns, row, strict=True):
        if column != "id" and not _is_number(cell):
            raise ValueError(f"no number {cell!r:.80} for {column!r:.80}")
    with np.errstate(over="ignore"):
        return np.array([float(cell) for cell in row[1:]], dtype=np.float32)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # which Python takes in numbers, and nobody else


def _frame_rate(value: Any) -> float:
    """A frame rate [Hz] as an npz or safetensors gives it.

    Raises:
        ValueError: It is no positive number.
    """
    try:
        rate = float(value.item() if isinstance(value, np.ndarray) else value)
    except (TypeError, ValueError):
        rate = math.nan
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"{FRAME_RATE} is {value!r:.80}, not a positive number of frames a second")
    return rate


def named(names: Sequence[str]) -> str:
    """The first few names; one that is not visible as it is, in quotes."""
    return some([name if name == clean(name) != "" else repr(name) for name in names], LISTED)


def reason(error: BaseException) -> str:
    """What an error says, on one line of bounded length."""
    return clean(str(error))[:300] or type(error).__name__


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that hold the arrays: the file itself, or all .npy of a folder, sorted."""
    if path.is_dir():
        return tuple(sorted(file for file in files_below(path) if file.suffix == ".npy"))
    beside = (path.with_suffix(suffix) for suffix in (".lengths", ".ids", ".emo", f".{FRAME_RATE}"))
    return (path, *(file for file in beside if path.suffix.lower() == ".npy" and file.is_file()))


def open_arrays(path: Path) -> ArrayFile:
    """Open a file or folder.

    Raises:
        MissingError: There is none.
        UsageError: It is in no format that is read.
        BenchError: It is broken, holds something else, or nothing.
    """
    label = path.resolve().name
    if not path.exists():
        raise MissingError(f"there are no features at {str(path)!r}", HOW_TO_GIVE)
    try:
        pointer = None if path.is_dir() else pointed_at(path)
        if pointer is not None:
            raise BenchError(f"{label!r} {pointer}")
        if path.is_dir():
            arrays: ArrayFile = _Folder(path)
        elif path.suffix.lower() == ".npy":
            arrays = _Joined(path)
        elif path.suffix.lower() == ".npz":
            arrays = _Archive(path)
        elif path.suffix.lower() == ".safetensors":
            arrays = _Tensors(path)
        elif path.suffix.lower() == ".csv":
            arrays = _Csv(path)
        else:
            raise UsageError(f"{label!r} is in no format that is read", HOW_TO_GIVE)
    except UNREADABLE as error:
        raise BenchError(f"{label!r} cannot be read: {reason(error)}", HOW_TO_FORM) from error
    if not arrays.ids:
        raise BenchError(f"{label!r} holds no features", HOW_TO_GIVE)
    return arrays
