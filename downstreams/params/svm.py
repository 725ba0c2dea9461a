"""The parameters of support vector machines."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmark.io.yamls import Closed
from benchmark.types import Kind
from downstreams.params.vectors import VectorParams

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Gamma = Literal["auto", "scale"] | Positive


class SVMGrid(Closed):
    """Values to try for each searched parameter, in order: the first of equals is chosen."""

    C: tuple[Positive, ...] = Field((), description="values of C to try")
    gamma: tuple[Gamma, ...] = Field((), description="values of gamma to try, for an rbf kernel")


class SVMParams(VectorParams):
    """What decides the numbers of the head."""

    kernel: Literal["linear", "rbf"] = Field(description="kernel of the machine")
    C: Positive | None = Field(None, description="cost of a violated margin; null where the grid has it")
    gamma: Gamma | None = Field(
        None, description="width of the rbf kernel: auto is 1 / dimensions, scale is 1 / (dimensions x variance)"
    )
    class_weight: Literal["balanced"] | None = Field(None, description="weigh classes by 1 / their frequency, or not")
    epsilon: Annotated[float, Field(ge=0)] = Field(
        0.1, description="width of the tube of support vector regression, in standard deviations of the targets"
    )
    grid: SVMGrid | None = Field(None, description="search by inner folds grouped by speaker, inside what is fitted on")
    inner_folds: Annotated[int, Field(ge=2)] = Field(
        5, description="inner folds of the grid search; as many as there are speakers where they are fewer"
    )

    @model_validator(mode="after")
    def _is_unambiguous(self) -> SVMParams:
        grid = self.grid or SVMGrid()
        if self.grid is not None and not (grid.C or grid.gamma):
            raise ValueError("the grid is empty: give values of C or gamma, or grid: null")
        if (self.C is None) != bool(grid.C):
            raise ValueError("give C either a value or a grid, and not both")
        if self.kernel == "linear" and (self.gamma is not None or grid.gamma):
            raise ValueError("gamma means nothing to a linear kernel: leave it out")
        if self.kernel == "rbf" and (self.gamma is None) != bool(grid.gamma):
            raise ValueError("give gamma of an rbf kernel either a value or a grid, and not both")
        return self

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Both, but classes alone where these are to be balanced."""
        return ("classification", "regression") if self.class_weight is None else ("classification",)
