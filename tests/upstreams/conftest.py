"""Tiny random models of every architecture, made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import save_model

Models = Callable[[str], Path]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Folder of the tiny model of an architecture, made once; not to be changed."""
    made: dict[str, Path] = {}

    def model(architecture: str) -> Path:
        if architecture not in made:
            made[architecture] = save_model(tmp_path_factory.mktemp("models") / architecture, architecture)
        return made[architecture]

    return model


@pytest.fixture
def own_model(tiny_model: Models, tmp_path: Path) -> Models:
    """A copy of a tiny model that the test may damage."""
    return lambda architecture: shutil.copytree(tiny_model(architecture), tmp_path / "models" / architecture)
