"""What the registry knows of a system by its name: read once, without torch, and believed before any record."""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError

if TYPE_CHECKING:
    from benchmark.registry.entries import Entry
    from benchmark.registry.registry import Registry


@functools.cache
def registered() -> Registry:
    """The registry without plugins."""
    from benchmark.registry.registry import Registry

    return Registry()


@functools.cache
def known_entries(upstream: str) -> tuple[Entry, ...]:
    """The entries of all upstreams in a name; none where it is not known.

    A Hub id after a prefix ("hf:facebook/hubert-base-ls960") is that of a checkpoint, where it has a row.
    """
    try:
        found = registered().upstream_entries(upstream)
    # A name with a path is looked up on the disk, and a record may hold one that no disk can have.
    except (UsageError, OSError, ValueError, RuntimeError):
        return ()
    return tuple(_checkpoint(argument) or entry for entry, argument in found)


def known_trained_on(upstream: str) -> frozenset[str]:
    """Corpora of this benchmark that the weights of an upstream were trained on; none where it is not known."""
    return frozenset(name for entry in known_entries(upstream) for name in entry.trained_on)


def _checkpoint(argument: str | None) -> Entry | None:
    """The row of a checkpoint, by its Hub id."""
    # The Hub's ids do not tell letters apart by case, and s3prl's names have the model after a second colon.
    return None if argument is None else _by_hub_id().get(argument.rpartition(":")[2].casefold())


@functools.cache
def _by_hub_id() -> Mapping[str, Any]:
    rows = ((entry.arguments.get("model"), entry) for entry in registered().upstreams())
    return {model.casefold(): entry for model, entry in rows if isinstance(model, str)}


@functools.cache
def declared(upstream: str) -> Mapping[str, int]:
    """What the class of a registered upstream says of itself in plain numbers: sample_rate, layers, dim.

    Its source is parsed, not imported. Of a checkpoint, a prefix or a combination nothing is said: its files decide.
    """
    by_name = {entry.name: entry for entry in registered().upstreams()}
    entry = by_name.get(upstream)
    if entry is None or entry.arguments or upstream.endswith(":"):
        return {}
    module, _, name = entry.target.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return {}
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    constants = _numbers(tree.body, {})
    bodies = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    found = _numbers(bodies[0], constants) if bodies else {}
    return {key: found[key] for key in ("sample_rate", "layers", "dim") if key in found}


def _numbers(body: Sequence[ast.stmt], constants: Mapping[str, int]) -> dict[str, int]:
    """Names that are set to whole numbers, or to constants that are."""
    found: dict[str, int] = {}
    for statement in body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            continue
        value = statement.value
        if isinstance(value, ast.Constant) and type(value.value) is int:
            found[statement.targets[0].id] = value.value
        elif isinstance(value, ast.Name) and value.id in constants:
            found[statement.targets[0].id] = constants[value.id]
    return found
