"""The parameters of heads that are trained by gradient from per-layer means."""

from __future__ import annotations

from pydantic import Field, model_validator

from benchmark.base.downstream import InnerFolds
from downstreams.normalisation import Normalisation
from downstreams.params.gradient import Count, GradientParams, Positive, Seed


class TrainedParams(GradientParams):
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
    inner: InnerFolds = Field(
        description="of the protocol's inner folds: select on all, pooled, and fit again on all of train; or first: "
        "select on the first as a dev set, where all are too dear"
    )

    @model_validator(mode="after")
    def _states_every_key(self) -> TrainedParams:
        lacking = [name for name in TrainedParams.model_fields if name not in self.model_fields_set]
        if lacking:
            raise ValueError(f"the key {lacking[0]!r} is missing: a recipe of such a head states every key")
        return self

    @model_validator(mode="after")
    def _has_each_rate_once(self) -> TrainedParams:
        if len(set(self.learning_rates)) < len(self.learning_rates):
            raise ValueError(f"learning_rates repeats a value: {list(self.learning_rates)}")
        return self

    @property
    def inner_selection(self) -> InnerFolds:
        """As the recipe says."""
        return self.inner

    @property
    def transductive(self) -> bool:
        """True with normalisation by speaker."""
        return self.normalisation == "speaker"
