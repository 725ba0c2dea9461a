"""Mappings and sequences whose values are made when they are asked for, so that no corpus of frames lies in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class LazyMapping(Mapping[str, T], Generic[T]):
    """Makes a value each time it is asked for.

    Args:
        keys: What can be asked for, in order.
        make: From a key to its value.
    """

    def __init__(self, keys: Sequence[str], make: Callable[[str], T]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make

    def __getitem__(self, key: str) -> T:
        """The value of a key, made anew."""
        if key not in self._keys:
            raise KeyError(key)
        return self._make(key)

    def __iter__(self) -> Iterator[str]:
        """The keys in order."""
        return iter(self._keys)

    def __len__(self) -> int:
        """The number of keys."""
        return len(self._keys)


class LazySequence(Sequence[T], Generic[T]):
    """Some values of a mapping in a given order, read when they are asked for.

    Args:
        values: By key.
        keys: One for each place.
    """

    def __init__(self, values: Mapping[str, T], keys: Sequence[str]) -> None:
        self._values = values
        self._keys = tuple(keys)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        """The value at a place, made anew; for a slice another lazy sequence."""
        if isinstance(index, slice):
            return LazySequence(self._values, self._keys[index])
        return self._values[self._keys[index]]

    def __len__(self) -> int:
        """The number of places."""
        return len(self._keys)
