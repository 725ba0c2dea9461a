"""Reading JSON that anybody may have written, in bounded time and memory.

What a file may hold is counted in its bytes before anything is made of them; a parsed value takes some hundred bytes at
most for each, so that the largest file that is read takes a few hundred megabytes.
"""

from __future__ import annotations

import json
import math
import re
import stat
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError

MAX_BYTES = 32_000_000
MAX_VALUES = 2_000_000
MAX_CONTAINERS = 500_000
MAX_DEPTH = 16
MAX_DIGITS = 20  # of a whole number: 64 bits have 20 at most
MAX_FLOAT_CHARACTERS = 400  # of a number with a point or an exponent
# A string, or the rest where it does not end: no text makes it look at a character twice.
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
# Beside strings: digits, signs and brackets, each kind alike; of what may be a number that is refused these are there.
# Files without any are read several times faster, for no number needs to be looked at: all are finite.
ALIKE = bytes.maketrans(b"123456789+E{}", b"000000000-e[]")
DOUBTFUL = (b"0" * (MAX_DIGITS + 1), b"e000", b"e-000")
NO_BRACKET = bytes(set(range(256)) - set(b"[]"))


def read_bounded(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        BenchError: It cannot be read, is no plain file, too large, no JSON in UTF-8, or holds what no honest file does:
            a key twice in one object, NaN, infinity, a number too long to be one, objects nested too deeply. The
            message does not name the file.
    """
    try:
        # A pipe or a device would never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BenchError("it is no plain file", "give a file")
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise BenchError(
            f"it cannot be read: {error.strerror or error}", "does it exist, and who may read it?"
        ) from None
    except ValueError as error:  # a null byte in its name
        raise BenchError(f"it cannot be read: {error}", "give the name of a file") from None
    return parse(content)


def parse(content: bytes) -> Any:
    """Parse JSON.

    Lone surrogates pass, as in the names of files that are not in the file system's encoding.

    Raises:
        BenchError: As `read_bounded`.
    """
    _check_size(content)
    bare = STRING.sub(b"", content).translate(ALIKE)
    careful: dict[str, Any] = {}
    if any(doubtful in bare for doubtful in DOUBTFUL):
        careful = {"parse_int": _whole, "parse_float": _finite}
    try:
        text = content.decode("utf-8", "surrogatepass")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, **careful)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else f"it is no JSON: {error}"
        raise BenchError(reason, "remove it and run again; a published one is written by bench publish") from None
    _check_depth(bare.translate(None, NO_BRACKET))
    return value


def _check_size(content: bytes) -> None:
    for what, number, most in (
        ("bytes", len(content), MAX_BYTES),
        ("values", content.count(b",") + content.count(b":"), MAX_VALUES),
        ("lists and objects", content.count(b"[") + content.count(b"{"), MAX_CONTAINERS),
    ):
        if number > most:
            raise BenchError(f"it is too large: more than {most} {what}", "results of one cell are far smaller")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the key {name[:80]!r} is there twice")
            seen.add(name)
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    if len(text) > MAX_FLOAT_CHARACTERS or not math.isfinite(value := float(text)):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _check_depth(brackets: bytes) -> None:
    """Refuse valid JSON nested too deeply: of its brackets the innermost pairs are taken away, level by level."""
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise BenchError(
            f"it is nested more than {MAX_DEPTH} deep",
            "remove it and run again; a published one is written by bench publish",
        )
