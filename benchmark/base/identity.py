"""What decides a number: the one place that says what an upstream or a head is, and by which code it was computed.

Each has two identities. As it is *published* it is its name, declared version, parameters and weights: rows are told
apart by that. As it is *stored* it is also the code that it reaches (see `benchmark.base.code`) and the versions of its
libraries: features and units are made anew when one of these changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.base.code import code_at, home_of
from benchmark.base.declared import DeclaredHead, declared_version
from benchmark.base.downstream import Downstream
from benchmark.errors import UsageError
from benchmark.io.files import digest
from benchmark.io.packages import versions

if TYPE_CHECKING:
    from benchmark.base.upstream import Upstream


@dataclass(frozen=True)
class Code:
    """The code by which something was computed: provenance of a published row, part of the key of what is stored.

    Attributes:
        sha256: Digest of what it reaches, by its meaning.
        libraries: Versions of the distributions that decide the numbers, by name.
    """

    sha256: str
    libraries: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"code_sha256": self.sha256, "libraries": dict(self.libraries)}


def identity_of(part: Upstream | Downstream | DeclaredHead) -> dict[str, Any]:
    """What an upstream or a head is, as plain values: class by its literal name, version, parameters, and weights.

    Raises:
        UsageError: Other people's class declares a version that is none.
    """
    part = _declared(part)
    if isinstance(part, DeclaredHead):
        told = {"family": part.family, "version": part.version, "params": dict(part.params)}
        members = [identity_of(component) for component in part.components]
        return {**told, "components": members} if members else told
    return {
        "family": getattr(type(part), "name", ""),
        "version": declared_version(type(part)),
        "sample_rate": part.sample_rate,
        "params": dict(part.params),
        "precision": part.precision,
        "weights_sha256": part.weights_sha256(),
        "components": [identity_of(component) for component in part.components],
    }


def identity_sha256(name: str, part: Upstream | Downstream | DeclaredHead, hub_version: int) -> str:
    """Digest that tells an upstream or a head from others where results are published: of its name and what it is.

    Args:
        name: The row, or the recipe.
        part: What goes by it.
        hub_version: Version of what the hub does for all of its kind (hearing and pooling, or feeding and counting).

    Raises:
        UsageError: Other people's class gives something that is no plain value.
    """
    try:
        return digest({"name": name, "hub": hub_version, **identity_of(part)})
    except (TypeError, ValueError) as error:
        raise UsageError(f"the identity of {name!r} is not plain: {error}", "params are JSON values") from error


def version_of(part: Upstream | Downstream | DeclaredHead) -> str:
    """The version by which a published row goes: its own, or those of the upstreams that an upstream is made of."""
    part = _declared(part)
    if isinstance(part, DeclaredHead):
        return part.version
    return "+".join(version_of(component) for component in part.components) or declared_version(type(part))


def code_of(part: Upstream | Downstream | DeclaredHead) -> Code:
    """The code and the libraries by which an upstream or a head computes, those of its components included."""
    everything = list(_with_components(_declared(part)))
    heads = [one for one in everything if isinstance(one, DeclaredHead)]
    upstreams = [one for one in everything if not isinstance(one, DeclaredHead)]
    homes = [*(one.home for one in heads), *(home_of(type(one)) for one in upstreams)]
    used = [*(one.facts.libraries for one in heads), *(one.libraries for one in upstreams)]
    libraries = dict.fromkeys(name for names in used for name in names)
    return Code(code_at(*dict.fromkeys(homes)), versions(list(libraries)))


def _declared(part: Upstream | Downstream | DeclaredHead) -> Upstream | DeclaredHead:
    return DeclaredHead.of(part) if isinstance(part, Downstream) else part


def _with_components(part: Upstream | DeclaredHead) -> Iterator[Upstream | DeclaredHead]:
    yield part
    for component in part.components:
        yield from _with_components(component)
