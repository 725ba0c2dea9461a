"""The parameters of heads that vote."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from benchmark.base.downstream import HeadParams, UsesDev
from benchmark.io.yamls import Closed
from benchmark.registry.building import load
from benchmark.registry.source import scan_package
from benchmark.types import Kind, Needs


class Member(Closed):
    """One head that votes: a class of this package and its keys, as a recipe has them."""

    downstream: str = Field(description="its class")
    params: dict[str, Any] = Field({}, validate_default=True, description="its keys")

    @field_validator("params")
    @classmethod
    def _are_complete(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # With every default, so that what is published says all that decided a number.
        return _parameters(info.data["downstream"], params).model_dump(mode="json") if info.data else params

    def values(self) -> HeadParams:
        """Its parameters."""
        return _parameters(self.downstream, self.params)


def _parameters(downstream: str, params: dict[str, Any]) -> HeadParams:
    """The parameters of a class of this package.

    Raises:
        ValueError: There is no such class, or its keys are not as they should be.
    """
    known = {entry.name: entry.params for entry in scan_package("downstream") if entry.params is not None}
    target = known.get(downstream)
    if target is None:
        raise ValueError(f"{downstream!r} is none of {', '.join(sorted(known))}")
    schema: type[HeadParams] = load("the parameters of the downstream", downstream, target)
    return schema.model_validate(params)


class EnsembleParams(HeadParams):
    """Who votes; what must be known of the head follows from the members."""

    members: tuple[Member, ...] = Field(min_length=2, description="heads that vote, each with its class and its keys")

    @model_validator(mode="after")
    def _vote_on_the_same(self) -> EnsembleParams:
        found = self._values()
        for what, facts in (
            ("read", {one.needs for one in found}),
            ("hear", {one.sequences for one in found}),
            ("read", {one.upstream_beside for one in found}),
        ):
            if len(facts) > 1:
                raise ValueError(f"the members {what} different things: {', '.join(sorted(map(str, facts)))}")
        if any(one.adapts for one in found):
            raise ValueError("a member adapts to a target, which the others do not")
        if not self.kinds:
            raise ValueError("no kind of task is for all members")
        return self

    def _values(self) -> tuple[HeadParams, ...]:
        return tuple(member.values() for member in self.members)

    @property
    def needs(self) -> Needs:
        """What all members need."""
        return self._values()[0].needs

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that all members take."""
        first, *others = self._values()
        return tuple(kind for kind in first.kinds if all(kind in one.kinds for one in others))

    @property
    def stochastic(self) -> bool:
        """Whether the seed matters to a member."""
        return any(one.stochastic for one in self._values())

    @property
    def uses_dev(self) -> UsesDev:
        """Whether a member selects on dev, else whether one is fitted on it."""
        used = {one.uses_dev for one in self._values()}
        return "select" if "select" in used else "fit" if "fit" in used else "no"

    @property
    def transductive(self) -> bool:
        """Whether a member is."""
        return any(one.transductive for one in self._values())

    @property
    def sequences(self) -> bool:
        """Whether all members hear sequences."""
        return self._values()[0].sequences

    @property
    def components(self) -> tuple[tuple[str, HeadParams], ...]:
        """The members."""
        return tuple((member.downstream, member.values()) for member in self.members)
