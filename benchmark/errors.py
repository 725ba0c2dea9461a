"""The errors a user can cause, each with what to do next and the exit code of the command line."""

from __future__ import annotations


class BenchError(Exception):
    """A run failed or a check differs; the command line prints it as one line and exits with 1.

    Attributes:
        message: What is wrong, with the offending value quoted and what was expected.
        hint: What to do next; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message and the hint on one line."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(BenchError):
    """The request cannot be understood: an unknown name, a misspelt key, a bad value. Exit code 2."""

    exit_code = 2


class MissingError(BenchError):
    """Something the request needs is not here: data, weights, an optional package. Exit code 3."""

    exit_code = 3


class EncodingError(BenchError):
    """An upstream fails on an utterance; other upstreams are not concerned."""
