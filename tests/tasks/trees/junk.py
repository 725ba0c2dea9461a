"""What archives and file systems leave beside the recordings."""

from __future__ import annotations

from pathlib import Path


def add_junk(root: Path, name: str) -> None:
    """Add the twin that macOS makes of a recording, its folder in an archive, and a file that is no recording.

    Args:
        root: The folder of the corpus.
        name: A recording, relative to it.
    """
    recording = root / name
    for junk in (recording.with_name(f"._{recording.name}"), root / "__MACOSX" / name, root / ".DS_Store"):
        junk.parent.mkdir(parents=True, exist_ok=True)
        junk.write_bytes(b"\x00\x05\x16\x07")
    (root / "readme.txt").write_text("no recording\n")
