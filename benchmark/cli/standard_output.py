"""Standard output, which may be full: it says of itself that it cannot be written, and of nothing is told twice."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class StandardOutput:
    """A stream of text whose errors say what cannot be written; a reader who stops reading is none of them.

    Args:
        stream: The stream, which has everything else.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Whatever else the stream has."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text.

        Raises:
            OSError: It cannot be written.
        """
        with self._named():
            return self._stream.write(text)

    def flush(self) -> None:
        """Write what is waiting.

        Raises:
            OSError: It cannot be written.
        """
        with self._named():
            self._stream.flush()

    def writelines(self, lines: list[str]) -> None:
        """Write several texts.

        Raises:
            OSError: One cannot be written.
        """
        for line in lines:
            self.write(line)

    def forget(self) -> None:
        """Let what is still waiting go nowhere, since Python would try, and fail, once more at its end."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            why = error.strerror or str(error)
            raise OSError(error.errno, f"standard output cannot be written: {why} (is there room for it?)") from error


def written_to_its_end() -> str | None:
    """Write what is waiting in standard output; why it cannot be written, None where it is, or where nobody reads."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if isinstance(sys.stdout, StandardOutput):
            sys.stdout.forget()
        return None if error.errno == errno.EPIPE else error.strerror
    return None
