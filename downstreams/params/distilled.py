"""The parameters of a student that learns from a trained teacher."""

from __future__ import annotations

from pydantic import Field

from benchmark.types import Kind
from downstreams.params.frames import NotNegative
from downstreams.params.gradient import Count
from downstreams.params.recurrent import RecurrentParams


class DistilledParams(RecurrentParams):
    """The keys of the GRU over frames, and those of its teacher."""

    teacher_upstream: str = Field(description="upstream of the teacher, which the student never sees")
    teacher_downstream: str = Field(description="head of the teacher, with an embedding as wide as the student's")
    first_epochs: Count = Field(description="epochs of the first phase")
    supervised: tuple[NotNegative, NotNegative] = Field(
        description="kappa: weight of the losses of the targets in the first phase, and in the second"
    )
    distilled: tuple[NotNegative, NotNegative] = Field(
        description="lambda: weight of the distance to the teacher in the first phase, and in the second"
    )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Dimensions: the weight of an utterance is by how far the teacher's values are from the truth."""
        return ("regression",)

    @property
    def teacher(self) -> tuple[str, str] | None:
        """Its upstream and downstream."""
        return self.teacher_upstream, self.teacher_downstream
