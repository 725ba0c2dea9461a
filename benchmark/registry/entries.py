"""What the registry knows of a name: an entry, and the YAML that some entries are read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from benchmark.io.yamls import Closed

SUFFIXES = (".yaml", ".yml")  # of a file in the place of a registered name


@dataclass(frozen=True)
class Entry:
    """One name in the registry.

    Attributes:
        name: What the user types. A name that ends in ":" is a prefix, such as "hf:".
        target: "module:Class".
        summary: One line.
        where: File or package that defines it, to be named when two claim one name.
        arguments: Arguments of the class, for a name that is data (a checkpoint or a recipe).
        extra: Optional dependency group that it needs.
        examine: "module:function" that says how what it needs is installed.
        licence: Licence of the weights, for a checkpoint.
        source: Paper or repository, where the entry gives one.
        training_data: The speech that a checkpoint was trained on, in the words of its authors.
        trained_on: Corpora of this benchmark among it.
        version: Version that the class declares.
        sample_rate: Rate that an upstream declares [Hz]; this and the next two are None where its files decide.
        layers: Number of layers that an upstream declares, or that the row of a checkpoint gives.
        dim: Dimension, likewise.
        params: "module:Class" of the parameters of a head where they stand in a module of their own, so that they can
            be imported without the head.
    """

    name: str
    target: str
    summary: str
    where: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    extra: str | None = None
    examine: str | None = None
    licence: str | None = None
    source: str | None = None
    training_data: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    version: int | None = None
    sample_rate: int | None = None
    layers: int | None = None
    dim: int | None = None
    params: str | None = None


class Recipe(Closed):
    """The YAML of a downstream recipe.

    Attributes:
        name: What records say: letters, digits, dots, dashes and underscores.
        summary: One line.
        downstream: The class.
        params: What the class takes, see its `Params`.
        source: Paper or repository.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    summary: str
    downstream: str
    params: dict[str, Any] = {}
    source: str | None = None


def is_protocol(content: Mapping[str, Any]) -> bool:
    """Whether the content of a YAML is meant as a protocol, whatever else is wrong with it."""
    return bool(content.keys() & {"folds", "corpus", "target", "metrics"})


class Shape(Closed):
    """What a checkpoint gives: layers, with what enters the first block, and dimension."""

    layers: int = Field(ge=1)
    dim: int = Field(ge=1)


class Checkpoint(Closed):
    """A named row of `upstreams/checkpoints.yaml`: a checkpoint and what is known of it.

    Attributes:
        hub: Model id on the Hugging Face Hub; None where it is on no Hub and must be given as a folder.
        summary: What it is, in one line.
        licence: Licence of the weights.
        citation: The paper to cite.
        training_data: The speech of its pre-training and its fine-tuning, in the words of its authors.
        trained_on: Corpora of this benchmark among it.
        shape: Its layers and dimension; None where only its files tell.
        revision: Commit on the Hub; None for the newest.
        upstream: What loads it: the name of an upstream that takes an argument.
    """

    hub: str | None
    summary: str
    shape: Shape | None = None
    licence: str
    citation: str
    training_data: tuple[str, ...] = Field(min_length=1)
    trained_on: tuple[str, ...] = ()
    revision: str | None = Field(None, pattern="^[0-9a-f]{40}$")
    upstream: str = "hf:"
