"""Names that only who has a key can tell: pseudonyms and orders by a keyed hash."""

from __future__ import annotations

import functools
import hashlib
import hmac

from benchmark.types import UNKNOWN_SPEAKER

DIGITS = 16


@functools.lru_cache(maxsize=1 << 16)
def pseudonym(salt: str, name: str) -> str:
    """The first 16 hexadecimal digits of HMAC-SHA256; "unknown" is no name and stays."""
    if name == UNKNOWN_SPEAKER:
        return name
    return keyed_digest(salt, name)[:DIGITS]


def keyed_order(salt: str, names: list[str]) -> list[str]:
    """The names in an order that only who has the salt can tell."""
    return sorted(names, key=lambda name: (keyed_digest(salt, name), name))


def keyed_digest(salt: str, name: str) -> str:
    """HMAC-SHA256 of a name, in hexadecimal."""
    return hmac.new(salt.encode(), name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
