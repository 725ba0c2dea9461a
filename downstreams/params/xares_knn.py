"""The parameters of X-ARES's nearest neighbours."""

from __future__ import annotations

from benchmark.types import Kind
from downstreams.params.knn import KNNParams


class XaresKNNParams(KNNParams):
    """The keys of nearest neighbours."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Classes alone."""
        return ("classification",)

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "scipy")
