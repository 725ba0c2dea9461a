"""Files with one array for each utterance id: npz, safetensors, csv, and folders of npy.

What is read is data and nothing else: no pickle is ever loaded, and an array whose header promises other than what
follows is an error before memory is taken for it.

numpy's own `load` takes the whole 1 GiB that a hostile header promises, where this takes 22 kB, and is no faster; its
`loadtxt` is (0.03 s instead of 0.07 s for 1000 rows of 88 values), but it takes a table in which two columns have one
name, and tells of one wrong row at a time (`tests/speed/own_code.py precomputed`).
"""

from __future__ import annotations

import csv
import math
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
from benchmark.text import clean, some

FRAME_RATE = "frame_rate"
LISTED = 5  # names that an error gives
HOW_TO_GIVE = "PATH is a file NAME.npz, NAME.safetensors or NAME.csv, or a folder with one ID.npy for each utterance"
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
        members = [info for info in self._zip.infolist() if not info.is_dir()]
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
            return _npy_header(handle)[0]

    def read(self, name: str) -> NDArray[Any]:
        with self._zip.open(self._members[name]) as handle:
            return _read_npy(handle)


class _Folder(ArrayFile):
    """One ID.npy for each utterance; an id with slashes lies in folders."""

    def __init__(self, path: Path) -> None:
        self._files = {file.relative_to(path).as_posix().removesuffix(".npy"): file for file in files_of(path)}
        self.ids = [name for name in self._files if name != FRAME_RATE]
        if FRAME_RATE in self._files:
            self.frame_rate = _frame_rate(self.read(FRAME_RATE))

    def shape(self, name: str) -> tuple[int, ...]:
        with self._files[name].open("rb") as handle:
            return _npy_header(handle)[0]

    def read(self, name: str) -> NDArray[Any]:
        with self._files[name].open("rb") as handle:
            return _read_npy(handle)


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


def _npy_header(handle: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran's order, and type of a .npy of format 1.0, whose header has 64 KiB at most."""
    version = np.lib.format.read_magic(handle)
    if version != (1, 0):
        raise ValueError(f"it is .npy of version {version[0]}.{version[1]}, not 1.0")
    return np.lib.format.read_array_header_1_0(handle)


def _read_npy(handle: IO[bytes]) -> NDArray[Any]:
    """Read a .npy; numpy's own reader would take the memory that a header promises before it looks for the data."""
    shape, fortran, dtype = _npy_header(handle)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    content = handle.read()
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"{len(content)} bytes follow a header of {dtype} of shape {shape}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


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
    return tuple(sorted(file for file in path.rglob("*.npy") if file.is_file())) if path.is_dir() else (path,)


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
        if path.is_dir():
            arrays: ArrayFile = _Folder(path)
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
