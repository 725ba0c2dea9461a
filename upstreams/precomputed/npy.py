"""Arrays as numpy saves them, read within what their headers promise: nothing is unpickled, nothing is endless."""

from __future__ import annotations

import math
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 4 << 30  # of one array: 25 layers of 1024 dimensions over 13 minutes


def npy_header(handle: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran's order, and type of a .npy of format 1.0, whose header has 64 KiB at most."""
    version = np.lib.format.read_magic(handle)
    if version != (1, 0):
        raise ValueError(f"it is .npy of version {version[0]}.{version[1]}, not 1.0")
    return np.lib.format.read_array_header_1_0(handle)


def read_npy(handle: IO[bytes], size: int) -> NDArray[Any]:
    """Read a .npy; numpy's own reader would take the memory that a header promises before it looks for the data.

    Args:
        handle: The file.
        size: How long it is, as the archive or the file system says [bytes].
    """
    shape, fortran, dtype = npy_header(handle)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    promised = check_size(shape, dtype, size - handle.tell(), MOST_BYTES)
    content = handle.read(promised + 1)  # an archive may hold more than it says
    if promised != len(content):
        raise ValueError(f"other than {promised} bytes follow a header of {dtype} of shape {shape}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any], there: int, most: int) -> int:
    """The bytes that a header promises, once they are there and not absurdly many."""
    promised = math.prod(shape) * dtype.itemsize
    if promised != there:
        raise ValueError(f"{there} bytes follow a header of {dtype} of shape {shape}")
    if promised > most:
        raise ValueError(f"its header of {dtype} of shape {shape} promises {promised} bytes, more than {most}")
    return promised
