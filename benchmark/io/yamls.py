"""Reading YAML safely, against a closed schema."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)


class Closed(BaseModel):
    """Base of every schema: unknown keys are refused, values do not change, and numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def first_repeated(names: Iterable[Hashable]) -> Hashable | None:
    """The first value that stands in a list for the second time, None where all differ: for validators of schemas."""
    seen: set[Hashable] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


MAX_DEPTH = 64  # of lists and mappings in each other; the loader in C would crash some thousands deep
BASE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(BASE):  # type: ignore[misc, valid-type]
    """The safe loader, in C where there is one, which also refuses a key that is given twice or is itself several."""


def _mapping(loader: _Loader, node: yaml.Node) -> dict[Hashable, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(None, None, "expected keys and values", node.start_mark)
    seen = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is no single value", key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        seen.add(key)
    found: dict[Hashable, Any] = loader.construct_mapping(node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, where: str = "") -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Args:
        path: The file.
        where: What to call it in an error; its name without its folder where that is not given.

    Raises:
        UsageError: The file cannot be read, is no YAML, gives a key twice or one that is no single value, is nested
            too deeply, or holds something else than a mapping.
    """
    where = where or path.name
    try:
        content = _load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{where} cannot be read: {error.strerror or error}") from error
    # The last four are what PyYAML's own constructors raise on a value that its tag does not fit, as `!!bool x`.
    except (yaml.YAMLError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{where} is not valid YAML: {reason}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{where} holds no mapping of keys to values")
    return content


def read_value(text: str, where: str) -> Any:
    """A value as it stands in a YAML file: a number, a word, a list.

    Args:
        text: It.
        where: What to call it in an error.

    Raises:
        UsageError: It is no YAML.
    """
    try:
        return _load(text)
    except (yaml.YAMLError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise UsageError(f"{where}: {text!r:.80} is no YAML value", "as in a recipe: 3, 0.01, null, [1, 2]") from error


def _load(text: str) -> Any:
    """The only value in a text, once it is known not to be nested too deeply: events are read one by one."""
    depth = 0
    for event in yaml.parse(text, Loader=BASE):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested too deeply (more than {MAX_DEPTH})")
    return _Loader(text).get_single_data()


def _known_keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Keys allowed where an unknown one stood: walk the schema along the error's location."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def resolve(part: dict[str, Any]) -> dict[str, Any]:
        given = [branch for branch in part.get("anyOf", []) if branch.get("type") != "null"]
        if len(given) == 1:  # a key that may be left out
            part = given[0]
        return definitions[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part

    part = schema
    for key in location[:-1]:
        part = resolve(part)
        branches = [resolve(branch) for branch in part.get("oneOf", part.get("anyOf", []))]
        tagged = [b for b in branches if any(p.get("const") == key for p in b.get("properties", {}).values())]
        if tagged:
            part = tagged[0]
        elif key in part.get("properties", {}):
            part = part["properties"][key]
        elif isinstance(key, int) and "items" in part:
            part = part["items"]
    return list(resolve(part).get("properties", {}))


def _keys_within(schema: dict[str, Any], deepest: int = 4) -> list[str]:
    """All keys of a schema with those that lead to them, as "schedule.steps", down to some depth."""
    definitions = schema.get("$defs", {})

    def walk(part: dict[str, Any], before: str, depth: int) -> Iterator[str]:
        if "$ref" in part:
            part = definitions[part["$ref"].rsplit("/", 1)[1]]
        for branch in (*part.get("anyOf", ()), *part.get("oneOf", ())):
            yield from walk(branch, before, depth)
        for key, value in part.get("properties", {}).items():
            yield f"{before}{key}"
            if depth < deepest:
                yield from walk(value, f"{before}{key}.", depth + 1)

    return list(dict.fromkeys(walk(schema, "", 1)))


def _meant(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """What to do about an unknown key: one that differs in case, the one of its name elsewhere, or the nearest."""
    name, known = str(location[-1]), _known_keys(model, location)
    elsewhere: dict[str, list[str]] = {}
    for key in _keys_within(model.model_json_schema()):
        elsewhere.setdefault(key.rpartition(".")[2], []).append(key)
    alike = [one for one in known if one.lower() == name.lower()]
    close = alike or elsewhere.get(name) or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    for near in () if close else difflib.get_close_matches(name, elsewhere, n=1, cutoff=0.6):
        close = elsewhere[near]
    return f"did you mean {' or '.join(map(repr, close))}?" if close else f"known here: {', '.join(known)}"


def validate(model: type[Model], content: Any, where: str) -> Model:
    """Check a mapping against a schema.

    Args:
        model: The schema.
        content: What was read.
        where: What to call the source in an error, for example the file's name.

    Raises:
        UsageError: A key is unknown (with the nearest known one) or missing, or a value is not what the key takes.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the unknown one says more.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        location = first["loc"]
        key = ".".join(str(part) for part in location)
        if first["type"] == "extra_forbidden":
            raise UsageError(f"unknown key {key!r} in {where}", _meant(model, location)) from error
        if first["type"] == "missing":
            raise UsageError(f"the key {key!r} is missing in {where}") from error
        message = first["msg"].removeprefix("Value error, ")
        # What a validator of a whole mapping says names what is wrong in it.
        says_all = first["type"] == "value_error" and isinstance(first["input"], dict)
        given = "" if says_all else f", not {first['input']!r:.80}"
        raise UsageError(f"{f'{key!r} in ' if key else ''}{where}: {message}{given}") from error
