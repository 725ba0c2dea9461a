"""What the contracts share: a check, and how a broken promise is told."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.io.files import canonical_json

# What a wrong input makes Python and numpy code raise; the warnings are for those who turn them into errors.
_FAILURES = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError, Warning)
# An absolute path at the start of a word: /a, ~/a, C:\a; not the two slashes of a URL.
_ABSOLUTE_PATH = re.compile(r"""(?:^|[\s:=,;"'(])(?:/(?!/)|~/|[A-Za-z]:[\\/](?!/))[^\s/]""")

T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """One promise.

    Attributes:
        name: The promise in a few words.
        promise: Returns when it is kept and raises a BenchError when it is broken.
    """

    name: str
    promise: Callable[[], None]

    def run(self) -> None:
        """Check that the promise is kept.

        Raises:
            BenchError: The promise is broken, or the subject fails in a way that the check did not foresee.
        """
        attempt(self.promise)


def attempt(action: Callable[[], T], what: str = "") -> T:
    """Run code of the subject; where it fails, say what it was doing.

    Raises:
        BenchError: It fails. A BenchError of its own keeps its class and hint.
    """
    try:
        return action()
    except BenchError as error:
        if not what:
            raise
        raise type(error)(f"{what}: {error.message}", error.hint) from error
    except _FAILURES as error:
        message = f"{what or 'it'} raises {type(error).__name__}: {error}"
        raise BenchError(message, "--debug shows where") from error


def mistake_of(error: BenchError) -> tuple[str, ...]:
    """What makes a check fail, alike for all checks that fail by one mistake of the subject.

    It is what was raised first, without the numbers in its words, which are those of the check, and where in the
    subject's own code, not that of a library which it calls.
    """
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    words, place = first.message if isinstance(first, BenchError) else str(first), ""
    if not isinstance(first, BenchError):
        own = [frame for frame in traceback.extract_tb(first.__traceback__) if "site-packages" not in frame.filename]
        place = f"{own[-1].filename}:{own[-1].lineno}" if own else ""
    return type(first).__name__, re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "#", words), place


def require(kept: bool, message: str, hint: str) -> None:
    """Raise a BenchError unless the promise is kept."""
    if not kept:
        raise BenchError(message, hint)


def require_plain(identity: Any, what: str) -> bytes:
    """Encode a value as canonical JSON.

    Raises:
        BenchError: It is no plain JSON value, or holds an absolute path.
    """
    try:
        content = canonical_json(identity)
    except (TypeError, ValueError) as error:
        raise BenchError(f"{what} is no plain JSON value: {error}", "use strings, numbers, lists and dicts") from error
    for text in _strings(json.loads(content)):
        require(
            _ABSOLUTE_PATH.search(text) is None,
            f"{what} holds an absolute path, {text!r}",
            "results must be the same wherever the files lie: use a name or a digest",
        )
    return content


def difference(first: NDArray[Any], second: NDArray[Any], axis: str) -> str:
    """Say how two arrays differ: in shape, or by how much and where on the first axis, which is called `axis`."""
    if first.shape != second.shape:
        return f"their shapes are {first.shape} and {second.shape}"
    gap = np.abs(first.astype(np.float64) - second.astype(np.float64)).reshape(len(first), -1).max(axis=1)
    index = int(np.argmax(np.nan_to_num(gap, nan=np.inf)))
    return f"they differ by up to {gap[index]:.3g}, most in {axis} {index}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *_strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
