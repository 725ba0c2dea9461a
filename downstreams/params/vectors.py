"""The parameters that heads on one vector an utterance share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from benchmark.base.downstream import HeadParams, UsesDev
from benchmark.types import Kind, Needs
from downstreams.normalisation import Normalisation

Layer = Literal["last", "mean", "all"] | Annotated[StrictInt, Field(ge=0)]


class VectorParams(HeadParams):
    """Which vector an utterance has, and which utterances are fitted on."""

    normalisation: Normalisation = Field(
        description="standardise every dimension: global (by what is fitted on), speaker (transductive) or none"
    )
    pooling: Literal["mean", "statistics"] = Field(
        "mean", description="of the frames of an utterance: their mean, or mean and standard deviation together"
    )
    layer: Layer = Field(
        description="what is read of L layers: last, mean of all, all concatenated, or a number from 0"
    )
    fit_on: Literal["train", "train+dev"] = Field(
        description="a head that selects nothing on dev may be fitted on it too"
    )

    @property
    def needs(self) -> Needs:
        """What it pools."""
        return self.pooling

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Both."""
        return ("classification", "regression")

    @property
    def stochastic(self) -> bool:
        """False: what these heads compute is unique, and they draw nothing."""
        return False

    @property
    def uses_dev(self) -> UsesDev:
        """What dev is for: "fit" where the recipe fits the head on train and dev, else "no"."""
        return "fit" if self.fit_on == "train+dev" else "no"

    @property
    def transductive(self) -> bool:
        """True with normalisation by speaker."""
        return self.normalisation == "speaker"

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those that it computes with."""
        return ("numpy", "scikit-learn")

    @property
    def concurrent(self) -> bool:
        """Not by scikit-learn, which checks what it is given under warning filters of its own.

        Filters are one for all threads: fitted at once, heads would leave each other's behind, of which some make an
        error of a warning.
        """
        return False
