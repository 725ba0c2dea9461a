"""The parameters of the phonetic constraint."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from downstreams.params.frames import NotNegative
from downstreams.params.transformer import TransformerParams


class PCParams(TransformerParams):
    """The keys of the transformer, and those of the constraint on vowels of source and target."""

    layer_weights: Literal["softmax", "equal"] = Field(
        "softmax", description="softmax: of learnt scores; equal: the mean of the layers that are read"
    )
    gamma: NotNegative = Field(description="weight of the constraint, beside the cross entropy")
    margin: NotNegative = Field(
        description="by how much nearer, in cosine, a vowel of the target should be to the same vowel of the source "
        "than to another one"
    )

    @property
    def adapts(self) -> bool:
        """True: it hears the target, without labels."""
        return True

    @property
    def phones(self) -> bool:
        """True: it knows in which frames vowels are spoken."""
        return True
