"""Making a list of a made corpus wrong."""

from __future__ import annotations

from pathlib import Path


def exchange(path: Path, old: str, new: str) -> None:
    """Exchange what stands in a list, once; the list of the complete tree, with which it may be linked, stays."""
    text = path.read_bytes()
    assert old.encode() in text
    path.unlink()
    path.write_bytes(text.replace(old.encode(), new.encode(), 1))
