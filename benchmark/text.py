"""How numbers and names are written for people. Names come from records, which anybody may have written."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

NONE = "–"
WARNING = "⚠"


def visible(text: str) -> str:
    """The text with U+FFFD for controls and hidden formats; spaces of any kind stay.

    A byte of a file name that is no UTF-8, which Python holds as a lone surrogate, is shown as a backslash, x and its
    value.
    """
    if text.isprintable() and text.isascii():
        return text  # nearly all that a board shows
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return "\ufffd" if unicodedata.category(character).startswith("C") and not character.isspace() else character


def clean(text: str) -> str:
    """One line of visible characters: spaces for line breaks and tabs, U+FFFD for other controls and hidden formats."""
    return " ".join(visible(text).split())


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 fold", "2 folds"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def join(texts: Sequence[str]) -> str:
    """Several texts as one: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(texts[:-1]), *texts[-1:]] if len(texts) > 1 else texts)


def some(names: Sequence[str], shown: int) -> str:
    """The first names and the number of the others: "a, b and 3 more"."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def decimal(value: float, places: int) -> str:
    """A number with a fixed number of places, halves away from zero, and no negative zero.

    Scores are fractions of small numbers, so halves such as 48.25 are common: rounding noise, which depends on the
    machine, is taken off first and cannot decide where they go.
    """
    exact = Decimal(repr(round(float(value), places + 6)))
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if exact.is_finite() else exact
    return f"{rounded + 0:.{places}f}"


def measured(value: float, percent: bool) -> str:
    """A score: times 100 with one place, or as it is with three."""
    return decimal(100 * value, 1) if percent else decimal(value, 3)


def p_text(p: float) -> str:
    """A p-value: "p = 0.0123", or "p < 0.0001"."""
    return "p < 0.0001" if p < 0.0001 else f"p = {decimal(p, 4)}"


def with_spread(mean: float, sd: float | None, percent: bool) -> str:
    """A score over seeds: "48.3 ± 1.0", without the spread for a single seed."""
    return measured(mean, percent) + ("" if sd is None else f" ± {measured(sd, percent)}")


def interval(low: float, high: float, percent: bool) -> str:
    """An interval: "[40.1, 55.0]"."""
    return f"[{measured(low, percent)}, {measured(high, percent)}]"


def human(number: int | None) -> str:
    """A number of parameters: "8.2 M"; a dash where it is not known."""
    if number is None:
        return NONE
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 0.99995 * size:  # what would round to 1000.0 of the smaller unit
            return f"{number / size:.1f} {unit}"
    return str(number)


def bytes_text(size: float | None) -> str:
    """A number of bytes: "1.5 MB"; "?" where it is not known."""
    if size is None:
        return "?"
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest known one, else all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
