"""The parameters of logistic regression."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from benchmark.types import Kind, Probabilities
from downstreams.params.vectors import VectorParams


class LogisticParams(VectorParams):
    """What decides the numbers of the head."""

    C: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="weight of the summed losses against half the squared weights; smaller is smoother"
    )
    max_iter: Annotated[int, Field(ge=1)] = Field(description="iterations of L-BFGS after which it is given up")
    class_weight: Literal["balanced"] | None = Field(None, description="weigh classes by 1 / their frequency, or not")

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Classes alone."""
        return ("classification",)

    @property
    def probabilities(self) -> Probabilities:
        """As they are."""
        return "plain"
