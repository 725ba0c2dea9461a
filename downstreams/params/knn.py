"""The parameters of nearest neighbours."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from benchmark.types import Probabilities
from downstreams.params.vectors import VectorParams


class KNNParams(VectorParams):
    """What decides the numbers of the head."""

    neighbours: Annotated[int, Field(ge=1)] = Field(
        description="how many of the most similar utterances vote; all where there are fewer"
    )
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        description="votes weigh as the softmax of similarity / temperature; null: all the same"
    )

    @property
    def probabilities(self) -> Probabilities:
        """Shares of weighted votes."""
        return "plain"

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "scipy", "scikit-learn")
