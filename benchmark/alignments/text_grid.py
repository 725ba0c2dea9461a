"""TextGrid, the format of Praat, in its long and its short text form: the intervals of the tier of phones.

Both forms are one stream of texts in quotes, numbers and flags that stand free; whatever else is written between them
is for people. Source: the Praat manual, "TextGrid file formats".
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from benchmark.alignments.segments import Segment, checked, number
from benchmark.errors import BenchError

# How tiers of phones are called by the Montreal Forced Aligner ("speaker - phones" too), WebMAUS and others.
PHONE_TIERS = ("phones", "phone", "phonemes", "phoneme", "mau", "segments")
MOST_TIERS = 1000
_TOKEN = re.compile(r'"[^"]*(?:""[^"]*)*"|<exists>|<absent>|![^\n]*|[^\s"]+')
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?%?|--undefined--")
_KINDS = ("IntervalTier", "TextTier")


def decoded(content: bytes, where: str) -> str:
    """The text of a file: UTF-8, or UTF-16 as its first bytes say, which Praat writes.

    Raises:
        BenchError: It is neither.
    """
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchError(f"{where}: it is neither UTF-8 nor UTF-16", "save it as UTF-8") from error


def read_text_grid(content: bytes, where: str) -> tuple[Segment, ...]:
    """The intervals of the tier of phones, in the order of time.

    Args:
        content: Of a file.
        where: Its name, for errors.

    Raises:
        BenchError: It is no TextGrid in a text form, breaks off, has no tier of phones or several, or times that cannot
            be.
    """
    stream = _Stream(decoded(content, where), where)
    if stream.text("the type of the file") != "ooTextFile" or stream.text("the class of the object") != "TextGrid":
        raise BenchError(f"{where}: it is no TextGrid", 'such a file begins with File type = "ooTextFile"')
    stream.number("the start"), stream.number("the end")
    if stream.flag() == "<absent>":
        raise BenchError(f"{where}: it has no tiers", "a tier of intervals named phones is needed")
    tiers: list[tuple[str, list[Segment]]] = []
    for _ in range(stream.count("the number of tiers", MOST_TIERS)):
        kind, name = stream.text("the class of a tier"), stream.text("the name of a tier")
        if kind not in _KINDS:
            raise BenchError(f"{where}: a tier is a {kind!r:.40}", f"tiers are {' or '.join(_KINDS)}")
        stream.number("the start of a tier"), stream.number("the end of a tier")
        found = []
        for _ in range(stream.count(f"the size of the tier {name!r:.40}", stream.size)):
            start = stream.number("a time")
            end = stream.number("a time") if kind == "IntervalTier" else start
            found.append(Segment(start, end, stream.text("a label")))
        if kind == "IntervalTier":
            tiers.append((name, found))
    return checked(_of_phones(tiers, where), where)


def _of_phones(tiers: list[tuple[str, list[Segment]]], where: str) -> list[Segment]:
    """The tier that is named so, or the only one of intervals."""
    named = [found for name, found in tiers if re.split(r"[\s_-]+", name.strip().lower())[-1] in PHONE_TIERS]
    chosen = named or [found for _, found in tiers]
    if len(chosen) != 1:
        names = ", ".join(f"{name!r:.40}" for name, _ in tiers[:10]) or "none"
        what = f"{len(named)} tiers of phones" if named else "no tier named phones"
        raise BenchError(f"{where}: it has {what}; its tiers of intervals are {names}", "name one of them phones")
    return chosen[0]


class _Stream:
    """The free-standing texts, numbers and flags of a file, one after another."""

    def __init__(self, text: str, where: str) -> None:
        self.size = len(text)
        self._where = where
        self._tokens = _free_standing(text)

    def text(self, what: str) -> str:
        """The next one, which is a text."""
        token = self._next(what)
        if not token.startswith('"'):
            raise self._unlike(what, "a text in quotes", token)
        return token[1:-1].replace('""', '"').strip()

    def number(self, what: str) -> float:
        """The next one, which is a number."""
        token = self._next(what)
        if not _NUMBER.fullmatch(token):
            raise self._unlike(what, "a number", token)
        return number(token.removesuffix("%"), what, self._where)

    def count(self, what: str, most: int) -> int:
        """The next one, which is a whole number."""
        value = self.number(what)
        if value != int(value) or not 0 <= value <= most:
            raise BenchError(f"{self._where}: {what} is {value:g}", f"it is a whole number up to {most}")
        return int(value)

    def flag(self) -> str:
        """The next one, which says whether there are tiers."""
        token = self._next("whether there are tiers")
        if not token.startswith("<"):
            raise self._unlike("whether there are tiers", "<exists>", token)
        return token

    def _next(self, what: str) -> str:
        token = next(self._tokens, None)
        if token is None:
            raise BenchError(f"{self._where}: it ends before {what}", "is it a whole TextGrid in a text form?")
        return token

    def _unlike(self, what: str, expected: str, token: str) -> BenchError:
        return BenchError(f"{self._where}: {what} is {token!r:.60}", f"expected {expected}, as in a TextGrid of Praat")


def _free_standing(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] == '"' or token in ("<exists>", "<absent>") or _NUMBER.fullmatch(token):
            yield token
