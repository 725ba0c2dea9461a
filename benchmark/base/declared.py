"""What a head declares: by it a run is planned, listed and published, before anything of it is imported or built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.base.code import code_at, home_of
from benchmark.base.downstream import Downstream, HeadParams, UsesDev
from benchmark.errors import UsageError
from benchmark.types import Kind, Needs, Probabilities


@dataclass(frozen=True)
class HeadFacts:
    """What is known of a head before it is fitted; see `HeadParams` for each."""

    needs: Needs
    kinds: tuple[Kind, ...]
    stochastic: bool
    uses_dev: UsesDev
    transductive: bool
    sequences: bool
    adapts: bool
    upstream_beside: str | None = None
    networks: tuple[str, ...] = ()
    probabilities: Probabilities | None = None
    phones: bool = False
    teacher: tuple[str, str] | None = None
    libraries: tuple[str, ...] = ("numpy",)
    concurrent: bool = False

    @classmethod
    def of(cls, head: HeadParams | Downstream) -> HeadFacts:
        """Those of a head, or of its parameters."""
        return cls(
            needs=head.needs,
            kinds=head.kinds,
            stochastic=head.stochastic,
            uses_dev=head.uses_dev,
            transductive=head.transductive,
            sequences=head.sequences,
            adapts=head.adapts,
            upstream_beside=head.upstream_beside,
            networks=head.networks,
            probabilities=head.probabilities,
            phones=head.phones,
            teacher=head.teacher,
            libraries=head.libraries,
            concurrent=head.concurrent,
        )

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        lists = {"kinds": list(self.kinds), "networks": list(self.networks), "libraries": list(self.libraries)}
        return {**asdict(self), **lists, "teacher": None if self.teacher is None else list(self.teacher)}


@dataclass(frozen=True)
class DeclaredHead:
    """A head as it is known before it is built.

    Attributes:
        family: The literal name of its class.
        version: What its class declares; of one that declares none a digest of the code stands for it.
        home: Module and name of its class.
        params: Its parameters, as JSON has them.
        facts: What follows from them.
        components: The heads that it is made of.
    """

    family: str
    version: str
    home: tuple[str, str]
    params: Mapping[str, Any]
    facts: HeadFacts
    components: tuple[DeclaredHead, ...] = ()

    @classmethod
    def of(cls, head: Downstream) -> DeclaredHead:
        """That of a head that is built already.

        Raises:
            UsageError: Other people's class declares a version that is none, or has no source.
        """
        return cls(
            family=getattr(type(head), "name", ""),
            version=declared_version(type(head)),
            home=home_of(type(head)),
            params=head.params.model_dump(mode="json"),
            facts=HeadFacts.of(head),
            components=tuple(map(cls.of, getattr(head, "components", ()))),
        )


def declared_version(cls: type) -> str:
    """The version that a class declares, or what stands for it: the digest of its code, where it declares none.

    Raises:
        UsageError: Other people's class declares a version that is none, or none and has no source.
    """
    version = getattr(cls, "version", None)
    if version is None:
        return f"code-{code_at(home_of(cls))[:12]}"
    if type(version) is not int or version < 1:
        raise UsageError(f"{cls.__name__} has the version {version!r}", "a version is 1 or higher, or None")
    return str(version)
