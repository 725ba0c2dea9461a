"""The parameters of heads that train the upstream with them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictInt, model_validator

from benchmark.io.yamls import Closed
from benchmark.types import Needs, Precision
from downstreams.params.frames import Fraction, LearningParams
from downstreams.params.gradient import Count, Positive


class LowRank(Closed):
    """Low-rank matrices beside linear layers: W x becomes W x + (alpha / rank) B A x, and A and B are trained.

    Source: Hu et al., "LoRA: Low-rank adaptation of large language models" (ICLR 2022).
    """

    rank: Count = Field(description="of B A")
    alpha: Count = Field(description="what B A is multiplied by, times the rank")
    targets: Literal["feed-forward", "attention"] = Field(
        description="both feed-forward layers of every block, or the four projections of its attention"
    )
    dropout: Fraction = Field(0.0, description="of what enters A")


class FinetuneParams(LearningParams):
    """What decides the numbers of a head that trains the upstream; all learns at one rate."""

    trains: Literal["all", "last-blocks", "bias-and-norm", "low-rank"] = Field(
        description="of the upstream: all; the upper blocks; biases and normalisations; low-rank matrices"
    )
    frozen: tuple[Literal["convolutions", "embeddings", "norm"] | StrictInt, ...] = Field(
        (), description="parts of it that are not trained: convolutions, embeddings, norm, or numbers of blocks from 0"
    )
    blocks: Count | None = Field(None, description="for last-blocks: how many")
    low_rank: LowRank | None = Field(None, description="for low-rank: which matrices")
    precision: Precision | None = Field(
        None, description="of the forward pass in training, by autocast; null: that of the upstream"
    )
    checkpointing: bool = Field(
        False, description="keep nothing of the blocks for the backward pass and compute them again"
    )
    micro_batch: Count | None = Field(
        None,
        description="utterances of a batch that are in memory at once; null: all. It changes numbers by rounding alone",
    )
    kept: Precision | None = Field(
        None, description="what the best state is rounded to before it is scored and kept, 16 bits; null: float32"
    )
    max_seconds: Positive | None = Field(description="a longer utterance is cut to its beginning [s]; null: never")
    batch_seconds: Positive | None = Field(
        None, description="audio in a batch at most [s], padding included; a longer utterance is a batch of its own"
    )

    @model_validator(mode="after")
    def _has_only_its_own(self) -> FinetuneParams:
        for key, kind in (("blocks", "last-blocks"), ("low_rank", "low-rank")):
            if (getattr(self, key) is not None) != (self.trains == kind):
                raise ValueError(f"trains is {self.trains!r}, and {key} goes with {kind!r} and with no other")
        return self

    @property
    def needs(self) -> Needs:
        """Waveforms."""
        return "waveform"

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "torch", "transformers", "peft")

    @property
    def concurrent(self) -> bool:
        """Dropout of the upstream comes from torch's own generator, which all threads share."""
        return False


class FinetuneMeanParams(FinetuneParams):
    """With the keys of the layers around a mean over frames."""

    hidden: Count = Field(description="width of the layer before the mean")
    activation: Literal["none", "relu", "tanh"] = Field(description="after the mean")
    dropout: Fraction = Field(0.0, description="after the activation")


class FinetuneAttentiveParams(FinetuneParams):
    """With the keys of the layers after attentive statistics pooling."""

    hidden: Count = Field(description="width of the layer after the pooling")
    dropout: Fraction = Field(description="share of the pooled and of the hidden values that training drops")


class FinetunePointwiseParams(FinetuneParams):
    """With the keys of the layers before and after a mean over frames."""

    hidden: Count = Field(description="width of the layers")
    depth: Count = Field(description="layers on every frame before the mean")
    dropout: Fraction = Field(description="after each of them but the last")
