"""From entries to classes and instances: only here is code imported, which may be other people's."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar, get_args

from benchmark.base import Corpus, Downstream, HeadParams, Upstream
from benchmark.base.combined import LayersOf, Name, fuse
from benchmark.base.tuned import PREFIX, Training, Tuned
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.bounded_json import read_bounded
from benchmark.registry.cell_names import parse_cell
from benchmark.registry.entries import SUFFIXES, Entry
from benchmark.registry.upstreams import Upstreams
from benchmark.types import Kind, Needs

BASES: dict[str, type] = {"upstream": Upstream, "downstream": Downstream, "corpus": Corpus}

NOTE = "serbench.json"  # beside weights that were trained here: {"trained_on": [corpora of this benchmark]}

T = TypeVar("T")


def load(kind: str, name: str, target: str) -> Any:
    """Import what "module:attribute" names.

    Args:
        kind: What it is, as an error calls it.
        name: Whose it is.
        target: Where it is.

    Raises:
        MissingError: It cannot be imported; the message holds the cause. A BenchError of its own goes through.
    """
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except BenchError:
        raise
    except Exception as error:  # other people's code: whatever it raises is told in one line
        cause = str(error) if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: {error}"
        raise MissingError(f"{kind} {name!r} cannot be loaded from {target}: {cause}") from error


def load_class(kind: str, entry: Entry) -> type[Any]:
    """Import the class of an entry.

    Raises:
        MissingError: It cannot be imported.
        UsageError: It is no class of its kind.
    """
    cls = load(kind, entry.name, entry.target)
    base = BASES[kind]
    if not (inspect.isclass(cls) and issubclass(cls, base)):
        raise UsageError(f"{entry.target} is not a subclass of benchmark.{base.__name__}", f"see {entry.where}")
    return cls


def build_corpus(entry: Entry) -> Corpus:
    """Build the scanner of a corpus.

    Raises:
        UsageError: It cannot be made.
        MissingError: It cannot be imported.
    """
    cls: type[Corpus] = load_class("corpus", entry)
    return _make(cls)


def build_downstream(entry: Entry, params: HeadParams, device: str) -> Downstream:
    """Build a new head.

    Args:
        entry: Its recipe or class.
        params: What the recipe gives, checked.
        device: "cpu" or "cuda".

    Raises:
        UsageError: It cannot be made, or needs what no run gives.
        MissingError: It cannot be imported.
    """
    cls: type[Downstream] = load_class("downstream", entry)
    head = _make(cls, params, device)
    if head.needs not in get_args(Needs):
        raise UsageError(f"the downstream {entry.name!r} needs {head.needs!r}", f"one of {', '.join(get_args(Needs))}")
    if not isinstance(head.kinds, tuple) or not head.kinds or not set(head.kinds) <= set(get_args(Kind)):
        raise UsageError(
            f"the downstream {entry.name!r} takes tasks of the kinds {head.kinds!r}",
            f"a tuple of {', '.join(get_args(Kind))}, or of one of them",
        )
    if head.sequences and head.needs == "statistics":
        raise UsageError(
            f"the downstream {entry.name!r} takes sequences of {head.needs}", "they are of means or of frames"
        )
    return head


def build_upstream(upstreams: Upstreams, name: str, weights: Callable[[str], Path | None]) -> Upstream:
    """Build an upstream, also one that is made of several or of some layers.

    Args:
        upstreams: Where names are looked up.
        name: As `Registry.upstream` takes it.
        weights: From the name of a checkpoint to a folder that it is loaded from, None for that of its row.

    Raises:
        UsageError: It is unknown, or cannot be made.
        MissingError: It cannot be imported, or its weights are on no Hub.
    """
    return fuse([_component(upstreams, one, weights) for one in upstreams.components(name)])


def _component(upstreams: Upstreams, name: Name, weights: Callable[[str], Path | None]) -> Upstream:
    upstream = _single(upstreams, name.base, weights)
    if name.precision is not None:
        if name.precision not in upstream.precisions:
            can = ", ".join(upstream.precisions) or "it has none but float32"
            raise UsageError(f"{name.base!r} does not compute in {name.precision}", can)
        upstream.precision = name.precision
        upstream.name = f"{upstream.name}@{name.precision}"
    return upstream if name.layers is None else LayersOf(upstream, name.layers)


def _single(upstreams: Upstreams, name: str, find_weights: Callable[[str], Path | None]) -> Upstream:
    entry, argument = upstreams.entry(name)
    if entry.name == PREFIX and argument is not None:
        return _tuned(upstreams, argument, find_weights)
    cls: type[Upstream] = load_class("upstream", entry)
    if argument is not None:
        row = upstreams.checkpoint(argument)
        return _marked(_make(cls, argument), [*noted(argument), *(() if row is None else row.trained_on)])
    if not entry.arguments:
        return _make(cls)
    arguments = dict(entry.arguments)
    weights = find_weights(name)
    if weights is not None:
        arguments.update(model=str(weights), revision=None)
    elif arguments["model"] is None:
        raise MissingError(
            f"the weights of {name!r} are on no Hub",
            f"--weights {name}=FOLDER, or BENCH_WEIGHTS=FOLDER with {name}/ in it; bench show {name} says more",
        )
    return _marked(_make(cls, name=entry.name, **arguments), entry.trained_on)


def noted(argument: str) -> tuple[str, ...]:
    """The corpora that the weights in a folder were trained on, as whoever wrote it has noted; none where it is none.

    Raises:
        UsageError: The note cannot be read.
    """
    path = Path(argument).expanduser() / NOTE
    try:
        if not path.is_file():
            return ()
        found = read_bounded(path)["trained_on"]
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise TypeError("trained_on is no list of names")
    except (BenchError, OSError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "it says on what the weights were trained") from error
    return tuple(found)


def _tuned(upstreams: Upstreams, argument: str, weights: Callable[[str], Path | None]) -> Tuned:
    training = parse_cell(argument)
    start = build_upstream(upstreams, training.upstream, weights)
    if not start.trains:
        raise UsageError(
            f"{start.name!r} cannot be trained, so there is no {PREFIX}{argument}",
            "single upstreams of transformers can, of which all layers are read",
        )
    # A row goes by names: of a file by its own.
    names = (Path(one).stem if one.endswith(SUFFIXES) else one for one in (training.task, training.downstream))
    task, downstream = names
    return Tuned(training, start, Training(task, start.name, downstream))


def _make(cls: type[T], *arguments: Any, **named: Any) -> T:
    """Make an instance of what may be other people's class.

    Raises:
        UsageError: It cannot be made; the message holds the cause. A BenchError of its own goes through.
    """
    try:
        return cls(*arguments, **named)
    except BenchError:
        raise
    except Exception as error:  # other people's code: whatever it raises is told in one line
        raise UsageError(f"{cls.__name__} cannot be made: {type(error).__name__}: {error}") from error


def _marked(upstream: Upstream, trained_on: Iterable[str]) -> Upstream:
    """Tell an upstream what its weights were trained on: a fact about them that decides no feature and no identity."""
    upstream.trained_on = tuple(dict.fromkeys([*upstream.trained_on, *trained_on]))
    return upstream
