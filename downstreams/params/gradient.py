"""The parameters of heads that are trained by gradient: how long, and what is kept; what is known of all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmark.base.downstream import HeadParams, UsesDev
from benchmark.metrics import OF_TASKS
from benchmark.types import Kind, Probabilities

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0)]
OF_ANY_KIND = ("loss", "primary")  # what selects in classification and regression alike


class GradientParams(HeadParams):
    """What decides how long a head is trained by gradient, and which of its states is kept."""

    unit: Literal["epochs", "steps"] = Field(
        "epochs", description="what maximum and evaluate_every count: passes over train, or optimiser steps"
    )
    maximum: Count = Field(description="when training ends at the latest")
    evaluate_every: Count = Field(1, description="units between two evaluations on dev")
    patience: Count | None = Field(
        description="evaluations in a row without a better dev score or a lower dev loss that end training; null: none"
    )
    select_on: str = Field(
        description='what selects: "loss", that is minimised; "primary", the task\'s metric; or a metric\'s name'
    )
    ties: Literal["loss", "first"] = Field(
        "first", description="of equal dev scores take that of lower dev loss, or the first"
    )
    seed: Seed | None = Field(None, description="decides initial values, order and dropout; null: the seed of the run")

    @model_validator(mode="after")
    def _is_evaluated(self) -> GradientParams:
        if self.evaluate_every > self.maximum:
            raise ValueError(f"evaluate_every is {self.evaluate_every}, beyond maximum {self.maximum}: no evaluation")
        if self.select_on not in (*OF_ANY_KIND, *OF_TASKS):
            raise ValueError(f"select_on is 'loss', 'primary' or one of {', '.join(OF_TASKS)}, not {self.select_on!r}")
        return self

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Both, but that of its metric alone where it selects on one that it names."""
        return ("classification", "regression") if self.select_on in OF_ANY_KIND else (OF_TASKS[self.select_on],)

    @property
    def stochastic(self) -> bool:
        """True unless the recipe fixes the seed."""
        return self.seed is None

    @property
    def uses_dev(self) -> UsesDev:
        """Always "select": dev chooses the state that is kept."""
        return "select"

    @property
    def probabilities(self) -> Probabilities:
        """Logarithms of a softmax."""
        return "log"

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "torch")

    @property
    def concurrent(self) -> bool:
        """Threads share nothing, or what they share is guarded: a head has generators of its own."""
        return True
