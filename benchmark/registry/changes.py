"""Changes of a recipe for a study, as `--set downstream.KEY=VALUE` gives them; `bench pretrain` takes KEY=VALUE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any

from benchmark.errors import UsageError
from benchmark.io.yamls import read_value

PREFIX = "downstream."
FORM = "as in --set downstream.max_frames=400 or --set downstream.optimiser.learning_rate=0.01"


def parse_changes(texts: Iterable[str], prefix: str = PREFIX, form: str = FORM) -> dict[tuple[str, ...], Any]:
    """Values by the keys that lead to them.

    Args:
        texts: "downstream.KEY=VALUE": a key may lead into a mapping, as optimiser.learning_rate; a value is YAML.
        prefix: What stands before a key.
        form: An example, for an error.

    Raises:
        UsageError: One has another form, is no YAML, or a key is given twice.
    """
    found: dict[tuple[str, ...], Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        keys = tuple(name.removeprefix(prefix).split("."))
        if not equals or not name.startswith(prefix) or not all(keys):
            raise UsageError(f"--set {text!r} is no {prefix}KEY=VALUE", form)
        for other in found:
            if keys[: len(other)] == other or other[: len(keys)] == keys:
                raise UsageError(f"--set gives {name!r} twice", "give each key once")
        found[keys] = read_value(value, f"--set {name}")
    return found


def changed(
    content: Mapping[str, Any], changes: Mapping[tuple[str, ...], Any], where: str, prefix: str = PREFIX
) -> dict[str, Any]:
    """Parameters of a recipe with some values changed; a schema says then whether they are known.

    Args:
        content: As the recipe gives them.
        changes: Values by the keys that lead to them.
        where: What to call the recipe in an error.
        prefix: What stands before a key.

    Raises:
        UsageError: A key leads into what is no mapping.
    """
    result = dict(content)
    for keys, value in changes.items():
        inside = result
        for key in keys[:-1]:
            held = inside.get(key)
            if not isinstance(held, Mapping | NoneType):
                raise UsageError(f"--set {prefix}{'.'.join(keys)}: {key!r} in {where} has no keys, it is {held!r}")
            inside[key] = dict(held or {})
            inside = inside[key]
        inside[keys[-1]] = value
    return result
