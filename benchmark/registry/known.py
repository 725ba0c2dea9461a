"""What this package's own data tell of a name: read once, without torch, and believed before any record.

It is data and sources of this package alone: no plug-in, no other package that is installed, and nothing on the disk
that a name might stand for, so that a leaderboard is the same wherever it is made. Only what is asked for is read.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.base import Corpus
from benchmark.base.combined import Name, layers_after, layers_beside
from benchmark.base.declared import HeadFacts
from benchmark.base.tuned import PREFIX, is_tuned
from benchmark.errors import UsageError
from benchmark.protocol.task import Task
from benchmark.registry.building import build_corpus
from benchmark.registry.cell_names import is_nowhere, parse_cell
from benchmark.registry.downstreams import Downstreams, params_of
from benchmark.registry.entries import Entry
from benchmark.registry.source import scan_package
from benchmark.registry.tasks import Tasks
from benchmark.registry.upstreams import Upstreams

# Upstreams of this package that know nothing of the speech, named only as strings: what every system must beat.
CONTROLS = frozenset({"chance"})


@dataclass(frozen=True)
class KnownHead:
    """What is known of a head by its name.

    Attributes:
        facts: Those that follow from its recipe.
        params: The values of its recipe, and of all others those that its class gives, as JSON has them.
        recipe: The names of those that the recipe gives.
        version: What its class declares.
    """

    facts: HeadFacts
    params: Mapping[str, Any]
    recipe: frozenset[str]
    version: int | None


@functools.cache
def upstreams() -> Upstreams:
    """The upstreams of this package."""
    return Upstreams(on_disk=False)


@functools.cache
def downstreams() -> Downstreams:
    """The classes and recipes of this package."""
    return Downstreams()


@functools.cache
def tasks() -> Tasks:
    """The protocols of this package."""
    return Tasks()


@functools.cache
def known_task(name: str) -> Task | None:
    """A protocol of this package; None where it has none of that name."""
    return tasks().read(name) if name in tasks().names() else None


@functools.cache
def known_corpus(name: str) -> Corpus | None:
    """The scanner of a corpus of this package; None where it has none of that name."""
    entry = {entry.name: entry for entry in scan_package("corpus")}.get(name)
    return None if entry is None else build_corpus(entry)


@functools.cache
def known_entries(upstream: str) -> tuple[Entry, ...]:
    """The entries of all upstreams in a name; none where it is not known.

    A Hub id after a prefix ("hf:facebook/hubert-base-ls960") is that of a checkpoint, where it has a row.
    """
    try:
        return tuple(upstreams().known(upstream))
    except UsageError:
        return ()


def known_trained_on(upstream: str) -> frozenset[str]:
    """Corpora of this benchmark that the weights of an upstream were trained on; none where it is not known."""
    return frozenset(name for entry in known_entries(upstream) for name in entry.trained_on)


def known_control(upstream: str) -> bool:
    """Whether an upstream is a control: all that is in its name knows nothing of the speech."""
    entries = known_entries(upstream)
    return bool(entries) and all(entry.name in CONTROLS for entry in entries)


def known_version(upstream: str) -> str | None:
    """The version that published rows of an upstream have, "1+2" of several; None where it is not known."""
    versions = [entry.version for entry in known_entries(upstream)]
    return "+".join(map(str, versions)) if versions and None not in versions else None


def known_seeded(upstream: str) -> bool:
    """Whether a name has weights that a run has trained by a recipe that depends on the seed."""
    return any(_is_seeded(one.base) for one in upstreams().components(upstream)) if is_tuned(upstream) else False


def _is_seeded(name: str) -> bool:
    if not name.startswith(PREFIX):
        return False
    training = parse_cell(name.removeprefix(PREFIX), is_nowhere)
    head = known_head(training.downstream)
    return (head is not None and head.facts.stochastic) or _is_seeded(Name.parse(training.upstream).base)


@functools.cache
def known_shape(upstream: str) -> tuple[int | None, int | None]:
    """Layers and dimension of an upstream, as the rows of what it is made of tell; None what one of them leaves open.

    Raises:
        UsageError: It names a layer that does not exist, or joins what cannot be joined.
    """
    try:
        components = [(one, row) for one in upstreams().components(upstream) for row in upstreams().known(one.base)]
    except UsageError:
        return None, None  # it is not known
    counts = [None if row.layers is None else layers_after(upstream, one.layers, row.layers) for one, row in components]
    dims = [row.dim for _, row in components]
    layers = None if None in counts else layers_beside(upstream, [count for count in counts if count is not None])
    return layers, None if None in dims else sum(dim for dim in dims if dim is not None)


@functools.cache
def known_head(name: str) -> KnownHead | None:
    """What is known of a head; None where it is not of this package."""
    entry = {entry.name: entry for entry in downstreams().all()}.get(name)
    if entry is None:
        return None
    params = params_of(entry)
    return KnownHead(
        HeadFacts.of(params), params.model_dump(mode="json"), frozenset(entry.arguments), version=entry.version
    )
