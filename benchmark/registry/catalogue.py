"""A catalogue of entries by name, in which no name is claimed twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from benchmark.errors import UsageError
from benchmark.registry.entries import Entry


class Catalogue(Mapping[str, Entry]):
    """Entries by name.

    Args:
        kind: What they are, as an error calls them: "upstream", "downstream", "corpus".
        entries: The first ones.

    Raises:
        UsageError: As `add`.
    """

    def __init__(self, kind: str, entries: Iterable[Entry] = ()) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add an entry; the same one again is no collision.

        Raises:
            UsageError: Another place has its name.
        """
        other = self._entries.get(entry.name)
        if other is not None and (other.target, other.where) != (entry.target, entry.where):
            raise UsageError(
                f"two places define the {self.kind} {entry.name!r}: {other.where} and {entry.where}",
                "rename one of them",
            )
        self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name."""
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in the order in which they were added."""
        return iter(self._entries)

    def __len__(self) -> int:
        """The number of names."""
        return len(self._entries)
