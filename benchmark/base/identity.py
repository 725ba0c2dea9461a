"""What decides a number: the one place that says what an upstream or a head is, and by which code it was computed.

Each has two identities. As it is *published* it is its name, declared version, parameters and weights: rows are told
apart by that. As it is *stored* it is also the code that it reaches (see `benchmark.base.code`) and the versions of its
libraries: features and units are made anew when one of these changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.base.code import code_sha256
from benchmark.errors import UsageError
from benchmark.io.files import digest
from benchmark.io.packages import versions

if TYPE_CHECKING:
    from benchmark.base.downstream import Downstream
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


def identity_of(part: Upstream | Downstream) -> dict[str, Any]:
    """What an upstream or a head is, as plain values: class by its literal name, version, parameters, and weights.

    Raises:
        UsageError: Other people's class declares a version that is none.
    """
    from benchmark.base.downstream import Downstream

    about = {"family": getattr(type(part), "name", ""), "version": declared_version(type(part))}
    if isinstance(part, Downstream):
        told = {**about, "params": part.params.model_dump(mode="json")}
        members = [identity_of(component) for component in getattr(part, "components", ())]
        return {**told, "components": members} if members else told
    return {
        **about,
        "sample_rate": part.sample_rate,
        "params": dict(part.params),
        "precision": part.precision,
        "weights_sha256": part.weights_sha256(),
        "components": [identity_of(component) for component in part.components],
    }


def identity_sha256(name: str, part: Upstream | Downstream, hub_version: int) -> str:
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


def version_of(part: Upstream | Downstream) -> str:
    """The version by which a published row goes: its own, or those of the upstreams that an upstream is made of."""
    from benchmark.base.downstream import Downstream

    components: Iterable[Upstream] = () if isinstance(part, Downstream) else part.components
    return "+".join(version_of(component) for component in components) or declared_version(type(part))


def code_of(part: Upstream | Downstream) -> Code:
    """The code and the libraries by which an upstream or a head computes, those of its components included."""
    everything = list(_with_components(part))
    libraries = dict.fromkeys(name for one in everything for name in one.libraries)
    return Code(code_sha256(*dict.fromkeys(type(one) for one in everything)), versions(list(libraries)))


def _with_components(part: Upstream | Downstream) -> Iterator[Upstream | Downstream]:
    yield part
    for component in getattr(part, "components", ()):
        yield from _with_components(component)


def declared_version(cls: type) -> str:
    """The version that a class declares, or what stands for it: the digest of its code, where it declares none."""
    version = getattr(cls, "version", None)
    if version is None:
        return f"code-{code_sha256(cls)[:12]}"
    if type(version) is not int or version < 1:
        raise UsageError(f"{cls.__name__} has the version {version!r}", "a version is 1 or higher, or None")
    return str(version)
