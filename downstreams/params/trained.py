"""The parameters of heads that are trained by gradient from per-layer means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmark.base.downstream import HeadParams, InnerFolds, UsesDev
from benchmark.metrics import OF_TASKS
from benchmark.types import Kind, Probabilities
from downstreams.normalisation import Normalisation

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
OF_ANY_KIND = ("loss", "primary")  # what selects in classification and regression alike


class TrainedParams(HeadParams):
    """What decides the numbers of the head; a recipe states every key."""

    hidden: Count = Field(description="width of the hidden layer")
    normalisation: Normalisation = Field(
        description="standardise every dimension of every layer: global (by train), speaker (transductive) or none"
    )
    learning_rates: tuple[Positive, ...] = Field(
        min_length=1, description="Adam's learning rates; each fold trains the one that is best on its dev set"
    )
    search_seed: Seed | None = Field(
        description="seed whose training of all rates chooses a fold's rate, for every seed; null: each for itself"
    )
    batch_size: Count = Field(description="utterances in a micro-batch")
    accumulate: Count = Field(description="micro-batches in an optimiser step")
    clip: Positive | None = Field(description="largest L2 norm of the gradient; null for no clipping")
    unit: Literal["epochs", "steps"] = Field(
        description="what maximum and evaluate_every count: passes over train, or optimiser steps"
    )
    maximum: Count = Field(description="when training ends at the latest")
    evaluate_every: Count = Field(description="units between two evaluations on dev")
    patience: Count | None = Field(
        description="evaluations in a row without a better dev score or a lower dev loss that end training; null: none"
    )
    select_on: str = Field(
        description='what selects: "loss", that is minimised; "primary", the task\'s metric; or a metric\'s name'
    )
    ties: Literal["loss", "first"] = Field(description="of equal dev scores take that of lower dev loss, or the first")
    inner: InnerFolds = Field(
        description="of the protocol's inner folds: select on all, pooled, and fit again on all of train; or first: "
        "select on the first as a dev set, where all are too dear"
    )
    seed: Seed | None = Field(description="decides initialisation and order; null: the seed of the run")

    @model_validator(mode="after")
    def _is_evaluated(self) -> TrainedParams:
        if self.evaluate_every > self.maximum:
            raise ValueError(f"evaluate_every is {self.evaluate_every}, beyond maximum {self.maximum}: no evaluation")
        if len(set(self.learning_rates)) < len(self.learning_rates):
            raise ValueError(f"learning_rates repeats a value: {list(self.learning_rates)}")
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
        """Always "select": dev chooses the learning rate and the state that is kept."""
        return "select"

    @property
    def inner_selection(self) -> InnerFolds:
        """As the recipe says."""
        return self.inner

    @property
    def probabilities(self) -> Probabilities:
        """Logarithms of a softmax."""
        return "log"

    @property
    def transductive(self) -> bool:
        """True with normalisation by speaker."""
        return self.normalisation == "speaker"

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "torch")

    @property
    def concurrent(self) -> bool:
        """Threads share nothing but searches, which are guarded: a head has generators of its own."""
        return True
