"""The parameters of the dense head with a second branch."""

from __future__ import annotations

from pydantic import Field, model_validator

from downstreams.params.dense import DenseParams


class FusionParams(DenseParams):
    """The keys of the dense head, and which upstream stands beside the first."""

    beside: str = Field(description="name of the second upstream, as in --upstream A+NAME, with a branch of its own")

    @model_validator(mode="after")
    def _reads_all(self) -> FusionParams:
        if self.layers == "mean-last-4":
            raise ValueError("layers: mean-last-4 would mix the layers of two upstreams: give all or last")
        return self

    @property
    def upstream_beside(self) -> str | None:
        """The name of the second upstream."""
        return self.beside
