"""What a folder says of the pre-training that made it: pretraining.json beside the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from benchmark.errors import BenchError
from benchmark.io.yamls import Closed, validate
from benchmark.registry.upstreams import FOLDER_TELLS
from upstreams.checkpoints import read_json
from upstreams.pretraining.recipe import PretrainingRecipe

FORMAT = 1
PREFIX = "pretrained:"


class About(Closed):
    """The file.

    Attributes:
        upstream: The prefix by which the folder is read, whatever prefix it is given with.
        format: Of the file.
        recipe: All values, also those that were changed.
        changed: What was changed of the recipe, as it was given.
        start: What it began with.
        data: What it heard, source by source.
        trained_on: Corpora of the registry that it, or what it began with, has heard.
        parameters: Weights of the encoder.
        last: The last line of the log.
        versions: Of what trained it.
    """

    upstream: Literal["pretrained:"]
    format: Literal[1]
    recipe: PretrainingRecipe
    changed: list[str]
    start: dict[str, Any]
    data: list[dict[str, Any]]
    trained_on: list[str]
    parameters: int
    last: dict[str, Any]
    versions: dict[str, str]


def read_about(folder: Path) -> About | None:
    """What a folder says of itself; None where it was not made by a pre-training here.

    Raises:
        BenchError: The file cannot be read.
        UsageError: It does not follow the schema.
    """
    path = folder / FOLDER_TELLS
    return validate(About, read_json(path), f"{path.name} of {folder.name}") if path.is_file() else None


def as_json(about: About) -> bytes:
    """The file's content."""
    return (json.dumps(about.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode()


def need_about(folder: Path) -> About:
    """What a folder says of itself.

    Raises:
        BenchError: It says nothing.
    """
    about = read_about(folder)
    if about is None:
        raise BenchError(f"{folder} holds no {FOLDER_TELLS}", "bench pretrain makes such a folder")
    return about
