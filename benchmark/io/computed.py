"""Schemas that compute something of their values and keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmark.io.yamls import Closed

if TYPE_CHECKING:
    from typing_extensions import Self


class Computed(Closed):
    """A schema with cached properties: a changed copy computes them anew, where pydantic's would keep the old ones."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some values replaced, which nobody checks."""
        copied = super().model_copy(update=update, deep=deep)
        for name in vars(copied).keys() - type(self).model_fields.keys():
            del vars(copied)[name]
        return copied
