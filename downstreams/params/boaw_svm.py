"""The parameters of bags of audio words before a support vector machine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from benchmark.base.downstream import HeadParams, UsesDev
from benchmark.types import Kind, Needs
from downstreams.params.svm import SVMParams

Count = Annotated[StrictInt, Field(ge=1)]


class BoAWSVMParams(HeadParams):
    """What decides the numbers of the head; in brackets what openXBOW calls it."""

    layer: Literal["last"] | Annotated[StrictInt, Field(ge=0)] = Field(
        description="whose frames are counted: those of the last layer, or of a number from 0"
    )
    parts: Annotated[tuple[Count, ...], Field(min_length=1)] | Count = Field(
        description="values of a frame that share a codebook, in turn (-attributes); a number: that many equal parts"
    )
    words: Count = Field(description="words of each codebook (-size)")
    codebook: Literal["random", "random++", "kmeans", "kmeans++"] = Field(
        description="words are frames of train, drawn evenly or each far from those before (++), or the means of "
        "k-means that begins there (-c)"
    )
    codebook_frames: Count | None = Field(
        description="frames of train, drawn evenly, that codebooks are learnt from; null: all (-numTrain)"
    )
    scaling: Literal["standardise", "normalise", "none"] = Field(
        description="of frames by train: to mean 0 and deviation 1 (-standardizeInput), to 0..1 (-normalizeInput)"
    )
    nearest: Count = Field(description="words that a frame counts for, the nearest ones (-a)")
    log: bool = Field(description="log10(count + 1) in place of counts (-log)")
    idf: bool = Field(description="times log10(utterances / utterances that have the word), by train (-idf)")
    norm: Literal["none", "frames", "terms", "length"] = Field(
        description="divide by the number of frames, the sum or the Euclidean length of a bag, or not (-norm 1, 2, 3)"
    )
    seed: int | None = Field(description="decides what is drawn; null: the seed of the run (-seed)")
    machine: SVMParams = Field(description="of the recipe svm; it is fitted on bags")

    @model_validator(mode="after")
    def _is_consistent(self) -> BoAWSVMParams:
        if self.nearest > self.words:
            raise ValueError(f"nearest is {self.nearest}, and a codebook has {self.words} words")
        if (self.machine.pooling, self.machine.layer) != ("mean", "last"):
            raise ValueError("machine: a bag is one vector: leave out pooling, and say layer: last")
        return self

    @property
    def needs(self) -> Needs:
        """Frames, in 32 bits: descriptors such as energies are beyond 16."""
        return "frames"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those of its machine."""
        return self.machine.kinds

    @property
    def stochastic(self) -> bool:
        """True unless the recipe fixes the seed."""
        return self.seed is None

    @property
    def uses_dev(self) -> UsesDev:
        """As its machine; codebooks are of train alone."""
        return self.machine.uses_dev

    @property
    def transductive(self) -> bool:
        """True where its machine standardises by speaker."""
        return self.machine.transductive

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "scikit-learn")
