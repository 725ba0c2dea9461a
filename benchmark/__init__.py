"""A benchmark harness for speech emotion recognition: upstreams x downstreams x tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.base import Corpus, Downstream, HeadParams, Upstream
    from benchmark.errors import BenchError
    from benchmark.types import Examples, Features, Fold, Selection, Utterance

__version__ = "0.1.0"

__all__ = [
    "BenchError",
    "Corpus",
    "Downstream",
    "Examples",
    "Features",
    "Fold",
    "HeadParams",
    "Selection",
    "Upstream",
    "Utterance",
]

_HOMES = {"BenchError": "errors", "Corpus": "base", "Downstream": "base", "HeadParams": "base", "Upstream": "base"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `bench --help` loads neither numpy nor pydantic."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"benchmark.{_HOMES.get(name, 'types')}"), name)
