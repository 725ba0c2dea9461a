"""Features of one upstream have as many layers and values for every utterance: what does not is named with its file."""

from __future__ import annotations

from benchmark.errors import EncodingError
from benchmark.text import count
from benchmark.types import Needs


class Alike:
    """The layers and values of the first utterance, which all others are held to.

    Args:
        upstream: Its name.
        pooling: What of an utterance is looked at.
    """

    def __init__(self, upstream: str, pooling: Needs) -> None:
        self._upstream, self._pooling = upstream, pooling
        self._first: tuple[tuple[int, int], str] | None = None

    def check(self, shape: tuple[int, ...], file: str) -> None:
        """Look at one more.

        Args:
            shape: (L, D) of means, (L, 2 D) of statistics, (L, T, D) of frames.
            file: Of the utterance.

        Raises:
            EncodingError: It has other layers or values than the first one; both files are named.
        """
        found = shape[0], shape[-1] // (2 if self._pooling == "statistics" else 1)
        if self._first is None:
            self._first = found, file
        elif self._first[0] != found:
            told = [
                f"{count(layers, 'layer')} of {count(dim, 'value')} for {of}"
                for (layers, dim), of in (self._first, (found, file))
            ]
            raise EncodingError(f"the upstream {self._upstream!r} gave {' and '.join(told)}: all have the same")
