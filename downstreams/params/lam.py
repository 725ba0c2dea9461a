"""The parameters of layer anchoring."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from downstreams.params.frames import NotNegative
from downstreams.params.gradient import Count
from downstreams.params.transformer import TransformerParams

# How many layers the networks have whose layers a recipe names.
NAMED_LAYERS = 12
Layer = Annotated[int, Field(ge=1, le=NAMED_LAYERS)]


class LAMParams(TransformerParams):
    """The keys of the transformer, and those of what is aligned between source and target."""

    layers: Literal["all"] = Field(description="all, of which some are anchored")
    gamma: NotNegative = Field(description="weight of the alignment, beside the cross entropy")
    anchors: dict[str, tuple[Layer, ...]] | Literal["most-similar"] = Field(
        description="layers that are aligned, by a word in the name of the upstream, counted from 1 to 12 without its "
        "input; or those that are most similar in train and adapt"
    )
    most_similar: Count | None = Field(None, description="how many layers are aligned, with anchors: most-similar")

    @model_validator(mode="after")
    def _is_anchored(self) -> LAMParams:
        if (self.anchors == "most-similar") != (self.most_similar is not None):
            raise ValueError("most_similar is the number of layers with anchors: most-similar, and stands only there")
        named = {} if self.anchors == "most-similar" else self.anchors
        if self.anchors != "most-similar" and not named:
            raise ValueError("anchors names no network: give the layers of some, or most-similar")
        for network, layers in named.items():
            if not layers or len(set(layers)) < len(layers):
                raise ValueError(f"the anchors of {network} are {list(layers)}: name some layers, each once")
        return self

    @property
    def adapts(self) -> bool:
        """True: it hears the target, without labels."""
        return True

    @property
    def networks(self) -> tuple[str, ...]:
        """Those whose layers the recipe names; empty where it chooses them by itself."""
        return () if self.anchors == "most-similar" else tuple(self.anchors)
